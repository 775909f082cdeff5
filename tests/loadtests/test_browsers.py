"""A browser's cookies: what it brings along, what it keeps, and which of its requests end before it logs out."""

import gevent

from browsers import Browser, Jar


def test_a_jar_keeps_the_last_answers_word() -> None:
    """Set, replaced, removed; several cookies in one header."""
    jar = Jar()
    assert jar.headers() == {}
    jar.take(["session=one; HttpOnly; Path=/", "lang=de"])
    kept = jar.copy()
    jar.take(["session=two.x_Y-z; Expires=Fri, 01 Jan 2100 00:00:00 GMT; HttpOnly; Path=/"])
    assert jar.headers() == {"Cookie": "session=two.x_Y-z; lang=de"}
    jar.take(["session=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/"])
    assert jar.headers() == {"Cookie": "lang=de"}
    assert kept.headers() == {"Cookie": "session=one; lang=de"}


def test_each_login_is_another_user_with_no_cookies() -> None:
    """So that an answer tells which session it belongs to."""
    browser = Browser("b0")
    assert browser.unused
    browser.begin_anew()
    first = browser.user
    browser.jar.take(["session=x"])
    browser.begin_anew()
    assert (browser.user != first, browser.unused, browser.jar.headers()) == (True, False, {})


def test_quiet_is_when_all_requests_have_ended() -> None:
    """Who waits for it goes on after the slow one."""
    browser = Browser("b0")
    order = []

    def slow() -> None:
        with browser:
            gevent.sleep(0.01)
            order.append("ended")

    request = gevent.spawn(slow)
    browser.wait_until_busy()
    browser.wait_until_quiet()
    order.append("quiet")
    request.join()
    assert order == ["ended", "quiet"]

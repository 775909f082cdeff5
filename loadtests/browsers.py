"""Browsers: a cookie jar that several clients share, and a login after the other."""

from http.cookies import SimpleCookie

import gevent
from gevent.event import Event


class Jar:
    """The cookies that a browser keeps: the last answer's word counts, whichever request it belongs to."""

    def __init__(self, cookies: dict[str, str] | None = None) -> None:
        self._cookies = cookies or {}

    def headers(self) -> dict[str, str]:
        brought = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        return {"Cookie": brought} if brought else {}

    def take(self, set_cookies: list[str]) -> None:
        for line in set_cookies:
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0":
                    self._cookies.pop(name, None)
                else:
                    self._cookies[name] = morsel.coded_value

    def copy(self) -> "Jar":
        return Jar(dict(self._cookies))


class Browser:
    """One browser of a cell. Its requests run side by side; while somebody logs out and in again, it begins no others.

    Each login has a user of its own, so what an answer says tells which session it was.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._logins = 0
        self._under_way = 0
        self._open = Event()
        self.acts = 0
        self.jar = Jar()

    @property
    def user(self) -> str:
        return f"{self._name}-{self._logins}"

    def begin_anew(self) -> None:
        """Forgets all cookies; the next login is another user's."""
        self.acts = 0
        self.jar = Jar()
        self._logins += 1

    @property
    def unused(self) -> bool:
        """Whether nobody has ever logged in here."""
        return self._logins == 0

    def close(self) -> None:
        self._open.clear()

    def open(self) -> None:
        self._open.set()

    def wait_until_open(self) -> None:
        self._open.wait()

    def wait_until_busy(self) -> None:
        """Until one of its requests is under way; not for long, for its clients may have ended."""
        for _ in range(20):
            if self._under_way:
                return
            gevent.sleep(0.0005)

    def wait_until_quiet(self) -> None:
        """Until all its requests have ended."""
        while self._under_way:
            gevent.sleep(0.0005)

    def __enter__(self) -> Jar:
        self._under_way += 1
        return self.jar

    def __exit__(self, *_: object) -> None:
        self._under_way -= 1

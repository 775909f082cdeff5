"""The workload `session`: some browsers, each with several requests at once; they count, ask who is logged in, and log
out.

At once after a logout another user logs in from another browser, while requests of the first browser may still be
running. When those have ended, the new user asks who is logged in. So does the first browser, once with the cookies
that it has then and once with those that it had before. Then its next user logs in, without cookies.
"""

from collections import defaultdict

from browsers import Browser
from meanings import NOTHING_SEEN, Operations, answered, twice
from recording import RecordingClient
from statelab.core.cookies import Jar
from statelab.core.load import Cell
from statelab.core.operation import Operation, Result

BROWSERS = 2
ACTS_PER_LOGIN = 6
"""After this many acts a browser logs out, and another user logs in."""

LOGOUT_TRIES = 6
"""How often a refused logout is tried again, as a user would click again."""

ASKED_AFTERWARDS = 2
"""How often each of the two jars is tried after a logout, because another process may answer each time."""

_browsers: defaultdict[str, list[Browser]] = defaultdict(list)


def _all(client: RecordingClient, cell: Cell) -> list[Browser]:
    """The browsers of a cell; each worker of Locust has its own. For an app other than the lab's the names of their
    users contain the cell's key, because it may keep users longer than a cell lasts."""
    found = _browsers[cell.key]
    if not found:
        names = (f"w{client.worker}b{number}" if client.worker else f"b{number}" for number in range(BROWSERS))
        found += [Browser(f"{cell.key}-{name}" if cell.asks else name) for name in names]
    return found


def _browser(client: RecordingClient, cell: Cell) -> Browser:
    return _all(client, cell)[client.process % BROWSERS]


def _key(cell: Cell, browser: Browser) -> str:
    return f"{cell.key}.{browser.user}"


def _login(client: RecordingClient, cell: Cell, browser: Browser) -> Operation:
    browser.begin_anew()
    client.cookies = browser.jar
    done = client.change(cell.path, "login", key=_key(cell, browser), window=cell.window, user=browser.user)
    browser.open()
    return done


def _whoami(client: RecordingClient, cell: Cell, browser: Browser, jar: Jar) -> Operation:
    client.cookies = jar
    return client.ask(cell.path, "whoami", key=_key(cell, browser))


def _logout(client: RecordingClient, cell: Cell, browser: Browser) -> Jar:
    """Logs out while other requests of the browser are running; returns the cookies that it had before."""
    browser.wait_until_busy()
    kept = browser.jar.copy()
    client.cookies = browser.jar
    for _ in range(LOGOUT_TRIES):
        done = client.change(cell.path, "logout", key=_key(cell, browser), window=cell.window, user=browser.user)
        if done.status == "ok":
            break
    return kept


def _log_out_and_in(client: RecordingClient, cell: Cell, browser: Browser) -> Operation:
    kept = _logout(client, cell, browser)
    browser.close()
    newcomer = Browser(f"{browser.user}-next")
    _login(client, cell, newcomer)
    browser.wait_until_quiet()
    _whoami(client, cell, newcomer, newcomer.jar)
    client.cookies = newcomer.jar
    client.change(cell.path, "logout", key=_key(cell, newcomer), window=cell.window, user=newcomer.user)
    for _ in range(ASKED_AFTERWARDS):
        _whoami(client, cell, browser, browser.jar)
        _whoami(client, cell, browser, kept)
    return _login(client, cell, browser)


def prepare(client: RecordingClient, cell: Cell) -> None:
    for browser in _all(client, cell):
        _login(client, cell, browser)


def act(client: RecordingClient, cell: Cell) -> Operation:
    browser = _browser(client, cell)
    if browser.unused:
        return _login(client, cell, browser)
    browser.wait_until_open()
    browser.acts += 1
    if browser.acts == ACTS_PER_LOGIN:  # others go on meanwhile, so the number may be passed
        return _log_out_and_in(client, cell, browser)
    with browser as jar:
        if browser.acts % 4 == 0:
            return _whoami(client, cell, browser, jar)
        client.cookies = jar
        return client.change(cell.path, "count", key=_key(cell, browser), window=cell.window, user=browser.user)


def audit(client: RecordingClient, cell: Cell) -> Operation:
    """Reads the counter and asks who is logged in, which every process answers."""
    browser = _browser(client, cell)
    client.cookies = browser.jar
    if cell.has("read"):
        client.read(cell.path, key=_key(cell, browser), user=browser.user)
    return _whoami(client, cell, browser, browser.jar)


def meaning(operations: Operations, final: list[Result]) -> str:
    """Compares the user at the end of the key with the user in the answer, and looks for repeated numbers."""
    others, numbers = 0, []
    for operation in answered(operations, "login", "count", "logout", "read", "whoami"):
        user, _, number = str(operation.result or "").partition(" ")
        others += user not in ("", operation.key.partition(".")[2])
        numbers += [(operation.key, number)] if operation.op == "count" and number else []
    if others:
        return f"{others} answers were about another user's session"
    again = twice(numbers)
    return f"{again} counts were told a number that their browser had been told before" if again else NOTHING_SEEN

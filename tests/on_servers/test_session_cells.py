"""The workload `session`: what the theory says of it, and what real servers show."""

import json
import urllib.error
import urllib.request

import pytest

from offered import offered
from statelab.core.paths import DEPLOYMENTS
from statelab.deploy.local import LocalEngine
from statelab.plan.app import App
from statelab.plan.deployments import load_all
from statelab.theory.rule import predict

DEPLOYED = load_all(DEPLOYMENTS)
LOST, WRONG, OUT, UNDONE = "lost-update", "wrong-user", "logged-out", "logout-undone"
NOTHING: set[str] = set()
ALONE = ("dev-single", "sync")
THREADS = ("dev-threaded", "gthread", "gevent")
PROCESSES = ("sync-4", "sync-4-preload")
BOTH = ("gthread-2x4", "gevent-2")


def table(alone: set[str], threads: set[str], processes: set[str], forking: set[str]) -> dict[str, set[str]]:
    """Anomalies by deployment; `threads` are greenlets as well, and with several processes there are both."""
    return {
        **dict.fromkeys(ALONE, alone),
        **dict.fromkeys(THREADS, threads),
        **dict.fromkeys(PROCESSES, processes),
        **dict.fromkeys(BOTH, threads | processes),
        "dev-processes": forking,
    }


FLASK_SESSION = table(NOTHING, {LOST, UNDONE}, {LOST, UNDONE}, {LOST, UNDONE})
COOKIE = table({LOST, UNDONE}, {LOST, UNDONE}, {LOST, UNDONE}, {LOST, UNDONE})
HELD = table(NOTHING, NOTHING, NOTHING, NOTHING)
EXPECTED = {
    "current-user-global": table({WRONG, OUT}, {LOST, WRONG, OUT}, {WRONG, OUT}, {OUT}),
    "user-dict": table(NOTHING, {LOST}, {OUT}, {OUT}),
    # a key drawn at import is inherited by forks
    "signed-cookie-random-key": COOKIE | {name: {LOST, OUT, UNDONE} for name in ("sync-4", *BOTH)},
    "flask-session-filesystem": FLASK_SESSION,
    # a row's number is given again: a late request writes into a newcomer's row
    "flask-session-sqlalchemy": table(NOTHING, *[{LOST, UNDONE, WRONG}] * 3),
    "flask-session-sqlalchemy-autoincrement": FLASK_SESSION,
    "flask-session-sqlalchemy-by-session-id": FLASK_SESSION,
    "flask-session-postgres": FLASK_SESSION,
    "signed-cookie": COOKIE,
    "flask-session-redis": FLASK_SESSION,
    "flask-session-memcached": FLASK_SESSION,
    "cookie-id-redis": HELD,
    "cookie-id-postgres": HELD,
}


def test_the_rule_gives_the_table() -> None:
    """The claims beside the code, by the one rule, for every mechanism under every deployment."""
    workload = offered().workloads["session"]
    predicted = {
        name: {
            deployment: set(predict(mechanism.claims, DEPLOYED[deployment], "io", workload.shows).anomalies)
            for deployment in EXPECTED[name]
        }
        for name, mechanism in workload.mechanisms.items()
    }
    assert predicted == EXPECTED


MEASURED = (
    "current-user-global",
    "user-dict",
    "signed-cookie-random-key",
    "signed-cookie",
    "flask-session-redis",
    "cookie-id-redis",
    "cookie-id-postgres",
)
"""Those that tests/on_servers/test_under_load.py tries on real servers."""


BAD_COOKIES = ("0" * 43, "a.b.c", "%00", "a b", "\xff\xfe", "x" * 3000)


def _status(url: str, method: str, cookie: str) -> tuple[int, str]:
    asked = urllib.request.Request(url, method=method, headers={"Cookie": f"session={cookie}"})
    try:
        with urllib.request.urlopen(asked, timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)["error"]


@pytest.mark.process
def test_cookies_that_open_nothing_are_refused_by_every_store() -> None:
    """4xx in JSON that says what is wrong, also where the store's client takes no such id; nobody's counter moves."""
    engine = LocalEngine(App(workloads=("session",)))
    try:
        engine.up([DEPLOYED["sync"]])
        for name in EXPECTED:
            if name == "current-user-global":
                continue  # it asks for no cookie
            path = f"{engine.url('sync')}/session/{name}"
            opened = urllib.request.urlopen(urllib.request.Request(f"{path}/login?user=ann", method="POST"), timeout=10)
            cookie = opened.headers["Set-Cookie"].partition("=")[2].partition(";")[0]
            for bad in BAD_COOKIES:
                for method, operation in (("POST", "/count"), ("POST", "/logout"), ("GET", "")):
                    status, said = _status(path + operation, method, bad)
                    assert (status, bool(said)) in ((401, True), (400, True)), (name, bad, said)
            assert json.loads(_status(path, "GET", cookie)[1])["result"] == "ann 0"
    finally:
        engine.down()

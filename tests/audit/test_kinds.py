"""Each kind of finding: the smallest app that has it, and the nearest that has it not."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from small_apps import (
    BASKET,
    BUY,
    CHECK_THEN_ACT,
    CHECK_THEN_ACT_LOCKED,
    DEFAULT_ARGUMENT,
    FILE_CHECK_THEN_ACT,
    FILE_CREATED_ONCE,
    G_USER,
    GLOBAL_USER,
    GREET,
    HEAD,
    IMPORT_WRITES,
    IN_A_FILE,
    IN_MEMORY,
    JOBS,
    KEYS_DRAWN_AT_IMPORT,
    LOGIN,
    NO_DEFAULT_ARGUMENT,
    NOISE,
    ONCE_IN_ALL,
    ONCE_PER_IMPORT,
    QUEUE,
    QUEUE_IN_THREAD,
    QUEUE_STARTED_WHEN_USED,
    ROW_CHECK_THEN_ACT,
    SECRET,
    SECRET_PER_IMPORT,
    USER_IN_SESSION,
    USER_IN_THREAD,
    USER_LEFT_BEHIND,
    WITHDRAW,
    WORK,
    WORK_AT_ONCE,
    WORK_IN_THREAD,
)

from statelab.audit import Audit, audit


@cache
def audited(source: str, story: str) -> Audit:
    """An app is audited once, whatever is asked of it afterwards."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "shop.py").write_text(HEAD + source)
        (folder / "story.http").write_text(story)
        return audit("shop:app", [folder / "story.http"], folder=folder, jobs=1)


def told(found: Audit, anomaly: str) -> list[tuple[str, ...]]:
    return [finding.form for finding in found.findings if finding.anomaly == anomaly]


PUT_AND_SHOW = ("POST /jobs/<name>", "GET /jobs")
TWICE = ("POST /buy", "POST /buy")

HAVE = {
    "divergent": (IN_MEMORY, JOBS, PUT_AND_SHOW, {"sync-4", "sync-4-preload", "gthread-2x4", "gevent-2"}),
    "never-persists": (IN_MEMORY, JOBS, PUT_AND_SHOW, {"dev-processes"}),
    "lost-at-restart": (IN_MEMORY, JOBS, PUT_AND_SHOW, {"sync-recycling"}),
    "lost-update": (CHECK_THEN_ACT, BUY, TWICE, {"dev-threaded", "gthread", "gthread-2x4"}),
    "leak-overlap": (GLOBAL_USER, GREET, ("GET /greet", "GET /greet"), {"dev-threaded", "gthread", "gthread-2x4"}),
    "leak-residue": (
        USER_LEFT_BEHIND,
        LOGIN,
        ("POST /login", "GET /me"),
        {"dev-single", "dev-threaded", "sync", "sync-4", "sync-4-preload", "gthread", "gthread-2x4", "gevent"},
    ),
    "never-ran": (QUEUE_IN_THREAD, QUEUE, ("POST /put", "GET /done"), {"sync-4-preload", "dev-processes"}),
    "ran-n-times": (ONCE_PER_IMPORT, IMPORT_WRITES, ("GET /",), {"sync-4", "gthread-2x4", "gevent-2"}),
}

HAVE_NOT = {
    "divergent": (IN_A_FILE, JOBS),
    "never-persists": (IN_A_FILE, JOBS),
    "lost-at-restart": (IN_A_FILE, JOBS),
    "lost-update": (CHECK_THEN_ACT_LOCKED, BUY),
    "leak-overlap": (G_USER, GREET),
    "leak-residue": (USER_IN_SESSION, LOGIN),
    "never-ran": (QUEUE_STARTED_WHEN_USED, QUEUE),
    "ran-n-times": (ONCE_IN_ALL, IMPORT_WRITES),
}


@pytest.mark.process
@pytest.mark.parametrize("anomaly", HAVE)
def test_smallest_app_that_has_it(anomaly: str) -> None:
    source, story, requests, deployments = HAVE[anomaly]
    found = audited(source, story)
    assert requests in told(found, anomaly), found
    under = {name for finding in found.findings if finding.anomaly == anomaly for name in finding.deployments}
    assert deployments <= under


@pytest.mark.process
def test_keys_that_an_import_draws_are_noise() -> None:
    found = audited(KEYS_DRAWN_AT_IMPORT, "POST /count")
    assert found.findings == ()


@pytest.mark.process
@pytest.mark.parametrize("anomaly", HAVE_NOT)
def test_nearest_app_that_has_it_not(anomaly: str) -> None:
    source, story = HAVE_NOT[anomaly]
    found = audited(source, story)
    assert told(found, anomaly) == [], found.findings


OTHERS = [
    (USER_IN_THREAD, LOGIN, "leak-residue", ("POST /login", "GET /me"), "sync", "dev-threaded"),
    (DEFAULT_ARGUMENT, BASKET, "leak-residue", ("POST /basket", "POST /basket"), "sync", "dev-processes"),
    (FILE_CHECK_THEN_ACT, BUY, "lost-update", TWICE, "sync-4", "sync"),
    (WORK_IN_THREAD, WORK, "lost-at-restart", ("POST /work",), "sync-recycling", "sync-4"),
    (SECRET_PER_IMPORT, SECRET, "divergent", ("POST /login", "GET /me"), "sync-4", "sync-4-preload"),
]


@pytest.mark.process
@pytest.mark.parametrize(("source", "story", "anomaly", "requests", "under", "not_under"), OTHERS)
def test_under_these_deployments_and_not_under_those(
    source: str, story: str, anomaly: str, requests: tuple[str, ...], under: str, not_under: str, tmp_path: Path
) -> None:
    found = audited(source, story)
    assert requests in told(found, anomaly), found
    assert anomaly in found.verdicts[under].anomalies
    assert anomaly not in found.verdicts[not_under].anomalies


@pytest.mark.process
@pytest.mark.parametrize(
    ("source", "story"),
    [
        (NO_DEFAULT_ARGUMENT, BASKET),
        (FILE_CREATED_ONCE, BUY),
        (WORK_AT_ONCE, WORK),
        (USER_IN_SESSION, SECRET),
        (NOISE, "GET /"),
        (IN_A_FILE, JOBS),
    ],
)
def test_nothing_is_found(source: str, story: str) -> None:
    found = audited(source, story)
    assert found.findings == ()
    assert found.exit_code == (3 if story == "GET /" else 0)  # a story that writes nothing exercises nothing


@pytest.mark.process
def test_the_schedule_shows_the_statements_that_both_ran() -> None:
    found = audited(ROW_CHECK_THEN_ACT, WITHDRAW)
    (rows,) = {finding.interleaving for finding in found.findings if finding.anomaly == "lost-update"}
    both = [(bool(first), (first or second).split(maxsplit=1)[1]) for first, second in rows]
    read, written = "select balance from account", "update account set balance = 40"
    first, second = True, False
    ran = [(who, text) for who, text in both if text in (read, written)]
    assert ran == [(first, read), (second, read), (second, written), (first, written)]


@pytest.mark.process
def test_what_is_kept_for_a_thread_is_named() -> None:
    (leak,) = [finding for finding in audited(USER_IN_THREAD, LOGIN).findings if finding.anomaly == "leak-residue"]
    assert leak.places[0].place == "shop.current.user (of this thread)"
    assert leak.source[0].text == 'return jsonify(user=getattr(current, "user", None))'

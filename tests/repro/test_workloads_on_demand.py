"""The anomalies of the other workloads on demand: each shows every time, and what holds is said to."""

from dataclasses import replace

import pytest

from reproducing import Find, Reproduce
from statelab.repro import narrate
from statelab.repro.outcome import Outcome

pytestmark = pytest.mark.process

RED = [
    ("request-scope/module-global", "gthread", "leak-overlap"),
    ("request-scope/app-attribute", "gevent-2", "leak-overlap"),
    ("rate-limit/module-dict", "gthread-2x4", "over-limit"),
    ("rate-limit/redis-get-set", "sync-4", "over-limit"),
    ("rate-limit/flask-limiter-memory", "gthread-2x4", "over-refused"),
    ("session/flask-session-redis", "gevent-2", "lost-update"),
    ("session/flask-session-filesystem", "sync-4", "logout-undone"),
    ("session/flask-session-sqlalchemy", "gthread", "wrong-user"),
    ("session/flask-session-sqlalchemy", "sync-4", "wrong-user"),
    ("session/user-dict", "gthread-2x4", "lost-update"),
    ("session/signed-cookie", "sync", "lost-update"),  # one request after the other: both carry the same count
    ("cache/lru-cache", "gthread-2x4", "stale"),
    ("cache/flask-caching-filesystem", "sync-4", "stale"),
    ("cache/single-flight", "gevent-2", "stale"),
    ("cache/versioned-keys", "sync-4", "stampede"),
    ("cache/lru-cache", "sync-4", "stampede"),  # in two processes
    ("once/idempotency-dict", "gthread-2x4", "ran-n-times"),
    ("once/idempotency-redis-naive", "sync-4", "ran-n-times"),
    ("once/lazy-init", "gevent-2", "ran-n-times"),
    ("once/apscheduler-every-worker", "gthread-2x4", "ran-n-times"),  # by two processes
    ("lock/redis-lock-short-lease", "gthread", "two-holders"),
    ("lock/memcached-add-noreply", "gevent-2", "two-holders"),
    ("lock/threading-lock", "gthread-2x4", "two-holders"),  # one lock in each process
    ("lock/threading-lock", "sync-4", "two-holders"),
    ("connection/redis-global", "gevent-2", "crossed-replies"),
    ("connection/postgres-global", "gthread", "crossed-replies"),
    ("connection/sqlite-global", "gthread-2x4", "crossed-replies"),
    ("unique-id/module-counter", "gthread-2x4", "duplicate-id"),
    ("unique-id/module-counter", "gevent-2", "duplicate-id"),
]


@pytest.mark.parametrize(("cell", "deployment", "anomaly"), RED)
def test_the_anomaly_shows_every_time(play: Reproduce, find: Find, cell: str, deployment: str, anomaly: str) -> None:
    """Three times out of three: A is held while another one passes, and the workload's judge names the anomaly."""
    target = find(cell, deployment, anomaly)
    assert target.red
    for _ in range(3):
        outcome = play(target)
        assert outcome.kind == "reproduced", narrate.conclusion(outcome)
        assert [event.who for event in outcome.play.events if event.what == "held"] == ["A"]


@pytest.mark.parametrize("cell", ["once/lazy-init-file-lock", "lock/multiprocessing-lock"])
def test_a_wait_that_stops_all_greenlets(play: Reproduce, find: Find, cell: str) -> None:
    """Whoever waits stops the one that has the lock; the server that comes after it answers again."""
    outcome = play(find(cell, "gevent-2", "stalled"))
    assert outcome.kind == "reproduced", narrate.conclusion(outcome)
    assert [o.timed_out for o in outcome.play.operations if o.process in ("A", "B")] == [True, True]
    assert play(find("lock/redis-lock", "gevent-2")).kind == "cannot happen here"


HELD = [
    ("request-scope/flask-g", "gthread-2x4"),
    ("rate-limit/redis-incr", "sync-4"),
    ("rate-limit/flask-limiter-redis", "gthread"),
    ("session/cookie-id-redis", "gevent-2"),
    ("session/cookie-id-postgres", "sync-4"),
    ("cache/versioned-single-flight", "gthread-2x4"),
    ("once/idempotency-postgres-unique", "gthread"),
    ("once/idempotency-redis-set-nx", "sync-4"),
    ("lock/threading-lock", "gthread"),
    ("lock/redis-lock-fencing", "sync-4"),
    ("connection/postgres-pool", "gevent-2"),
    ("connection/redis-global", "sync-4"),
    ("unique-id/redis-incr", "gthread-2x4"),
]


@pytest.mark.parametrize(("cell", "deployment"), HELD)
def test_what_holds_stands_the_same_order(play: Reproduce, find: Find, cell: str, deployment: str) -> None:
    """The requests that break others break nothing here: A was held, and the judge finds the promise kept."""
    outcome = play(find(cell, deployment))
    assert outcome.kind == "cannot happen here", narrate.conclusion(outcome)
    assert "held" in [event.what for event in outcome.play.events]
    assert outcome.play.as_met  # it was not played again and again in search of a meeting that cannot be


@pytest.mark.parametrize(
    ("cell", "deployment", "anomaly"),
    [
        ("request-scope/thread-local", "sync-4", "leak-residue"),
        ("request-scope/module-global", "gthread-2x4", None),
        ("rate-limit/flask-limiter-memory", "sync-4", "over-limit"),
        ("session/user-dict", "sync-4", "logged-out"),
        ("session/signed-cookie-random-key", "sync-4", "logged-out"),
        ("session/current-user-global", "sync", "wrong-user"),
        ("once/lazy-init", "sync-4", "ran-n-times"),
        ("unique-id/itertools-count", "sync-4", "duplicate-id"),
    ],
)
def test_what_shows_by_itself(play: Reproduce, find: Find, cell: str, deployment: str, anomaly: str) -> None:
    """Copies and what is left behind show with plain requests where nothing collides."""
    outcome = play(find(cell, deployment, anomaly))
    assert outcome.kind == "reproduced", narrate.conclusion(outcome)


def who_told(outcome: Outcome, who: str) -> object:
    return next(operation.result for operation in outcome.play.operations if operation.process == who)


def test_replies_are_exchanged(play: Reproduce, find: Find) -> None:
    """B takes the reply that A is waiting for, and A gets B's."""
    outcome = play(find("connection/redis-global", "gthread", "crossed-replies"))
    assert (who_told(outcome, "A"), who_told(outcome, "B")) == (16, 5)


def test_a_logout_is_undone(play: Reproduce, find: Find) -> None:
    """A's answer brings back what B's took away: the browser is ann's again."""
    outcome = play(find("session/flask-session-redis", "gthread", "logout-undone"))
    assert [who_told(outcome, who) for who in "LABR"] == ["ann", "ann 1", "ann", "ann"]


@pytest.mark.parametrize("deployment", ["gthread", "sync-4"])
def test_a_name_that_is_given_again_makes_a_newcomer_somebody_else(
    play: Reproduce, find: Find, deployment: str
) -> None:
    """N has logged bob in and is bob; A's late write goes to the row that has A's number by then, and N is ann."""
    outcome = play(find("session/flask-session-sqlalchemy", deployment, "wrong-user"))
    assert [who_told(outcome, who) for who in "LABNCR"] == ["ann", "ann 1", "ann", "bob", "bob", "ann"]
    assert outcome.witness is not None
    assert [operation.op for operation in outcome.witness.operations] == ["whoami"]


@pytest.mark.parametrize("mechanism", ["sqlalchemy-autoincrement", "sqlalchemy-by-session-id", "postgres"])
def test_a_name_that_is_never_given_again_harms_nobody_else(play: Reproduce, find: Find, mechanism: str) -> None:
    """The same order of the same requests: A was held, and N stays bob."""
    target = find(f"session/flask-session-{mechanism}", "gthread", "logout-undone")
    outcome = play(replace(target, anomaly="wrong-user", fault="name-reused"))
    assert "held" in [event.what for event in outcome.play.events]
    assert [who_told(outcome, who) for who in "LABNCR"] == ["ann", "ann 1", "ann", "bob", "bob", "bob"]
    assert outcome.kind == "not reproduced"


def test_the_older_value_comes_back(play: Reproduce, find: Find) -> None:
    """The last thing that anybody wrote is 2; the cache says 1."""
    outcome = play(find("cache/flask-caching-redis", "sync-4", "stale"))
    assert who_told(outcome, "R") == 1

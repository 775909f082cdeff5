"""Anomalies on demand on real servers: each shows every time, and what cannot happen is said to be impossible."""

from dataclasses import replace

import pytest

from reproducing import Find, Reproduce
from statelab.check.models.counter import verdict
from statelab.record.columns import History
from statelab.repro import narrate
from statelab.repro import outcome as outcome_module
from statelab.repro.outcome import Outcome
from statelab.repro.schedule import NO_GATE

pytestmark = pytest.mark.process

COLLISIONS = [
    ("module-global", "gthread"),  # two threads
    ("module-global", "gthread-2x4"),  # two threads of one process out of two
    ("mp-value", "gevent-2"),  # two greenlets of one process out of two
    ("redis-get-set", "gevent-2"),  # two greenlets and a store
    ("redis-get-set", "sync-4"),  # two processes and a store
    ("file", "sync-4"),  # two processes and a file
    ("file", "dev-threaded"),
    ("redis-incr-get", "gthread"),
    ("redis-incr-get", "sync-4"),
]


def told(outcome: Outcome) -> dict[str, object]:
    """What each client was told last."""
    return {str(operation.process): operation.result for operation in outcome.play.operations}


@pytest.mark.parametrize(("mechanism", "deployment"), COLLISIONS)
def test_it_shows_every_time(play: Reproduce, find: Find, mechanism: str, deployment: str) -> None:
    """Five times out of five: A is held, B overtakes it, both are told the same; the lab's judge names the anomaly."""
    target = find(f"counter/{mechanism}", deployment)
    assert target.red
    for _ in range(5):
        outcome = play(target)
        assert outcome.kind == "reproduced", narrate.conclusion(outcome)
        assert target.anomaly in outcome.judgement.anomalies
        answers = told(outcome)
        lost = 1 if target.anomaly == "lost-update" else 0
        assert (answers["A"], answers["B"], answers["R"]) == (4 - lost, 4 - lost, 4 - lost)
        assert verdict.check(History.from_operations(outcome.judged)).verdict == "violated"
        held, released = (next(e.at for e in outcome.play.events if e.what == what) for what in ("held", "released"))
        (overtaking,) = (operation for operation in outcome.play.operations if operation.process == "B")
        assert held < overtaking.start < (overtaking.end or 0) < released


@pytest.mark.parametrize(
    ("mechanism", "deployment"),
    [("module-global", "uwsgi-threads"), ("uwsgi-cache", "uwsgi-4"), ("module-global", "mod_wsgi-2x4")],
)
def test_it_shows_where_no_connection_stays_with_a_process(
    play: Reproduce, find: Find, monkeypatch: pytest.MonkeyPatch, mechanism: str, deployment: str
) -> None:
    """uWSGI closes each connection after its answer, httpd keeps it and passes each request on. All other threads are
    held when a request is to go to one process: at the first play, or once a request that came on a connection that
    stayed open went astray."""
    monkeypatch.setattr(outcome_module, "TRIES_TO_MEET", 2)
    for _ in range(3):
        outcome = play(find(f"counter/{mechanism}", deployment, "lost-update"))
        assert outcome.play.as_met
        assert outcome.kind == "reproduced", narrate.conclusion(outcome)
        answers = told(outcome)
        assert answers["A"] == answers["B"]


def test_a_lock_that_stops_its_own_holder(play: Reproduce, find: Find) -> None:
    """Under gevent nobody is answered although A was let go; afterwards the server is a new one, and answers."""
    outcome = play(find("counter/file-flock", "gevent-2"))
    assert outcome.kind == "reproduced", narrate.conclusion(outcome)
    ended = {operation.process: operation.timed_out for operation in outcome.play.operations}
    assert (ended["A"], ended["B"]) == (True, True)
    assert play(find("counter/redis-incr", "gevent-2")).kind == "cannot happen here"


@pytest.mark.parametrize(
    ("mechanism", "deployment", "waits", "reason"),
    [
        ("module-global", "sync", True, "one request after the other in one process"),
        ("module-global-lock", "gthread", True, "an update excludes every other"),
        ("redis-incr", "gthread", False, "an update excludes every other"),
        ("redis-watch", "gevent-2", False, "an update excludes every other"),
    ],
)
def test_what_cannot_happen(
    play: Reproduce, find: Find, mechanism: str, deployment: str, waits: bool, reason: str
) -> None:
    """B waits at the door or at the lock until A was let go, or passes and harms nobody; the reason is given."""
    outcome = play(find(f"counter/{mechanism}", deployment))
    assert outcome.kind == "cannot happen here", narrate.conclusion(outcome)
    assert ("waits" in [event.what for event in outcome.play.events]) is waits
    assert sorted(str(operation.result) for operation in outcome.play.operations) == ["1", "2", "3", "4", "4"]
    assert reason in narrate.conclusion(outcome)


@pytest.mark.parametrize(
    ("mechanism", "deployment"),
    [("module-global", "sync-4"), ("thread-local", "gthread"), ("mp-value", "gthread-2x4"), ("flask-g", "gevent-2")],
)
def test_what_needs_no_gate(play: Reproduce, find: Find, mechanism: str, deployment: str) -> None:
    """Copies, and what is kept for nobody, show with plain requests."""
    outcome = play(find(f"counter/{mechanism}", deployment))
    assert outcome.kind == "reproduced", narrate.conclusion(outcome)
    assert "held" not in [event.what for event in outcome.play.events]
    assert NO_GATE in narrate.conclusion(outcome)


def test_what_does_not_show_is_not_called_reproduced(play: Reproduce, find: Find) -> None:
    """A mechanism that holds, taken for one that loses updates: the judge finds nothing, and that is said."""
    outcome = play(replace(find("counter/redis-incr", "gthread"), anomaly="lost-update"))
    assert (outcome.kind, outcome.as_predicted) == ("not reproduced", False)
    assert narrate.conclusion(outcome).startswith("Not reproduced: lost-update is predicted.")


def test_a_violation_where_held_is_predicted_is_one(play: Reproduce, find: Find) -> None:
    """A mechanism that loses updates, taken for one that holds: either the lab or the theory has a bug."""
    target = find("counter/module-global", "gthread")
    outcome = play(replace(target, anomaly=None))
    assert (outcome.kind, outcome.as_predicted) == ("violated although held is predicted", False)


@pytest.mark.parametrize(
    ("mechanism", "deployment"),
    [
        ("module-global", "gthread"),
        ("module-global", "gthread-2x4"),
        ("sqlite-for-update", "sync-4"),
        ("redis-naive", "gevent-2"),
        ("redis-lock-short-lease", "sync-4"),
        ("postgres-naive", "gthread"),
    ],
)
def test_two_buyers_of_the_last_article(play: Reproduce, find: Find, mechanism: str, deployment: str) -> None:
    """A has looked and is held, B buys the last one, A is let go: three are sold of two, each time."""
    target = find(f"inventory/{mechanism}", deployment)
    for _ in range(3):
        outcome = play(target)
        assert outcome.kind == "reproduced", narrate.conclusion(outcome)
        assert outcome.judgement.anomalies == ["oversold"]
        answers = told(outcome)
        assert (answers["A"], answers["B"], answers["C"]) == ("ok", "ok", "ok")


@pytest.mark.parametrize(
    ("mechanism", "deployment"),
    [("redis-lua", "gthread"), ("postgres-for-update", "sync-4"), ("memcached-cas", "gevent-2")],
)
def test_the_last_article_is_sold_once(play: Reproduce, find: Find, mechanism: str, deployment: str) -> None:
    """The same order of requests: one of A and B gets it, the other is told sold-out."""
    outcome = play(find(f"inventory/{mechanism}", deployment))
    assert outcome.kind == "cannot happen here", narrate.conclusion(outcome)
    answers = told(outcome)
    assert sorted((str(answers["A"]), str(answers["B"]))) == ["ok", "sold-out"]


def test_every_process_sells_the_whole_stock(play: Reproduce, find: Find) -> None:
    """A lock in each of four processes: plain buyers are enough."""
    outcome = play(find("inventory/module-global-lock", "sync-4"))
    assert outcome.kind == "reproduced", narrate.conclusion(outcome)
    assert "held" not in [event.what for event in outcome.play.events]

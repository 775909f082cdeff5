"""Histories in which no answer says who gave it: what is proof all the same, and what is not known."""

from counter_histories import history, inc, read, server
from statelab.check.judges.counter import judge
from statelab.check.judges.judgement import Expectation, anonymous, without_identity
from statelab.record.columns import History

TWO = Expectation(expected_processes=2, spread=frozenset({"processes"}))
RIGHT = history(inc(0, 5, 1), inc(3, 8, 2), read(9, 10, 2))
TOLD_TWICE = history(inc(0, 5, 1), inc(3, 8, 1), read(9, 10, 1))


def test_a_violation_is_proof_and_nobody_knows_how_far_it_reaches() -> None:
    judged = without_identity(judge(TOLD_TWICE, TWO))
    assert (judged.verdict, judged.anomalies) == ("violated", ["lost-update"])
    assert judged.witness
    assert judged.scope
    assert judged.scope.startswith("unknown: no answer says who gave it")
    assert not judged.coverage.known
    assert judged.coverage.overlaps == 1  # the clients' own clock knows


def test_without_one_nothing_is_known() -> None:
    judged = without_identity(judge(RIGHT, TWO))
    assert (judged.verdict, judged.scope, judged.coverage.known) == ("unknown", None, False)
    assert "app.wsgi_app = statelab.identity.wrap(app.wsgi_app)" in judged.reason


def test_who_is_anonymous() -> None:
    """Nobody was named, and somebody answered; one name is enough for the coverage to be counted."""
    assert anonymous(RIGHT)
    assert not anonymous(history(inc(0, 5, 1, server()), read(9, 10, 1)))
    assert not anonymous(History.from_operations([]))

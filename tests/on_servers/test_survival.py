"""What state outlives: the rule, and every kind of place tried on real servers."""

import pytest

from statelab.cli.survive import survived
from statelab.core.paths import DEPLOYMENTS
from statelab.core.results import ENDINGS, Survival
from statelab.drive.survival import EXIT_CONTRADICTED, EXIT_UNAVAILABLE, exit_code, fit
from statelab.plan.catalogue import Claims
from statelab.plan.deployments import load_all
from statelab.theory.rule import outlives

KEPT = {
    "flask-g": set(),
    "module-global": {"request"},
    "mp-manager-lock": {"request", "worker"},
    "file-flock": {"request", "worker", "server", "everything"},
    "sqlite-update": {"request", "worker", "server", "everything"},
    "memcached-incr": {"request", "worker", "server", "host"},
    "redis-incr": {"request", "worker", "server", "host"},
    "postgres-update": {"request", "worker", "server", "store", "everything", "host"},
}
"""What each of them outlives; those that need no store have none that could end."""


def claims(survives: str | None, store: str | None = None) -> Claims:
    return Claims(shared_across=frozenset(), atomic_across=frozenset(), survives=survives, store=store)


@pytest.mark.parametrize(
    ("survives", "store", "kept"),
    [
        (None, None, ""),
        ("request", None, "request"),
        ("worker", None, "request worker"),
        ("server", None, "request worker server everything"),
        ("server", "redis", "request worker server"),
        ("store", "postgres", "request worker server store everything"),
    ],
)
def test_the_rule(survives: str | None, store: str | None, kept: str) -> None:
    """What outlives something outlives all that is smaller; everything at once includes the store, if there is one."""
    assert [ending for ending in ENDINGS if outlives(claims(survives, store), ending)] == kept.split()
    assert (outlives(claims(survives, store), "store") is None) == (store is None)


def tried(**changes: object) -> Survival:
    plain = {"mechanism": "m", "ending": "worker", "predicted": True, "counted": 3, "found": 3}
    return Survival(**(plain | changes))  # type: ignore[arg-type]


def test_a_disagreement_and_what_could_not_be_tried_are_no_success() -> None:
    """Kept as predicted is 0; lost or kept against the rule is 1; what has no answer is 3, unless nothing could end."""
    assert exit_code([tried()]) == 0
    assert exit_code([tried(found=0, predicted=False)]) == 0
    assert exit_code([tried(), tried(found=2)]) == EXIT_CONTRADICTED
    assert exit_code([tried(predicted=False)]) == EXIT_CONTRADICTED
    assert exit_code([tried(found=None, reason="redis is missing")]) == EXIT_UNAVAILABLE
    assert exit_code([tried(found=None, predicted=None)]) == 0


def test_where_it_is_tried() -> None:
    """One request after the other in one process of gunicorn: what is not there is lost, and not elsewhere."""
    deployment = fit(load_all(DEPLOYMENTS).values())
    assert deployment
    assert (deployment.server, deployment.spread, deployment.expected_processes) == ("gunicorn", frozenset(), 1)
    assert fit([]) is None


@pytest.mark.process
def test_what_is_really_left() -> None:
    """Worker, server, stores, everything and a host are ended for real; what is left is what the table above says."""
    _, found = survived(list(KEPT))
    assert {each.mechanism: each.reason for each in found if each.kept is None and each.predicted is not None} == {}
    kept = {name: {each.ending for each in found if each.mechanism == name and each.kept} for name in KEPT}
    assert kept == KEPT
    assert all(each.agrees for each in found)
    assert len(found) == len(KEPT) * len(ENDINGS)

"""What a second host changes, and a balancer that keeps each client at one of them: the rule, without a server."""

import pytest

from offered import offered
from statelab.core.paths import DEPLOYMENTS
from statelab.plan.catalogue import Claims
from statelab.plan.deployments import load_all
from statelab.theory.rule import outlives, predict

ONE_HOST, ROUND_ROBIN, STICKY = "gthread-2x4", "replicas-2-round-robin", "replicas-2-sticky"
DEPLOYED = load_all(DEPLOYMENTS, (ROUND_ROBIN, STICKY))
NOTHING: frozenset[str] = frozenset()
PROCESS = frozenset({"requests", "greenlets", "threads"})
HOST = PROCESS | {"processes"}
CLUSTER = HOST | {"hosts"}

ADDED = {
    "divergent": "mp-manager mp-manager-lock shared-memory file file-flock sqlite-read-write sqlite-update "
    "sqlite-immediate diskcache flask-caching-filesystem cachelib-inc-filesystem gunicorn-stash gunicorn-dirty-actor "
    "uwsgi-cache uwsgi-cache-inc uwsgi-sharedarea uwsgi-sharedarea-wlock",
    "two-holders": "file-flock uwsgi-lock",
    "oversold": "sqlite-conditional-update",
    "ran-n-times": "lazy-init-file-lock apscheduler-leader-file",
    "logged-out": "flask-session-filesystem flask-session-sqlalchemy flask-session-sqlalchemy-autoincrement "
    "flask-session-sqlalchemy-by-session-id",
}
"""By the anomaly that a second host adds, the mechanisms that did not have it under the same server on one host."""


def predicted(workload: str, mechanism: str, deployment: str) -> list[str]:
    about = offered().workloads[workload]
    return list(predict(about.mechanisms[mechanism].claims, DEPLOYED[deployment], "io", about.shows).anomalies)


def test_what_the_env_files_say() -> None:
    """Two hosts of two processes of four threads; the cookie lies between two clients, not between requests of one."""
    for name in (ROUND_ROBIN, STICKY):
        deployment = DEPLOYED[name]
        assert (deployment.spread, deployment.expected_processes) == ({"hosts", "processes", "threads"}, 4)
        assert deployment.replicas == [f"{name}-1", f"{name}-2"]
    assert DEPLOYED[ROUND_ROBIN].between_clients == DEPLOYED[ONE_HOST].between_clients == NOTHING
    assert DEPLOYED[STICKY].between_clients == {"hosts"}


@pytest.mark.parametrize(
    ("shared", "atomic", "keyed", "one_host", "round_robin", "sticky"),
    [
        (CLUSTER, CLUSTER, False, [], [], []),
        (CLUSTER, NOTHING, False, ["lost-update"], ["lost-update"], ["lost-update"]),
        (HOST, HOST, False, [], ["divergent"], ["divergent"]),
        (HOST, HOST, True, [], ["divergent"], []),
        (HOST, NOTHING, True, ["lost-update"], ["divergent", "lost-update"], ["lost-update"]),
        (PROCESS, PROCESS, True, ["divergent"], ["divergent"], ["divergent"]),
        (CLUSTER, HOST, False, [], ["lost-update"], ["lost-update"]),
        (CLUSTER, HOST, True, [], ["lost-update"], []),
    ],
)
def test_a_promise_per_client_holds_where_a_shared_one_does_not(
    shared: frozenset[str],
    atomic: frozenset[str],
    keyed: bool,
    one_host: list[str],
    round_robin: list[str],
    sticky: list[str],
) -> None:
    """Sticky sessions hide the host boundary from state that only one client reaches, and from nothing else."""
    claims = Claims(shared_across=shared, atomic_across=atomic, survives="server", keyed=keyed)
    found = [predict(claims, DEPLOYED[name], "io") for name in (ONE_HOST, ROUND_ROBIN, STICKY)]
    assert [list(each.anomalies) for each in found] == [one_host, round_robin, sticky]
    assert all(each.guaranteed for each in found if not each.anomalies)


def test_what_a_second_host_adds_to_each_mechanism_of_the_lab() -> None:
    """Only what the table above says; round robin and sticky differ for sessions alone, which are kept for a client."""
    added: dict[str, list[str]] = {}
    for workload, about in offered().workloads.items():
        for mechanism in about.mechanisms:
            one, turns, sticky = (predicted(workload, mechanism, name) for name in (ONE_HOST, ROUND_ROBIN, STICKY))
            assert sticky == (one if workload == "session" else turns)
            for anomaly in turns:
                if anomaly not in one:
                    added.setdefault(anomaly, []).append(mechanism)
            assert {*one} <= {*turns}
    assert {anomaly: " ".join(mechanisms) for anomaly, mechanisms in added.items()} == ADDED


@pytest.mark.parametrize(("shared", "kept"), [(CLUSTER, True), (HOST, False), (PROCESS, False)])
def test_what_outlives_a_host(shared: frozenset[str], kept: bool) -> None:
    """State is left when its host is gone if other hosts have it as well."""
    claims = Claims(shared_across=shared, atomic_across=NOTHING, survives="server")
    assert outlives(claims, "host") is kept

"""Which cells are red, and what is played for each: what the theory says and nothing else."""

import pytest

from statelab.catalogue import Catalogue
from statelab.deployments import Deployment
from statelab.errors import BadInput
from statelab.history import ServedBy
from statelab.repro import SCRIPTS
from statelab.repro.targets import targets
from statelab.results import ANOMALIES
from statelab.theory import predict

COLLISIONS = {"lost-update", "misreported", "stalled"}


def test_red_is_what_the_theory_predicts_to_collide(catalogue: Catalogue, deployments: dict[str, Deployment]) -> None:
    """Every cell predicted to lose, misreport or stall is red, no other is, and no cell is left out."""
    found = targets(catalogue, deployments, "", [])
    assert len(found) == sum(len(catalogue.workloads[name].mechanisms) for name in SCRIPTS) * len(deployments)
    for target in found:
        about = catalogue.workloads[target.workload]
        faults = predict(about.mechanisms[target.mechanism].claims, target.deployment, "io").anomalies
        predicted = target.prediction.anomalies
        assert target.red is bool(COLLISIONS & set(faults))
        assert target.anomaly in predicted if predicted else target.anomaly is None
        assert target.anomaly == about.shows.get(target.fault or "")


def test_what_needs_a_gate_comes_before_what_shows_by_itself(
    catalogue: Catalogue, deployments: dict[str, Deployment]
) -> None:
    """Of a cell that diverges and loses updates the lost update is shown."""
    (target,) = targets(catalogue, deployments, "counter/module-global", ["gthread-2x4"])
    assert set(target.prediction.anomalies) == {"divergent", "lost-update"}
    assert target.anomaly == "lost-update"


def test_deployment_by_deployment(catalogue: Catalogue, deployments: dict[str, Deployment]) -> None:
    """A server is needed for one stretch only."""
    order = [target.deployment.name for target in targets(catalogue, deployments, "", [])]
    assert list(dict.fromkeys(order)) == list(deployments)
    assert order == sorted(order, key=list(deployments).index)


@pytest.mark.parametrize("workload", SCRIPTS)
def test_every_schedule_is_one_of_an_anomaly(workload: str) -> None:
    """The table has no key that no prediction can name, and a held request is always let go."""
    script = SCRIPTS[workload]
    assert set(script.schedules) <= set(ANOMALIES)
    for schedule in [*script.schedules.values(), script.attempt]:
        kinds = [type(step).__name__ for step in schedule.steps]
        assert kinds.count("Hold") == kinds.count("Release")
        assert bool(schedule.held_where) is schedule.gated


def test_scripts_are_of_workloads_that_there_are(catalogue: Catalogue) -> None:
    """A schedule belongs to a workload of the catalogue; one without schedules is left out, not failed."""
    assert {"counter"} <= set(SCRIPTS) <= set(catalogue.workloads)


def test_whose_copy_a_server_has(catalogue: Catalogue, deployments: dict[str, Deployment]) -> None:
    """What the state crosses parts no copies: a process has one of a global, everybody has the same in Redis."""
    one = ServedBy("h", 1, 1, 0, "a")
    other_thread, other_process = ServedBy("h", 1, 2, 0, "a"), ServedBy("h", 2, 1, 0, "b")
    (in_memory,) = targets(catalogue, deployments, "counter/module-global", ["gthread-2x4"])
    (in_redis,) = targets(catalogue, deployments, "counter/redis-get-set", ["gthread-2x4"])
    (in_thread,) = targets(catalogue, deployments, "counter/thread-local", ["gthread-2x4"])
    assert in_memory.copy_of(one) == in_memory.copy_of(other_thread) != in_memory.copy_of(other_process)
    assert in_redis.copy_of(one) == in_redis.copy_of(other_process)
    assert len({in_thread.copy_of(server) for server in (one, other_thread, other_process)}) == 3


@pytest.mark.parametrize(
    ("cell", "deployment", "named"),
    [
        ("counter", [], "WORKLOAD/MECHANISM"),
        ("tally/module-global", [], "valid are counter"),
        ("counter/magic", [], "module-global"),
        ("counter/module-global", ["nginx"], "gthread-2x4"),
    ],
)
def test_unknown_names(
    catalogue: Catalogue, deployments: dict[str, Deployment], cell: str, deployment: list[str], named: str
) -> None:
    """What does not exist is refused with what does."""
    with pytest.raises(BadInput, match=named):
        targets(catalogue, deployments, cell, deployment)

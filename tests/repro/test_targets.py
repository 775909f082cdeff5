"""Which cells are red, and what is played for each: what the theory says and nothing else."""

import pytest

from statelab.cli import repro
from statelab.core.errors import BadInput
from statelab.core.operation import ServedBy
from statelab.core.results import ANOMALIES
from statelab.plan.app import App
from statelab.plan.catalogue import Catalogue
from statelab.plan.deployments import Deployment
from statelab.repro import script_of
from statelab.repro.schedule import Hold, Release
from statelab.repro.targets import NOBODY_CHOOSES, played, targets
from statelab.theory.rule import predict
from webapp.catalogue import WORKLOADS


def test_every_predicted_anomaly_is_played_or_said_why_not(
    catalogue: Catalogue, deployments: dict[str, Deployment]
) -> None:
    """Every workload's every cell has a target for each anomaly that the theory predicts, and no other; it is held at a
    gate, shows by itself, or has a reason."""
    found: dict[tuple[str, str, str], list[str | None]] = {}
    for target in targets(catalogue, deployments, "", []):
        found.setdefault(target.cell, []).append(target.anomaly)
        assert target.unplayed or target.schedule.steps
    expected = {
        (workload, mechanism, deployment.name): predict(claims.claims, deployment, "io", about.shows).anomalies
        for workload, about in catalogue.workloads.items()
        for mechanism, claims in about.mechanisms.items()
        for deployment in deployments.values()
    }
    assert {cell: set(names) for cell, names in found.items()} == {
        cell: set(names) or {None} for cell, names in expected.items()
    }
    assert all(len(names) == len(set(names)) for names in found.values())


def test_what_is_not_played_is_little(catalogue: Catalogue, deployments: dict[str, Deployment]) -> None:
    """A clock, which nobody can hold; a memcached that is late with one connection; a cookie that one of four processes
    knows; a queue behind requests that wait, which nobody can order."""
    unplayed = [target for target in targets(catalogue, deployments, "", []) if target.unplayed]
    queued = {target.mechanism for target in unplayed if target.fault == "queued"}
    shared = {f"{store}-{how}" for store in ("redis", "memcached") for how in ("global", "before-fork")}
    assert queued == shared | {"memcached-pool-before-fork"}
    unplayed = [target for target in unplayed if target.fault != "queued"]
    assert {(target.workload, target.mechanism) for target in unplayed} == {
        ("unique-id", "milliseconds"),
        ("session", "signed-cookie-random-key"),
        ("connection", "memcached-global"),
        ("connection", "memcached-before-fork"),
        ("connection", "memcached-pool-before-fork"),  # in uwsgi-threads: processes that inherit it, each with threads
    }
    cookies = [target for target in unplayed if target.workload == "session"]
    assert {(target.deployment.name, target.unplayed) for target in cookies} == {("sync-4", NOBODY_CHOOSES)}


def test_red_is_what_a_gate_shows(catalogue: Catalogue, deployments: dict[str, Deployment]) -> None:
    """What collides is red in every workload; where several faults are one anomaly, one that a gate shows is chosen."""
    for target in targets(catalogue, deployments, "", []):
        about = catalogue.workloads[target.workload]
        faults = predict(
            about.mechanisms[target.mechanism].claims, target.deployment, "io", {name: name for name in about.shows}
        ).anomalies
        gated = {
            about.shows[fault]
            for fault in faults
            if fault in target.script.schedules and target.script.schedules[fault].gated
            if target.mechanism not in target.script.unheld
        }
        if target.unplayed is None:
            assert target.red is (target.anomaly in gated)


def test_what_needs_a_gate_comes_before_what_shows_by_itself(
    catalogue: Catalogue, deployments: dict[str, Deployment]
) -> None:
    """Of a cell that diverges and loses updates the lost update is shown."""
    both = targets(catalogue, deployments, "counter/module-global", ["gthread-2x4"])
    assert {target.anomaly for target in both} == {"divergent", "lost-update"}
    assert [target.anomaly for target in played(both)] == ["lost-update"]


def test_a_cell_may_show_several(catalogue: Catalogue, deployments: dict[str, Deployment]) -> None:
    """A cache that is stale and stampedes has a schedule for each."""
    found = played(targets(catalogue, deployments, "cache/flask-caching-redis", ["sync-4"]))
    assert [target.anomaly for target in found] == ["stale", "stampede"]
    assert all(target.red for target in found)


def test_nothing_to_play_says_why(catalogue: Catalogue, deployments: dict[str, Deployment]) -> None:
    """The one cell in which a gate shows nothing is refused with the reason."""
    with pytest.raises(BadInput, match=r"unique-id/milliseconds on gthread: duplicate-id is not shown here: .* clock"):
        played(targets(catalogue, deployments, "unique-id/milliseconds", ["gthread"]))


def test_deployment_by_deployment(catalogue: Catalogue, deployments: dict[str, Deployment]) -> None:
    """A server is needed for one stretch only."""
    order = [target.deployment.name for target in targets(catalogue, deployments, "", [])]
    assert list(dict.fromkeys(order)) == list(deployments)
    assert order == sorted(order, key=list(deployments).index)


@pytest.mark.parametrize("workload", WORKLOADS)
def test_every_schedule_is_one_of_a_fault(workload: str, catalogue: Catalogue) -> None:
    """The table has no key that no prediction can name, and a held request is always let go, after its hold."""
    script = script_of(workload)
    assert set(script.schedules) <= set(catalogue.workloads[workload].shows)
    assert set(script.unheld) <= set(catalogue.workloads[workload].mechanisms)
    for schedule in [*script.schedules.values(), script.attempt]:
        held = [step.who for step in schedule.steps if isinstance(step, Hold)]
        assert held == [step.who for step in schedule.steps if isinstance(step, Release)]
        assert bool(schedule.held_where) is schedule.gated
    assert script.attempt.gated


def test_every_anomaly_has_a_name(catalogue: Catalogue, deployments: dict[str, Deployment]) -> None:
    assert {target.anomaly for target in targets(catalogue, deployments, "", [])} - {None} <= set(ANOMALIES)


def test_whose_copy_a_server_has(catalogue: Catalogue, deployments: dict[str, Deployment]) -> None:
    """What the state crosses parts no copies: a process has one of a global, everybody has the same in Redis."""
    one = ServedBy("h", 1, 1, 0, "a")
    other_thread, other_process = ServedBy("h", 1, 2, 0, "a"), ServedBy("h", 2, 1, 0, "b")
    in_memory, in_redis, in_thread = (
        targets(catalogue, deployments, f"counter/{mechanism}", ["gthread-2x4"])[0]
        for mechanism in ("module-global", "redis-get-set", "thread-local")
    )
    assert in_memory.copy_of(one) == in_memory.copy_of(other_thread) != in_memory.copy_of(other_process)
    assert in_redis.copy_of(one) == in_redis.copy_of(other_process)
    assert len({in_thread.copy_of(server) for server in (one, other_thread, other_process)}) == 3


@pytest.mark.parametrize(
    ("cell", "deployment", "meet"),
    [
        ("counter/redis-get-set", "gthread-2x4", {"thread", "process"}),
        ("counter/module-global", "gthread-2x4", {"thread"}),
        ("once/apscheduler-every-worker", "gthread-2x4", {"process"}),  # a scheduler does what is due once
    ],
)
def test_where_two_meet(
    catalogue: Catalogue, deployments: dict[str, Deployment], cell: str, deployment: str, meet: set[str]
) -> None:
    """In one copy of the state, and not where the mechanism itself keeps them apart."""
    one, thread, process = (ServedBy("h", *ids, 0, boot) for *ids, boot in ((1, 1, "a"), (1, 2, "a"), (2, 1, "b")))
    (target,) = played(targets(catalogue, deployments, cell, [deployment]))
    others = {"thread": thread, "process": process}
    assert {name for name, other in others.items() if target.fits(one, other, "one-copy")} == meet
    assert target.fits(one, thread, "one-process")
    assert not target.fits(one, process, "one-process")
    assert target.fits(one, process, "two-copies") is (cell == "counter/module-global")


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


def test_all_means_every_cell_in_which_requests_must_meet() -> None:
    """Held at a gate, or many at once where no gate stands; copies that merely differ are not among them."""
    cells = {target.cell for target in repro._chosen(App(), "", [], everything=True, profile=None)}
    assert {
        ("counter", "module-global", "gthread"),
        ("connection", "memcached-global", "gthread"),
        ("connection", "memcached-pool-before-fork", "sync-4-preload"),
        ("connection", "postgres-pool-before-fork", "sync-4-preload"),
    } <= cells
    assert ("counter", "module-global", "sync-4") not in cells
    assert ("counter", "redis-incr", "gthread") not in cells


def test_a_fork_hands_down_what_was_made_before_it(catalogue: Catalogue, deployments: dict[str, Deployment]) -> None:
    """Only what is claimed to be inherited, and only where the server forks after the import."""
    (forked,) = targets(catalogue, deployments, "counter/mp-value", ["sync-4-preload"])
    (alone,) = targets(catalogue, deployments, "counter/mp-value", ["sync-4"])
    (stored,) = targets(catalogue, deployments, "counter/redis-incr", ["sync-4-preload"])
    assert [target.handed_down for target in (forked, alone, stored)] == [True, False, False]

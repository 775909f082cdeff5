"""The verdict of cells that three machines recorded whose clocks are an hour apart."""

import random

import msgspec
import pytest

from clocks import APART
from counter_histories import MS
from simulated_cells import Deployment, simulate
from statelab.check.judges import judge_of
from statelab.check.judges.judgement import Expectation
from statelab.check.judges.several_clocks import judge
from statelab.core.operation import Operation
from statelab.record.columns import History
from statelab.repro.live.clocks import Clock, Placed, place

THREADS = Expectation(expected_processes=1, spread=frozenset({"threads"}))


def recorded_apart(operations: list[Operation], seed: int, delay: int) -> list[Placed]:
    """What each machine recorded of its clients, on the master's clock. The last reads are the master's own."""
    rng, found = random.Random(seed), []
    last = max(one.end or 0 for one in operations)
    for number, machine in enumerate(APART):
        mine = [machine.recorded(one) for one in operations if int(one.process) % len(APART) == number]
        exchanges = machine.exchanges(range(0, last + 100 * MS, 20 * MS), rng, delay)
        found.append(place(mine, Clock(exchanges), frozenset({"increment"}), since=0))
    return found


def judged_apart(operations: list[Operation], seed: int, delay: int) -> tuple[str, list[str], str]:
    parts = recorded_apart(operations, seed, delay)
    histories = [
        History.from_operations([one for part in parts for one in getattr(part, name)])
        for name in ("widened", "likely")
    ]
    judged = judge("counter", *histories, THREADS, max(part.most_ns for part in parts))
    return judged.verdict, judged.anomalies, judged.witness.text if judged.witness else judged.reason


@pytest.mark.parametrize("seed", range(8))
def test_the_same_verdict_as_with_one_clock(seed: int) -> None:
    """A counter that loses updates is violated, one that does not is held, whatever the clocks show."""
    for deployment in (Deployment(threads=4), Deployment(threads=4, atomic=False)):
        operations = simulate(deployment, random.Random(seed)).operations()
        one_clock = judge_of("counter")(History.from_operations(operations), THREADS)
        verdict, anomalies, said = judged_apart(operations, seed, delay=20_000)
        assert (verdict, anomalies) == (one_clock.verdict, one_clock.anomalies), said
        assert "several clocks" in said or "beyond these bounds" in said or "needs no clock" in said


@pytest.mark.parametrize("seed", range(20))
def test_a_slow_network_makes_no_violation(seed: int) -> None:
    """Bounds as wide as the operations are long: a valid counter is never violated, and is called held only where the
    middle of the bounds says so too."""
    operations = simulate(Deployment(threads=4, unanswered=0.1), random.Random(seed)).operations()
    verdict, _, said = judged_apart(operations, seed, delay=4 * MS)
    assert verdict != "violated", said


def test_what_only_the_middle_of_the_bounds_shows_is_unknown() -> None:
    """A read of 0 that began 1 ms after an increment had ended; the clocks may differ by 2 ms."""
    true = [
        Operation(process=1, op="increment", start=0, end=2 * MS, status="ok", result=1),
        Operation(process=2, op="read", start=3 * MS, end=4 * MS, status="ok", result=0),
        Operation(process=3, op="read", start=9 * MS, end=10 * MS, status="ok", result=1),
    ]
    wider = [msgspec.structs.replace(one, start=one.start - MS, end=(one.end or 0) + MS) for one in true]
    found = judge("counter", History.from_operations(wider), History.from_operations(true), THREADS, 2 * MS)
    assert found.verdict == "unknown"
    assert "not known closely enough" in found.reason
    closer = judge("counter", History.from_operations(true), History.from_operations(true), THREADS, 0)
    assert closer.verdict == "violated"
    assert closer.witness
    assert closer.witness.text.endswith("beyond these bounds they would have to be wrong by more than 1.000 ms.")


def test_stamps_of_the_apps_hosts_prove_nothing_across_machines() -> None:
    """Two holders at one moment, by clocks that nobody has compared."""
    work = [
        Operation(process=n, op="work", start=n, end=90 + n, status="ok", result=[10 + n, 80 + n], key="k")
        for n in (1, 2)
    ]
    history = History.from_operations(work)
    assert judge_of("lock")(history, THREADS).verdict == "violated"
    found = judge("lock", history, history, THREADS, 0)
    assert (found.verdict, found.witnesses) == ("unknown", {})
    assert "stamped by the app's hosts" in found.reason

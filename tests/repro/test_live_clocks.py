"""Stamps of other machines on the master's clock: the bounds contain the truth, are close, and notice a step."""

import random
from fractions import Fraction

import msgspec
import numpy as np
import pytest

from clocks import APART, HOUR, Machine
from statelab.core.clocks import Exchange
from statelab.core.operation import Operation
from statelab.repro.live.clocks import RESOLUTION_NS, Clock, place

MS = 1_000_000
CHANGES = frozenset({"increment"})


def inc(start: int, end: int | None, told: int | None = 1) -> Operation:
    status = "info" if end is None else "ok"
    return Operation(process=1, op="increment", start=start, end=end, status=status, key="k", result=told)


def test_one_exchange_bounds_the_offset_by_its_round_trip() -> None:
    """The recorder is 1,000 ahead. It asks at 1,100 and is answered at 1,180; the master's part was from 130 to 150."""
    exchange = Exchange(sent=1_100, received=130, answered=150, got=1_180)
    clock, stamps = Clock([exchange]), np.array([1_100, 1_180])
    assert exchange.bound_ns == 30
    assert clock.latest(stamps)[0] == 130 + RESOLUTION_NS
    assert clock.earliest(stamps)[1] == 150 - RESOLUTION_NS
    assert clock.bound_ns == 30
    assert clock.until is None


def test_the_bounds_part_with_the_distance_from_an_exchange_by_the_drift() -> None:
    """A second later each of them is 1,000 ppm looser."""
    clock = Clock([Exchange(0, 0, 0, 0)])
    second = np.array([10**9])
    assert clock.latest(second)[0] - 10**9 == MS + RESOLUTION_NS
    assert 10**9 - clock.earliest(second)[0] == MS + RESOLUTION_NS


def test_between_two_exchanges_both_bound() -> None:
    """Half way between exchanges two seconds apart the bound is that of one second, not of two."""
    clock = Clock([Exchange(0, 0, 0, 0), Exchange(2 * 10**9, 2 * 10**9, 2 * 10**9, 2 * 10**9)])
    assert clock.latest(np.array([10**9]))[0] - 10**9 == MS + RESOLUTION_NS
    assert clock.latest(np.array([2 * 10**9 - 1000]))[0] - 2 * 10**9 + 1000 == 1 + RESOLUTION_NS


@pytest.mark.parametrize("machine", APART)
@pytest.mark.parametrize("seed", range(3))
def test_the_true_moment_lies_between_the_bounds(machine: Machine, seed: int) -> None:
    """For clocks an hour apart that drift, before, between and after exchanges over a network that takes up to 0.2 ms;
    and between exchanges the bounds are closer than 0.3 ms and what may drift in 0.1 s."""
    rng = random.Random(seed)
    clock = Clock(machine.exchanges(range(10**9, 10**10, 10**8), rng, delay=200_000))
    true = np.array([rng.randrange(11 * 10**9) for _ in range(2000)])
    shown = np.array([machine.shows(at) for at in true.tolist()])
    low, high = clock.earliest(shown), clock.latest(shown)
    assert (low <= true).all()
    assert (true <= high).all()
    inside = (true > 10**9) & (true < 99 * 10**8)
    assert (high - low)[inside].max() < 700_000 + 2 * 100_000
    assert (np.diff(clock.earliest(np.sort(shown))) >= 0).all()  # the order of a client's starts stays
    assert clock.until is None


def test_a_wrong_offset_is_caught() -> None:
    """With exchanges of a machine whose clock is a millisecond off, the truth lies outside."""
    wrong = Machine(zero=APART[0].zero + MS, rate=APART[0].rate)
    clock = Clock(wrong.exchanges(range(10**9, 10**10, 10**8), random.Random(1), delay=200_000))
    assert clock.latest(np.array([APART[0].shows(5 * 10**9)]))[0] < 5 * 10**9


@pytest.mark.parametrize("step", [2 * MS, -2 * MS, HOUR, -HOUR])
def test_a_step_is_noticed_and_what_came_after_has_no_bounds(step: int) -> None:
    """The clock steps between two exchanges. Of what it stamped later nothing is known, what ended before stays; after
    a step back so far that stamps come again, nothing is."""
    machine = Machine(zero=2 * HOUR, steps_at=5_050 * MS, step=step)
    clock = Clock(machine.exchanges(range(10**9, 10**10, 10**8), random.Random(1), delay=200_000))
    true = [inc(4_000 * MS, 4_001 * MS), inc(5_020 * MS, 5_120 * MS), inc(6_000 * MS, 6_001 * MS, told=3)]
    placed = place([machine.recorded(one) for one in true], clock, CHANGES, since=0)
    assert clock.stepped
    known = step > -HOUR
    assert [one.status for one in placed.widened] == ["ok" if known else "info", "info", "info"]
    assert placed.unplaced == (2 if known else 3)
    assert [one.result for one in placed.widened[1:]] == [None, None]
    assert all(one.start <= each.start for one, each in zip(placed.widened, true, strict=True))


def test_a_clock_faster_than_allowed_counts_as_stepped() -> None:
    """One percent is ten times what NTP may do to two clocks."""
    machine = Machine(rate=Fraction(101, 100))
    assert Clock(machine.exchanges(range(10**9, 10**10, 10**8), random.Random(1), delay=1000)).stepped


def test_without_exchanges_nothing_is_known() -> None:
    """A change has an unknown outcome from the begin of the run on; a read is no evidence."""
    read = msgspec.structs.replace(inc(70, 80, told=7), op="read")
    placed = place([inc(50, 60), read], Clock([]), CHANGES, since=40)
    assert [(one.status, one.start, one.end, one.result) for one in placed.widened] == [
        ("info", 40, None, None),
        ("fail", 40, None, None),
    ]

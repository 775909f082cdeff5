"""A wider interval can hide a violation and never makes one: for every model, on random histories."""

import importlib
import random

import msgspec
import pytest

from agreement import HISTORIES, columns, judged, loosened, side_by_side
from clocks import APART, Machine
from models.known import Known, Operations
from statelab.check.models import MODELS
from statelab.core.clocks import Exchange
from statelab.repro.live.clocks import Clock, place

US, MS = 1000, 1_000_000
SEED = 20_261_126
KNOWN: list[Known] = [importlib.import_module(f"models.{name.replace('-', '_')}").KNOWN for name in MODELS]
OF_CLIENTS = ("mutex", "session")
"""The models to which it matters who asks: all that a client does is recorded by one machine."""
EVERY = pytest.mark.parametrize("known", KNOWN, ids=list(MODELS))


def true_histories(known: Known, rng: random.Random, count: int) -> list[Operations]:
    """Random histories whose stamps are microseconds of the master's clock, from 1 s on; some of much that overlaps."""
    drawn = [(loosened(known) if number % 2 else known).small(rng) for number in range(count)]
    return [
        [
            msgspec.structs.replace(
                one, start=10**9 + US * one.start, end=None if one.end is None else 10**9 + US * one.end
            )
            for one in history
        ]
        for history in drawn
    ]


def on_the_masters_clock(
    known: Known, operations: Operations, machines: list[Machine], exchanges: list[list[Exchange]]
) -> Operations:
    """The operations as each machine recorded them, placed by what was exchanged; in the old order."""
    spread = random.Random(SEED)
    client: dict[str | int, int] = {}
    number = [
        client.setdefault(one.process if known.model.name in OF_CLIENTS else row, spread.randrange(len(machines)))
        for row, one in enumerate(operations)
    ]
    placed = []
    for own, (machine, exchanges_of) in enumerate(zip(machines, exchanges, strict=True)):
        recorded = [machine.recorded(one) for one, which in zip(operations, number, strict=True) if which == own]
        placed.append(iter(place(recorded, Clock(exchanges_of), known.model.changes, since=0).widened))
    return [next(placed[which]) for which in number]


def exchanged(machine: Machine, rng: random.Random, delay: int) -> list[Exchange]:
    """Before, during and after a second in which histories are recorded."""
    return machine.exchanges(range(10**9 - 50 * US, 10**9 + 100 * US, 15 * US), rng, delay)


def wrong_ones(known: Known, operations: Operations) -> set[str]:
    """The keys that are violated."""
    history = columns(known.model, operations)
    return {history.keys[code] for code in judged(known, history).violated_keys}


@EVERY
@pytest.mark.parametrize("delay", [0, US, 4 * US])
def test_what_is_violated_on_widened_intervals_is_violated_on_the_true_ones(known: Known, delay: int) -> None:
    """Each history is recorded by three machines an hour apart, of which two drift, over a network that takes up to so
    long. No valid one is called violated. The models that need no clock find all; the others fewer, the longer the
    network takes."""
    rng = random.Random(f"{SEED} {known.model.name} {delay}")
    operations = side_by_side(true_histories(known, rng, HISTORIES // 3))
    found = on_the_masters_clock(known, operations, APART, [exchanged(each, rng, delay) for each in APART])
    truly, widened = wrong_ones(known, operations), wrong_ones(known, found)
    assert widened <= truly
    assert len(widened) > len(truly) / 20
    if not known.clocks:
        assert widened == truly


@EVERY
def test_one_that_steps_makes_no_violation(known: Known) -> None:
    """A clock that steps in the middle: what follows has an unknown outcome, and that is no violation either."""
    rng = random.Random(f"{SEED} {known.model.name}")
    operations = side_by_side(true_histories(known, rng, HISTORIES // 6))
    machines = [APART[0], Machine(zero=7, steps_at=10**9 + 6 * US, step=10 * US), APART[2]]
    exchanges = [exchanged(each, rng, US) for each in machines]
    assert [Clock(each).stepped for each in exchanges] == [False, True, False]
    found = on_the_masters_clock(known, operations, machines, exchanges)
    assert wrong_ones(known, found) <= wrong_ones(known, operations)


def test_a_wrong_offset_makes_violations_which_the_test_above_would_see() -> None:
    """Exchanges that say one machine is three microseconds further than it is."""
    counter = next(known for known in KNOWN if known.model.name == "counter")
    rng = random.Random(SEED)
    operations = side_by_side(true_histories(counter, rng, HISTORIES // 3))
    exchanges = [exchanged(each, rng, 0) for each in APART]
    exchanges[1] = [
        Exchange(each.sent + 3 * US, each.received, each.answered, each.got + 3 * US) for each in exchanges[1]
    ]
    found = on_the_masters_clock(counter, operations, APART, exchanges)
    assert wrong_ones(counter, found) - wrong_ones(counter, operations)


@EVERY
def test_seeded_violations_are_found_as_with_one_clock(known: Known) -> None:
    """A long valid history is held and each planted defect is violated, recorded by three machines an hour apart over a
    network that is fast against what is recorded: a unit of the history is a millisecond, a message takes 5 us."""
    rng = random.Random(f"{SEED} {known.model.name}")
    valid = known.large(1000, rng)
    spoiled = {name: spoil([*valid], rng) for name, spoil in known.defects.items()}
    for name, operations in [("", valid), *spoiled.items()]:
        begin, end = min(one.start for one in operations), max(one.end or one.start for one in operations)
        true = [
            msgspec.structs.replace(
                one, start=MS * (one.start - begin), end=None if one.end is None else MS * (one.end - begin)
            )
            for one in operations
        ]
        moments = range(0, MS * (end - begin + 2), max(MS, MS * (end - begin) // 1000))
        exchanges = [each.exchanges(moments, rng, 5 * US) for each in APART]
        found = on_the_masters_clock(known, true, APART, exchanges)
        one_clock = judged(known, columns(known.model, true)).verdict
        assert one_clock == ("violated" if name else "held")
        assert judged(known, columns(known.model, found)).verdict == one_clock, name

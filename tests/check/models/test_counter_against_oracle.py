"""The counter checker against exhaustive search, and its witnesses against their definition."""

import random
from collections import Counter
from functools import cache
from itertools import combinations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counter_histories import inc, random_operations, read, unknown
from oracle import linearizable
from statelab.check.models.counter.ranked import answers
from statelab.check.models.counter.verdict import check, find_defects, refutes
from statelab.core.operation import Operation
from statelab.record.columns import History

TIME = st.integers(0, 9)
ANSWERED = st.builds(
    lambda make, start, length, value: make(start, start + length, value),
    st.sampled_from([inc, inc, read]),
    TIME,
    st.integers(0, 6),
    st.integers(0, 6),
)
OPERATIONS = st.lists(st.one_of(ANSWERED, ANSWERED, st.builds(unknown, TIME)), max_size=6)


@cache
def small_histories(count: int) -> list[list[Operation]]:
    rng = random.Random(20_240_607)
    return [random_operations(rng) for _ in range(count)]


def test_one_history_at_a_time_agrees_too() -> None:
    """Checked alone, 3,000 of these histories get the same verdict, and every kind of violation is among them."""
    kinds: Counter[str] = Counter()
    for operations in small_histories(20_000)[:3000]:
        verdict = check(History.from_operations(operations))
        assert (verdict.verdict == "held") == linearizable(operations), operations
        kinds[verdict.witness.kind if verdict.witness else "held"] += 1
    assert min(kinds[kind] for kind in ("held", "too-low", "gap", "duplicate", "inversion")) >= 30


def test_parts_of_a_history_are_counters_of_their_own() -> None:
    """Answered operations parted at random: each part is judged as if it were alone with all unknown increments."""
    rng, held = random.Random(6), Counter[bool]()
    for operations in small_histories(20_000)[:2000]:
        group = np.array([-1 if o.status == "info" else rng.randint(0, 1) for o in operations])
        found = find_defects(answers(History.from_operations(operations), 0), group)
        parts = [int(group[found.by_number.row[first]]) for first in found.by_number.first]
        for part, violated in zip(parts, found.violated, strict=True):
            inside = [o for o, number in zip(operations, group, strict=True) if number in (part, -1)]
            assert linearizable(inside) == (not violated)
            held[not violated] += 1
    assert min(held.values()) > 500


@settings(max_examples=400, deadline=None)
@given(operations=OPERATIONS, initial=st.integers(-2, 2))
def test_agrees_with_exhaustive_search_wherever_hypothesis_looks(operations: list[Operation], initial: int) -> None:
    """No shrunk example, and no initial value, is judged otherwise than by exhaustive search."""
    verdict = check(History.from_operations(operations), initial=initial)
    assert (verdict.verdict == "held") == linearizable(operations, initial)


@pytest.mark.parametrize("initial", [-7, 5, 10**17])
def test_only_differences_from_the_initial_value_matter(initial: int) -> None:
    """A history moved to another initial value, however large, has the same verdict and witness."""
    for operations in small_histories(20_000)[:200]:
        history = History.from_operations(operations)
        moved = History.from_operations(
            [msgspec.structs.replace(o, result=None if o.result is None else o.result + initial) for o in operations]
        )
        assert check(history).witness == check(moved, initial=initial).witness


def gap_prone(rng: random.Random) -> list[Operation]:
    """Long increments told different numbers, one of them missing, and an unknown one that may have come too late."""
    n = rng.randint(2, 5)
    numbers = rng.sample(range(1, n + 2), n)
    operations = [inc(start := rng.randint(0, 3), start + rng.randint(2, 9), number) for number in numbers]
    return [*operations, unknown(rng.randint(0, 12))]


def test_a_witness_is_the_smallest_piece_that_is_a_violation() -> None:
    """Of each kind: the witness alone is a violation, and no smaller set of operations is (so none can be left out).

    What it is to be a violation alone is defined by `refutes`, and decided here by exhaustive search.
    """
    kinds: Counter[tuple[str, int]] = Counter()
    rng = random.Random(3)
    for operations in [*small_histories(20_000)[:1200], *(gap_prone(rng) for _ in range(1200))]:
        witness = check(History.from_operations(operations)).witness
        if witness is None:
            continue
        kinds[witness.kind, len(witness.rows)] += 1
        assert impossible_alone(operations, witness.rows)
        for smaller in combinations(range(len(operations)), len(witness.rows) - 1):
            assert not impossible_alone(operations, smaller)
    assert {kind for kind, count in kinds.items() if count >= 10} >= {
        ("too-low", 1),
        ("gap", 1),
        ("duplicate", 2),
        ("inversion", 2),
        ("gap", 2),
    }
    assert sum(count for (kind, size), count in kinds.items() if kind == "gap" and size > 2) >= 3


def impossible_alone(operations: list[Operation], rows: tuple[int, ...]) -> bool:
    """`refutes` by its definition: answers outside the rows forgotten, reads outside dropped, every order tried."""
    outside = [o for i, o in enumerate(operations) if i not in rows and o.op == "increment" and o.status != "fail"]
    forgotten = [msgspec.structs.replace(o, status="info", end=None, result=None) for o in outside]
    return not linearizable([operations[row] for row in rows] + forgotten)


def test_refutes_is_what_it_says() -> None:
    """The fast test for a set of operations agrees with its definition by exhaustive search, on random sets."""
    rng, both = random.Random(4), Counter[bool]()
    for operations in small_histories(20_000)[:1500]:
        rows = tuple(sorted(rng.sample(range(len(operations)), rng.randint(0, len(operations)))))
        answer = refutes(History.from_operations(operations), rows)
        assert answer == impossible_alone(operations, rows)
        both[answer] += 1
    assert min(both.values()) > 200

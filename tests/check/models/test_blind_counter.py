"""The blind counter where the tests of all models do not reach: kinds, sizes, slack, words, counts, many keys."""

import random
from collections import Counter
from collections.abc import Iterator
from itertools import combinations

import msgspec
import pytest

from counter_histories import MS, server
from models.blind_counter import KNOWN, inc, large, read, referee, refused, small, unknown
from models.known import Operations
from statelab.check.kernels.forgetting import refutes
from statelab.check.kernels.model import Deadline, Finding, Proof
from statelab.check.models.blind_counter.model import MODEL
from statelab.core.operation import Operation
from statelab.record.columns import History

SEED = 20_261_124


def check(operations: Operations, initial: int = 0) -> Finding:
    return judged(History.from_operations(operations), initial)


def judged(history: History, initial: int = 0) -> Finding:
    return MODEL.check(history, initial=initial, deadline=Deadline())


def violated(history: History) -> bool:
    return judged(history).verdict == "violated"


def proof(operations: Operations, initial: int = 0) -> Proof:
    found = check(operations, initial).proof
    assert found is not None
    return found


def violated_histories(seed: int, count: int) -> Iterator[tuple[Operations, Proof]]:
    rng = random.Random(seed)
    for _ in range(count):
        operations = small(rng, amounts=0)  # with them a witness is minimal, and need not be the smallest
        found = check(operations).proof
        if found:
            yield operations, found


def test_every_kind_of_violation_occurs() -> None:
    """Among 4,000 random histories each kind is met often, and the missing ones with and without an earlier read."""
    proofs = [found for _, found in violated_histories(SEED, 4_000)]
    kinds = Counter(found.kind for found in proofs)
    assert {kind for kind, count in kinds.items() if count > 30} == {"too-low", "too-high", "inversion", "missing"}
    sizes = Counter(len(found.rows) for found in proofs if found.kind == "missing")
    assert min(sizes[2], sizes[3]) > 30
    assert sizes[4] > 3


def test_up_to_three_operations_the_witness_is_the_smallest_there_is() -> None:
    """No set of fewer operations is a violation by itself."""
    seen: Counter[int] = Counter()
    for operations, found in violated_histories(SEED + 1, 4_000):
        history, size = History.from_operations(operations), min(len(found.rows), 4)
        seen[size] += 1
        if seen[size] <= 40:
            for fewer in combinations(range(len(operations)), size - 1):
                assert not refutes(history, fewer, MODEL.changes, violated), operations
    assert min(seen[1], seen[2], seen[3]) > 20


WORDS: dict[str, tuple[Operations, str]] = {
    "too low": (
        [read(5 * MS, 6 * MS, -4)],
        "A read -4. The counter starts at 0 and never goes down. A: pid 12, thread 3, from 0.000 to 1.000 ms.",
    ),
    "too high": (
        [inc(0, MS), unknown(0), read(2 * MS, 3 * MS, 3), inc(5 * MS, 6 * MS)],
        "A read 3, which takes 3 increments; 2 had been asked for when A ended. Nobody can have added the rest. "
        "A: pid 12, thread 3, from 0.000 to 1.000 ms.",
    ),
    "inversion": (
        [inc(0, 9 * MS), read(MS, 2 * MS, 1), read(4 * MS, 5 * MS, None)],
        "A read 1. A had ended 2.000 ms before B started, yet B read nothing: a counter never goes down. "
        "A: pid 12, thread 3, from 0.000 to 1.000 ms. B: pid 12, thread 3, from 3.000 to 4.000 ms.",
    ),
    "one missing": (
        [inc(0, MS), read(2 * MS, 3 * MS, 0)],
        "A added one and had ended at least 1.000 ms before B started. The counter starts at 0, so B had to read 1 or "
        "more. But B read 0. A: pid 12, thread 3, from 0.000 to 1.000 ms. B: pid 12, thread 3, from 2.000 to 3.000 ms.",
    ),
    "one missing since a read": (
        [unknown(0), read(0, MS, 1), inc(2 * MS, 3 * MS), read(5 * MS, 6 * MS, 1)],
        "A read 1. B added one, at least 1.000 ms after A had ended and at least 1.000 ms before C started. What A saw "
        "is there, too, so C had to read 2 or more. But C read 1. A: pid 12, thread 3, from 0.000 to 1.000 ms. "
        "B: pid 12, thread 3, from 2.000 to 3.000 ms. C: pid 12, thread 3, from 5.000 to 6.000 ms.",
    ),
}


@pytest.mark.parametrize(("operations", "words"), WORDS.values(), ids=WORDS.keys())
def test_proof(operations: Operations, words: str) -> None:
    """The proof names the operations, who served them and when, and why they contradict each other."""
    assert proof([msgspec.structs.replace(o, served_by=server(12, 3)) for o in operations]).text == words


def test_a_large_witness_is_minimal_and_told_in_few_words() -> None:
    """Of 1,000 increments 600 are missing: 401 of them and the read contradict each other, no 400 do."""
    operations = [inc(10 * i, 10 * i + 5) for i in range(1_000)] + [unknown(3)] * 7 + [read(20_000, 20_001, 400)]
    found, history = proof(operations), History.from_operations(operations)
    assert (found.kind, len(found.rows), found.slack_ns) == ("missing", 402, 20_000 - 4_005)
    assert refutes(history, found.rows, MODEL.changes, violated)
    for row in (*found.rows[:3], *found.rows[-3:]):
        assert not refutes(history, [r for r in found.rows if r != row], MODEL.changes, violated)
    assert found.text.startswith(
        "401 increments (A, B, C, ... and operation 401) added one each and had ended at least 0.016 ms before "
        "operation 402 started. The counter starts at 0, so operation 402 had to read 401 or more. "
        "But operation 402 read 400."
    )
    assert len(found.text) < 800


def test_a_later_base_makes_a_smaller_witness() -> None:
    """A read of 500 in the middle saves the 500 increments before it."""
    counted = [inc(10 * i, 10 * i + 5) for i in range(500)]
    operations = [*counted, read(6_000, 6_001, 500), inc(7_000, 7_001), inc(7_000, 7_001), read(8_000, 8_001, 501)]
    assert proof(operations).rows == (500, 501, 502, 503)


def test_counts() -> None:
    """What is missing, lost at the end, inverted, too low and too high is counted."""
    operations = [
        inc(0, 1),
        inc(0, 1),
        inc(0, 1),
        read(2, 3, -1),
        read(2, 9, 9),
        read(2, 3, 3),
        read(5, 6, 2),
        read(7, 8, 1),
    ]
    assert check(operations).counts == {"too-low": 1, "too-high": 1, "inversions": 2, "missing": 3, "lost": 3}
    assert check([inc(0, 1), inc(0, 1), read(2, 3, 1), read(5, 6, 1)]).counts == {"missing": 1, "lost": 1}
    assert check([inc(0, 1), read(5, 6, 1)]).counts == {}


def test_keys_are_counters_of_their_own() -> None:
    """200 keys of 200 operations each, every tenth with a defect: those are found, and the proof is of one of them."""
    rng = random.Random(SEED + 3)
    operations: list[Operation] = []
    for key in range(200):
        history = large(200, rng)
        if key % 10 == 3:
            history = KNOWN.defects["an increment lost"](history, rng)
        operations += [msgspec.structs.replace(o, key=str(key)) for o in history]
    rng.shuffle(operations)
    history = History.from_operations(operations)
    found = judged(history)
    assert sorted(int(history.keys[code]) for code in found.violated_keys) == list(range(3, 200, 10))
    assert found.proof is not None
    assert {int(history.keys[history.key[row]]) % 10 for row in found.proof.rows} == {3}
    assert f"key {history.keys[history.key[found.proof.rows[0]]]}," in found.proof.text


@pytest.mark.parametrize("initial", [-7, 5, 10**18, 2**63 - 20, -(2**63) + 20])
def test_only_differences_from_the_initial_value_matter(initial: int) -> None:
    """A history moved to another initial value, however large, has the same verdict and witness."""
    rng = random.Random(SEED + 4)
    for _ in range(300):
        operations = small(rng)
        moved = [
            msgspec.structs.replace(o, result=None if o.result is None else o.result + initial) for o in operations
        ]
        one, other = check(operations), check(moved, initial)
        assert (one.verdict, one.proof and one.proof.rows) == (other.verdict, other.proof and other.proof.rows)
        assert referee(moved, initial) == (other.verdict == "held")


@pytest.mark.parametrize("scale", [1, 2**59])
def test_any_stamps_and_values_of_64_bits(scale: int) -> None:
    """Stamps from the least to the largest integer, and reads of such, are compared as they are, on several keys."""
    rng, outcomes = random.Random(SEED + 5), Counter[bool]()
    for _ in range(400):
        histories = [small(rng), small(rng)]
        operations = [
            msgspec.structs.replace(
                o,
                key=key,
                start=(o.start - 8) * scale,
                end=None if o.end is None else (o.end - 8) * scale,
                result=o.result if o.result != -1 else -(2**63),
            )
            for key, history in zip("ab", histories, strict=True)
            for o in history
            if abs(o.start - 8) <= 15 and abs((o.end or 0) - 8) <= 15
        ]
        valid = all(referee([o for o in operations if o.key == key], 0) for key in "ab")
        assert (check(operations).verdict == "held") == valid
        outcomes[valid] += 1
    assert min(outcomes.values()) > 50


def test_nothing_is_promised_without_reads() -> None:
    """Increments alone, failed operations and reads without an answer contradict nothing."""
    lost_read = Operation(process=0, op="read", start=0, end=None, status="info")
    assert check([inc(0, 1), unknown(0), refused(0, 1), lost_read]).verdict == "held"

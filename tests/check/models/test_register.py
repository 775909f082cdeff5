"""The register where the tests of all models do not reach: forks, chains, misses, slack, stamps, texts, the search."""

import random

import msgspec
import pytest

from counter_histories import MS, server
from models.known import Operations
from models.register import cas, large, read, referee, small, write
from statelab.check.kernels.model import Deadline, Finding
from statelab.check.models.register.model import MODEL, judge
from statelab.core.operation import Operation, Value
from statelab.record.columns import History

SEED = 20_261_127
LEAST, LARGEST = -(2**63), 2**63 - 1


def columns(operations: Operations) -> History:
    return History.from_operations(operations, answers=MODEL.answers)


def judged(history: History, initial: Value | None = None, deadline: Deadline | None = None) -> Finding:
    return MODEL.check(history, initial=initial, deadline=deadline or Deadline())


def check(operations: Operations, initial: Value | None = None) -> Finding:
    return judged(columns(operations), initial)


def shown(finding: Finding) -> tuple[str, tuple[int, ...], int | None]:
    assert finding.proof is not None
    return finding.proof.kind, finding.proof.rows, finding.proof.slack_ns


VIOLATED: dict[str, tuple[Operations, tuple[str, tuple[int, ...], int | None]]] = {
    "nobody wrote it": ([write(0, 1, 1), read(2, 3, 7)], ("phantom", (1,), None)),
    "it came from what nobody wrote": ([cas(0, 1, 8, 9), read(2, 3, 9)], ("phantom", (0,), None)),
    "found where nobody wrote it": ([cas(0, 1, 8, 9, False, seen=7)], ("phantom", (0,), None)),
    "of a write that failed": ([write(0, 1, 1, status="fail"), read(2, 3, 1)], ("aborted-read", (1,), None)),
    "replaced, of a write that failed": (
        [write(0, 1, 1, status="fail"), cas(2, 3, 1, 2)],
        ("aborted-read", (1,), None),
    ),
    "of two that were refused": (
        [write(0, 9, 1), cas(0, 9, 1, 5, False), cas(0, 9, 1, 5, False), read(2, 3, 5)],
        ("aborted-read", (1, 2, 3), None),
    ),
    "of two that were refused, who contradict each other": (
        [cas(0, 9, None, 5, False), cas(0, 9, None, 5, False), read(2, 3, 5)],
        ("no-order", (0, 1), None),
    ),
    "two cas from one value": ([write(0, 1, 1), cas(2, 9, 1, 2), cas(3, 8, 1, 3)], ("lost-update", (1, 2), None)),
    "two cas from the beginning": ([cas(2, 9, None, 2), cas(3, 8, None, 3)], ("lost-update", (0, 1), None)),
    "two cas of unknown outcome, and both seen": (
        [write(0, 1, 1), cas(2, None, 1, 2), cas(2, None, 1, 3), read(4, 5, 2), read(6, 7, 3)],
        ("lost-update", (3, 4), None),
    ),
    "a chain without a first value": (
        [cas(0, 9, 3, 1), cas(0, 9, 1, 2), cas(0, 9, 2, 3)],
        ("circular", (1,), None),
    ),
    "stale in a chain": (
        [write(0, 1, 1), cas(2, 3, 1, 2), cas(4, 5, 2, 3), read(9, 10, 2)],
        ("stale-read", (2, 3), 4),
    ),
    "stale from the beginning": ([write(0, 1, 1), cas(5, 6, 1, 2, False, seen=0)], ("phantom", (1,), None)),
    "from the future, up the chain": (
        [cas(0, 1, None, 1), cas(3, 4, 2, 3), read(5, 9, 3), cas(8, 12, 1, 2)],
        ("future-read", (1,), 4),
    ),
    "a miss between two reads": (
        [write(0, 1, 1), read(2, 3, 1), cas(5, 6, 1, 2, False), read(9, 9, 1), write(0, None, 3)],
        ("false-failure", (0, 2, 3), 3),
    ),
    "a miss of the beginning": ([cas(0, 1, None, 2, False), write(4, 5, 1)], ("no-order", (0,), 3)),
}


@pytest.mark.parametrize(("operations", "expected"), VIOLATED.values(), ids=VIOLATED.keys())
def test_violated(operations: Operations, expected: tuple[str, tuple[int, ...], int | None]) -> None:
    """Each kind of contradiction is found and shown, and the referee sees one, too."""
    assert not referee(operations, None)
    assert shown(check(operations)) == expected


HELD: dict[str, Operations] = {
    "a chain in any order of lines": [read(6, 7, 3), cas(4, 5, 2, 3), cas(2, 3, 1, 2), write(0, 1, 1)],
    "a value replaced by itself": [write(0, 1, 1), cas(2, 3, 1, 1), cas(2, 5, 1, 1), read(6, 7, 1)],
    "a miss before the value": [write(0, 9, 1), cas(2, 3, 1, 2, False), read(5, 6, 1)],
    "a miss, as the value goes": [write(0, 1, 1), cas(2, 6, 1, 2, False), write(3, 9, 3), read(10, 11, 3)],
    "a miss in between two writes": [write(0, 5, 1), write(0, 5, 2), cas(2, 4, 1, 3, False), read(6, 7, 1)],
    "two misses that need one order": [
        write(0, 9, 1),
        write(0, 9, 2),
        cas(0, 2, 1, 3, False),
        cas(0, 2, 2, 4, False),
        read(10, 11, 1),
    ],
    "a miss that a write of unknown outcome explains": [
        write(0, None, 3),
        write(1, 2, 1),
        read(3, 4, 1),
        cas(5, 6, 1, 2, False),
    ],
    "a cas that may have replaced it": [write(0, 1, 1), cas(2, None, 1, 2), cas(3, 4, 1, 5, False)],
    "touching": [write(0, 5, 1), write(5, 9, 2), read(9, 9, 1)],
}


@pytest.mark.parametrize("operations", HELD.values(), ids=HELD.keys())
def test_held(operations: Operations) -> None:
    """What looks like one and is none."""
    assert referee(operations, None)
    assert check(operations).verdict == "held"


@pytest.mark.parametrize("initial", [0, 1, "a"])
def test_any_initial_value(initial: Value) -> None:
    """With an initial value that operations write, replace and miss too, the verdict is that of exhaustive search."""
    rng = random.Random(SEED)
    for _ in range(500):
        operations = [*small(rng)]
        if isinstance(initial, str):
            operations = [texts(o) for o in operations]
        assert (check(operations, initial).verdict == "held") == referee(operations, initial), operations


def texts(operation: Operation) -> Operation:
    """The same with a, b, ... for 1, 2, ..."""
    fields = {name: getattr(operation, name) for name in ("value", "expected", "seen", "result")}
    named = {name: chr(96 + value) for name, value in fields.items() if type(value) is int}
    return msgspec.structs.replace(operation, **named)


def test_many_misses_agree_with_exhaustive_search() -> None:
    """Unique values and many cas that say only what they did not find: most keys are decided by rule, none wrongly."""
    rng = random.Random(SEED + 6)
    histories = [misses(rng) for _ in range(4_000)]
    valid = [referee(operations, None) for operations in histories]
    together = columns(
        [msgspec.structs.replace(o, key=str(i)) for i, operations in enumerate(histories) for o in operations]
    )
    by_rule = judge(together, None)
    wrong, undecided = by_rule.wrong.tolist(), by_rule.open.tolist()
    assert [i for i, held in enumerate(valid) if not undecided[i] and held == wrong[i]] == []
    assert sum(undecided) < 100
    assert 0.1 < sum(wrong) / len(histories) < 0.5
    violated = set(judged(together).violated_keys)
    assert [i for i, held in enumerate(valid) if held == (i in violated)] == []


def misses(rng: random.Random) -> Operations:
    """Up to ten operations, half of them cas without `seen`; in half of the histories some answers are wrong."""
    state: Value | None = None
    states, operations, wrong = [state], list[Operation](), rng.random() < 0.5
    intervals = [(start := rng.randrange(14), start + rng.randrange(8)) for _ in range(rng.randint(6, 10))]
    for moment, (start, end) in sorted((s + rng.random() * (e - s), (s, e)) for s, e in intervals):
        number, op = len(operations) + 1, rng.choice(["write", "write", "read", "cas", "cas", "cas"])
        found = rng.choice(states) if wrong and rng.random() < 0.3 else state
        last = None if op != "read" and rng.random() < 0.12 else end
        expected = rng.choice(states[-3:])
        swaps = op == "write" or (found == expected) != (wrong and rng.random() < 0.2)
        if op == "read":
            operations.append(read(start, end, found, process=number))
        elif op == "write":
            operations.append(write(start, last, number, process=number))
        else:
            operations.append(cas(start, last, expected, number, swaps, process=number))
        if op != "read" and swaps and (last is not None or moment % 1 < 0.5):
            state = number
            states.append(state)
    return operations


def test_texts_and_numbers_far_apart_change_nothing() -> None:
    """Texts, and numbers that do not fit into one int64 with their rows, get the verdict and witness of small ones."""
    rng = random.Random(SEED + 1)
    far = {value: [LEAST, LARGEST, 0, 2**62, -(2**62), 7, 2**61, 5, -1][value - 1] for value in range(1, 10)}
    for _ in range(300):
        operations = small(rng)
        apart = [
            msgspec.structs.replace(
                o, **{f: far[v] for f in ("value", "expected", "seen", "result") if type(v := getattr(o, f)) is int}
            )
            for o in operations
        ]
        expected = check(operations)
        for other in (check([texts(o) for o in operations]), check(apart)):
            assert (other.verdict, other.counts) == (expected.verdict, expected.counts), operations
            assert other.proof is None or shown(other)[::2] == shown(expected)[::2], operations


EXTREMES: dict[str, tuple[Operations, str, tuple[int, ...], int]] = {
    "stale": ([write(LEAST, LEAST + 1, 1), read(LARGEST - 2, LARGEST - 1, None)], "stale-read", (0, 1), 2**64 - 4),
    "future": ([read(LEAST, LEAST + 1, 5), write(LARGEST - 2, LARGEST - 1, 5)], "future-read", (0,), 2**64 - 4),
    "came back": (
        [write(LEAST, LEAST + 1, 1), write(LEAST + 3, LEAST + 4, 2), read(LARGEST - 2, LARGEST - 1, 1)],
        "stale-read",
        (0, 1, 2),
        2,
    ),
    "missed": (
        [write(LEAST, LEAST + 1, 1), cas(0, 1, 1, 2, False), read(LARGEST - 2, LARGEST - 1, 1)],
        "no-order",
        (0, 1),
        2**63 - 1,
    ),
}


@pytest.mark.parametrize(("operations", "kind", "rows", "slack"), EXTREMES.values(), ids=EXTREMES.keys())
def test_stamps_of_64_bits(operations: Operations, kind: str, rows: tuple[int, ...], slack: int) -> None:
    """From the least to the largest stamp there is; the distance is right."""
    assert shown(check(operations)) == (kind, rows, slack)


def test_counts() -> None:
    """Each kind of contradiction is counted in its own words."""
    keys = [[write(0, 1, 1), read(2, 3, 7), read(2, 3, 8)], [cas(0, 9, None, 1), cas(0, 9, None, 2)]]
    keys += [[read(0, 1, 3), write(4, 5, 3)], [write(0, 1, 3), read(4, 5, None)]]
    keys += [[write(0, 1, 1), cas(2, 3, 1, 2, False), read(4, 5, 1)]]
    operations = [msgspec.structs.replace(o, key=str(i)) for i, history in enumerate(keys) for o in history]
    assert check(operations).counts == {
        "phantom": 2,
        "lost-update": 1,
        "future-read": 1,
        "stale-read": 1,
        "false-failure": 1,
    }


def test_a_value_that_comes_back_is_searched() -> None:
    """Values written twice: no rule applies, the search finds an order or shows that there is none."""
    back = [write(0, 1, 1), write(2, 3, 2), write(4, 5, 1), read(6, 7, 1)]
    assert check(back).verdict == "held"
    assert shown(check([*back, write(8, 9, 3), read(10, 11, 1)])) == ("no-order", (0, 2, 4, 5), 1)


def test_a_search_without_time_is_unknown() -> None:
    """When the time limit passes first, nothing is claimed; the reason says what is missing."""
    rng = random.Random(SEED + 4)
    operations = [write(10 * i, 10 * i + 95, rng.randrange(3), process=i % 10) for i in range(2_000)]
    operations += [read(10 * i + 5, 10 * i + 95, rng.randrange(3), process=10 + i % 10) for i in range(2_000)]
    finding = judged(columns(operations), deadline=Deadline(0.0))
    assert finding.verdict == "unknown"
    assert finding.proof is None
    assert "do not tell the writes apart" in finding.reason
    assert "time ran out" in finding.reason


def test_an_undecided_key_does_not_hide_a_violated_one() -> None:
    """One key runs out of time, another is violated: violated."""
    unclear = [write(10 * i, 10 * i + 95, i % 3, process=i % 10) for i in range(2_000)]
    broken = [msgspec.structs.replace(o, key="b") for o in (read(0, 1, 5), write(2, 3, 5))]
    finding = judged(columns([*unclear, *broken]), deadline=Deadline(0.0))
    assert (finding.verdict, finding.violated_keys, finding.undecided) == ("violated", (1,), 1)


def test_100000_operations_on_many_keys_where_values_repeat_rarely() -> None:
    """One key in ten writes a value again; all are held, and one stale read is found in the right key."""
    rng, operations = random.Random(SEED + 5), list[Operation]()
    for key in range(100):
        part = large(1_000, rng)
        last = max(o.end or o.start for o in part)
        if key % 10 == 0:
            part += [write(last + 10, last + 20, 1), read(last + 30, last + 40, 1), write(last + 50, last + 60, 1)]
        operations += [msgspec.structs.replace(o, key=f"k{key}") for o in part]
    assert len(operations) > 100_000
    assert check(operations).verdict == "held"
    spoiled = [*operations, msgspec.structs.replace(read(10**6, 10**6 + 1, None), key="k7")]
    finding = check(spoiled)
    assert (finding.verdict, finding.violated_keys) == ("violated", (7,))


WORDS: dict[str, tuple[Operations, str]] = {
    "hidden": (
        [write(0, MS, 1), cas(0, None, 1, 2), cas(0, MS, 1, 3), read(2 * MS, 3 * MS, 2)],
        "A replaced 1 by 3. B read 2. 1 was written once, and whoever replaces it leaves another value. 2 can only be "
        "there if it came from 1 too. So only one request can have found it: one of the two updates is lost. ",
    ),
    "missed": (
        [write(0, MS, 1), write(0, None, 9), cas(2 * MS, 3 * MS, 1, 2, False), read(5 * MS, 6 * MS, 1)],
        "A wrote 1. B was to replace 1 and did not find it. C read 1. A had ended 1.000 ms before B started, and B had "
        "ended 2.000 ms before C started: the value was 1 all the while, yet B did not find it. ",
    ),
    "refused": (
        [write(0, MS, "a"), cas(2 * MS, 3 * MS, "b", "c", False, seen="b"), write(0, MS, "b", status="fail")],
        "A was to replace b and found b instead. A found just the value that it was to replace, and yet did not "
        "replace it. ",
    ),
}


@pytest.mark.parametrize(("operations", "words"), WORDS.values(), ids=WORDS.keys())
def test_proof(operations: Operations, words: str) -> None:
    """The proof says what each did and why that cannot be, in this order; who served it comes last."""
    proof = check([msgspec.structs.replace(o, served_by=server(12, 3)) for o in operations]).proof
    assert proof is not None
    assert proof.text.startswith(f"{words}A: pid 12, thread 3, from ")

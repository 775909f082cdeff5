"""At most once: what is counted, what is shown, and the words."""

import random
from collections import Counter

import pytest

from agreement import check, side_by_side
from counter_histories import MS, server
from models.at_most_once import KNOWN, effect, execute, refused, small, unknown
from models.known import Operations

ONE = server(12, 3)

WORDS: dict[str, tuple[Operations, str]] = {
    "never ran": (
        [execute(0, MS, "r7", by=ONE), unknown(0, "r8")],
        "A, the request r7, was answered ok: it ran. But the log has no effect of r7. "
        "A: pid 12, thread 3, from 0.000 to 1.000 ms.",
    ),
    "never ran on its key": (
        [execute(0, MS, "r7", key="k"), effect(0, "r7", "l"), unknown(0, "r7", "l")],
        "A, the request r7, was answered ok: it ran. But the log has no effect of r7 on its key. "
        "A: key k, from 0.000 to 1.000 ms.",
    ),
    "ran although refused": (
        [refused(0, MS, "r7"), effect(2 * MS, "r7")],
        "A is an effect of the request r7. But r7 (from -2.000 to -1.000 ms) was refused: it must not "
        "run. A: from 0.000 to 0.000 ms.",
    ),
    "unexpected": (
        [unknown(0, "r8"), effect(2 * MS, "r7")],
        "A is an effect of a request r7, and nobody asked for r7. A: from 0.000 to 0.000 ms.",
    ),
    "unexpected on its key": (
        [unknown(0, "r7", "k"), effect(2 * MS, "r7", "l")],
        "A is an effect of a request r7, and nobody asked for r7 on its key. A: key l, from 0.000 to 0.000 ms.",
    ),
    "ran three times": (
        [execute(0, 9 * MS, "r7", by=ONE), effect(7 * MS, "r7"), effect(MS, "r7"), effect(2 * MS, "r7")],
        "A and B are both effects of the request r7, which was asked for once (pid 12, thread 3, from -1.000 to "
        "8.000 ms). What is asked for once runs at most once; r7 ran 3 times. A had ended 1.000 ms before B started. "
        "A: from 0.000 to 0.000 ms. B: from 1.000 to 1.000 ms.",
    ),
}


@pytest.mark.parametrize(("operations", "words"), WORDS.values(), ids=WORDS.keys())
def test_proof(operations: Operations, words: str) -> None:
    """The proof says what was asked for, what the log says, and that it takes no clock."""
    proof = check(KNOWN, operations).proof
    assert proof is not None
    assert (proof.text, proof.slack_ns) == (words, None)


def counted(operations: Operations) -> Counter[str]:
    """The violated requests by kind, one after the other."""
    counts = Counter[str]()
    for op_id in {o.op_id for o in operations}:
        about = [o for o in operations if o.op_id == op_id]
        status = next((o.status for o in about if o.op == "execute"), None)
        certain = sum(o.op == "effect" and o.status == "ok" for o in about)
        possible = certain + sum(o.op == "effect" and o.status == "info" for o in about)
        if status in (None, "fail"):
            counts["unexpected" if status is None else "ran-though-refused"] += certain > 0
        else:
            counts["ran-n-times"] += certain > 1
            counts["extra-effects"] += max(certain - 1, 0)
            counts["never-ran"] += status == "ok" and not possible
    return +counts


def test_counts() -> None:
    """Each kind counts the requests it concerns, `extra-effects` what ran beyond once; op_ids may come again on
    another key."""
    rng, total = random.Random(4), Counter[str]()
    for _ in range(300):
        histories = [small(rng) for _ in range(3)]
        expected = sum((counted(operations) for operations in histories), Counter[str]())
        assert check(KNOWN, side_by_side(histories)).counts == expected
        apart = [o.__class__(**{**_fields(o), "key": str(i)}) for i, h in enumerate(histories) for o in h]
        assert check(KNOWN, apart).counts == expected
        total += expected
    assert min(total[word] for word in ("never-ran", "ran-n-times", "ran-though-refused", "unexpected")) > 10


def _fields(operation: object) -> dict[str, object]:
    return {name: getattr(operation, name) for name in operation.__struct_fields__}  # type: ignore[attr-defined]


def test_one_operation_is_shown_before_two() -> None:
    """The witness is the smallest over all requests; among equals the shortest operation."""
    twice = [execute(0, 9, "a"), effect(1, "a"), effect(2, "a")]
    finding = check(KNOWN, [*twice, execute(0, 5, "b"), execute(0, 4, "c")])
    assert finding.proof is not None
    assert (finding.proof.kind, finding.proof.rows) == ("never-ran", (4,))
    assert finding.counts == {"never-ran": 2, "ran-n-times": 1, "extra-effects": 1}


def test_the_effects_that_are_close_are_shown() -> None:
    """Of all pairs of effects of one request, the one in the shortest time."""
    given = [unknown(0, "a"), effect(1, "a"), effect(9, "a"), effect(14, "b"), execute(0, 99, "b"), effect(12, "b")]
    proof = check(KNOWN, given).proof
    assert proof is not None
    assert proof.rows == (5, 3)

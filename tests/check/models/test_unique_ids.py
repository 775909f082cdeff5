"""Unique ids: what is counted, which pair is shown, and the words."""

import random
from collections import Counter

import pytest

from agreement import check
from counter_histories import MS, server
from models.known import Operations
from models.unique_ids import KNOWN, new, small

ONE, TWO = server(12, 3), server(13, 4)

WORDS: dict[str, tuple[Operations, str]] = {
    "overlapping": (
        [new(0, 2 * MS, 1234, by=ONE), new(MS, 3 * MS, 1234, by=TWO)],
        "A and B were both given the id 1234. An id may be given to one request only. A and B overlapped. "
        "A: pid 12, thread 3, from 0.000 to 2.000 ms. B: pid 13, thread 4, from 1.000 to 3.000 ms.",
    ),
    "one after the other, more than twice": (
        [new(0, MS, "u7"), new(2 * MS, 3 * MS, "u7"), new(9 * MS, 9 * MS, "u7")],
        "A and B were both given the id u7. An id may be given to one request only. In all, 3 requests were given u7. "
        "A had ended 1.000 ms before B started. "
        "A: from 0.000 to 1.000 ms. B: from 2.000 to 3.000 ms.",
    ),
    "one of several keys": (
        [new(0, MS, 7, "orders"), new(0, MS, 7, "users"), new(0, MS, 7, "users")],
        "A and B were both given the id 7. An id may be given to one request only. A and B overlapped. "
        "A: key users, from 0.000 to 1.000 ms. B: key users, from 0.000 to 1.000 ms.",
    ),
}


@pytest.mark.parametrize(("operations", "words"), WORDS.values(), ids=WORDS.keys())
def test_proof(operations: Operations, words: str) -> None:
    """The proof says who was given the id, and when."""
    proof = check(KNOWN, operations).proof
    assert proof is not None
    assert (proof.text, proof.slack_ns) == (words, None)


def test_counts() -> None:
    """`duplicates` is how many answers there are beyond one per id."""
    rng, several = random.Random(3), 0
    for _ in range(500):
        operations = small(rng)
        times = Counter(o.result for o in operations if o.status == "ok")
        duplicates = sum(count - 1 for count in times.values())
        several += duplicates > 1
        assert check(KNOWN, operations).counts == ({"duplicates": duplicates} if duplicates else {})
    assert several > 50


def test_any_number_is_an_id() -> None:
    """Ids as far apart as 64 bits allow, on several keys, are told apart, and found when they come twice."""
    extremes = [-(2**63), 2**63 - 1, 0, -1]
    operations = [new(i, i, value, key) for i, value in enumerate(extremes) for key in ("a", "b", "c")]
    assert check(KNOWN, operations).verdict == "held"
    finding = check(KNOWN, [*operations, new(9, 9, -(2**63), "b"), new(-(2**63), 2**63 - 2, 0, "c")])
    assert (finding.counts, finding.violated_keys) == ({"duplicates": 2}, (1, 2))
    assert finding.proof is not None
    assert finding.proof.rows == (1, 12)


def test_one_id_for_all() -> None:
    """A generator that never moves is one violation with n - 1 duplicates; its closest pair is shown."""
    operations = [new(i * i, i * i, 7) for i in range(3000, 0, -1)]
    finding = check(KNOWN, operations)
    assert finding.counts == {"duplicates": 2999}
    assert finding.proof is not None
    assert finding.proof.rows == (2999, 2998)

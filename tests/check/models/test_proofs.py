"""Proofs in words: each kind of contradiction as a reader meets it."""

import pytest

from counter_histories import MS, history, inc, read, server, unknown
from statelab.check.models.counter.verdict import check
from statelab.check.models.counter.words import proof
from statelab.core.operation import Operation

ONE, TWO, FAR = server(12, 3), server(13, 4), server(12, 3, host="b")

CASES: dict[str, tuple[list[Operation], str]] = {
    "nothing wrong": ([inc(0, 1, 1)], "every answer fits one counter"),
    "too low": (
        [inc(5 * MS, 6 * MS, 0, ONE)],
        "A was told 0. The counter starts at 0 and each increment adds one, so 1 is the least. "
        "A: pid 12, thread 3, from 0.000 to 1.000 ms.",
    ),
    "read too low": (
        [read(5 * MS, 6 * MS, -4, ONE)],
        "A read -4. The counter starts at 0 and it never goes down. A: pid 12, thread 3, from 0.000 to 1.000 ms.",
    ),
    "overlapping pair": (
        [inc(0, 2 * MS, 1, ONE), inc(MS, 3 * MS, 1, TWO)],
        "A and B were both told 1. A counter that adds one for each request can hand out 1 only once. "
        "A: pid 12, thread 3, from 0.000 to 2.000 ms. B: pid 13, thread 4, from 1.000 to 3.000 ms. "
        "Each found 0 and made it 1: one of the two updates is lost.",
    ),
    "pair that does not overlap": (
        [inc(0, 2 * MS, 1, ONE), inc(4 * MS, 5 * MS, 1, TWO)],
        "A and B were both told 1. A counter that adds one for each request can hand out 1 only once. "
        "A: pid 12, thread 3, from 0.000 to 2.000 ms. B: pid 13, thread 4, from 4.000 to 5.000 ms. "
        "B started after A had ended and was told nothing higher.",
    ),
    "pair of which no update is missing": (
        [inc(0, 2 * MS, 2, ONE), inc(MS, 3 * MS, 2, TWO), read(9 * MS, 9 * MS, 2, ONE)],
        "A and B were both told 2. A counter that adds one for each request can hand out 2 only once. "
        "A: pid 12, thread 3, from 0.000 to 2.000 ms. B: pid 13, thread 4, from 1.000 to 3.000 ms.",
    ),
    "the counter went down": (
        [inc(0, 2 * MS, 2, ONE), read(3 * MS, 4 * MS, 1, FAR), inc(0, 9 * MS, 1)],
        "A was told 2. A had ended 1.000 ms before B started, yet B read 1: a counter never goes down. "
        "A: host a, pid 12, thread 3, from 0.000 to 2.000 ms. B: host b, pid 12, thread 3, from 3.000 to 4.000 ms.",
    ),
    "seen before it was made": (
        [read(0, MS, 1, ONE), inc(2 * MS, 3 * MS, 1, TWO), unknown(0)],
        "A read 1. A had ended 1.000 ms before B started, which was told 1: a number cannot be seen before it is made. "
        "A: pid 12, thread 3, from 0.000 to 1.000 ms. B: pid 13, thread 4, from 2.000 to 3.000 ms.",
    ),
    "nobody can have made it": (
        [inc(0, MS, 5, server(12, 3, greenlet=139_876_543_210)), unknown(0)],
        "A was told 5, which takes 5 increments; 2 had been asked for when A ended. Nobody can have produced 5. "
        "A: pid 12, thread 3, greenlet …543210, from 0.000 to 1.000 ms.",
    ),
    "too few before it": (
        [inc(0, 5 * MS, 2), inc(0, 9 * MS, 3), unknown(7 * MS)],
        "A was told 2, which takes 2 increments; 2 had been asked for when A ended. But B was told 3: more than A "
        "shows, and so after A. That leaves 1 increment. Nobody can have produced 2. "
        "A: from 0.000 to 5.000 ms. B: from 0.000 to 9.000 ms.",
    ),
    "one of several keys": (
        [inc(0, MS, 0, ONE, key="k"), inc(0, MS, 1, ONE, key="other")],
        "A was told 0. The counter starts at 0 and each increment adds one, so 1 is the least. "
        "A: pid 12, thread 3, key k, from 0.000 to 1.000 ms.",
    ),
}


@pytest.mark.parametrize(("operations", "words"), CASES.values(), ids=CASES.keys())
def test_proof(operations: list[Operation], words: str) -> None:
    """The proof names the operations, who served them and when, and why they contradict each other."""
    given = history(*operations)
    assert proof(given, check(given)) == words

"""The inventory where the tests of all models do not reach: any stock, sizes, slack, words, counts, many keys."""

import random
from collections import Counter
from dataclasses import replace
from itertools import combinations

import msgspec
import numpy as np
import pytest

from agreement import HISTORIES
from counter_histories import MS, server
from models.inventory import bought, failed, referee, refused, small, unknown
from models.known import Operations
from statelab.check.kernels.forgetting import forget, refutes
from statelab.check.kernels.model import Deadline, Finding
from statelab.check.models.inventory import MODEL
from statelab.core.errors import BadInput
from statelab.core.operation import Value
from statelab.record.columns import INF, History

SEED = 20_261_125


def columns(operations: Operations) -> History:
    return History.from_operations(operations, answers=MODEL.answers)


def judged(history: History, stock: Value | None) -> Finding:
    return MODEL.check(history, initial=stock, deadline=Deadline())


def check(operations: Operations, stock: int) -> Finding:
    return judged(columns(operations), stock)


KINDS = {
    0: {"held", "oversold"},
    1: {"held", "oversold", "false-sold-out"},
    2: {"held", "oversold", "false-sold-out", "late-sale"},
    3: {"held", "false-sold-out", "late-sale"},
    5: {"held", "false-sold-out"},
}


@pytest.mark.parametrize("stock", KINDS)
def test_any_stock_agrees_with_exhaustive_search(stock: int) -> None:
    """The verdict is the referee's; the witness is minimal, and no smaller set of operations is a violation."""
    rng, kinds = random.Random(SEED + stock), Counter[str]()

    def violated(part: History) -> bool:
        return judged(part, stock).verdict == "violated"

    for turn in range(HISTORIES // 5):
        operations = small(rng)
        found, history = check(operations, stock), columns(operations)
        assert (found.verdict == "held") == referee(operations, stock), operations
        kinds[found.proof.kind if found.proof else "held"] += 1
        if found.proof is None or turn > HISTORIES // 20:
            continue
        assert refutes(history, found.proof.rows, MODEL.changes, violated)
        for fewer in combinations(range(len(operations)), len(found.proof.rows) - 1):
            assert not refutes(history, fewer, MODEL.changes, violated), operations
    assert {kind for kind, count in kinds.items() if count >= HISTORIES // 1_000} >= KINDS[stock]


def test_slack_is_how_wrong_the_clocks_must_be() -> None:
    """With every end later by one ns less it is still violated, with the slack that contradiction is gone."""
    rng, seen = random.Random(SEED + 10), Counter[str]()
    while min(seen["late-sale"], seen["false-sold-out"]) < HISTORIES // 100:
        operations = [
            msgspec.structs.replace(o, start=10 * o.start, end=None if o.end is None else 10 * o.end)
            for o in small(rng)
        ]
        history, found = columns(operations), check(operations, 2)
        if found.proof is None or found.proof.kind == "oversold":
            continue
        kind, slack = found.proof.kind, found.proof.slack_ns
        seen[kind] += 1
        if kind == "late-sale":
            history = forget(history, found.proof.rows, MODEL.changes)[0]
        assert judged(later(history, 10**6 if slack is None else slack - 1), 2).verdict == "violated"
        if slack is not None:
            assert "false-sold-out" not in judged(later(history, slack), 2).counts
            assert kind == "false-sold-out" or judged(later(history, slack), 2).verdict == "held"


def later(history: History, by: int) -> History:
    return replace(history, end=np.where(history.end == INF, INF, history.end + by))


WORDS: dict[str, tuple[Operations, int, str]] = {
    "oversold": (
        [bought(0, MS), bought(0, 2 * MS)],
        1,
        "A and B were both told ok. Only 1 can be: 1 was in stock. A: pid 12, thread 3, from 0.000 to 1.000 ms. "
        "B: pid 12, thread 3, from 0.000 to 2.000 ms.",
    ),
    "nothing to sell": (
        [bought(0, MS)],
        0,
        "A was told ok. Nobody can be: nothing was in stock. A: pid 12, thread 3, from 0.000 to 1.000 ms.",
    ),
    "late sale": (
        [bought(0, MS), refused(2 * MS, 3 * MS), unknown(0), bought(5 * MS, 6 * MS)],
        2,
        "A was told sold-out. A had ended 2.000 ms before B started, yet B was told ok: what is sold out does not come "
        "back. A: pid 12, thread 3, from 0.000 to 1.000 ms. B: pid 12, thread 3, from 3.000 to 4.000 ms.",
    ),
    "false": (
        [bought(0, MS), refused(2 * MS, 3 * MS)],
        3,
        "A was told sold-out. 3 were in stock, and when A ended 1 other buy had been asked for. At least 2 were still "
        "there. A: pid 12, thread 3, from 0.000 to 1.000 ms.",
    ),
    "both false": (
        [refused(0, 3 * MS), refused(2 * MS, 4 * MS)],
        1,
        "A was told sold-out. 1 was in stock, and when A ended 1 other buy had been asked for. But of these B was told "
        "sold-out, too. That leaves 0. At least 1 was still there. A: pid 12, thread 3, from 0.000 to 3.000 ms. "
        "B: pid 12, thread 3, from 2.000 to 4.000 ms.",
    ),
}


@pytest.mark.parametrize(("operations", "stock", "words"), WORDS.values(), ids=WORDS.keys())
def test_proof(operations: Operations, stock: int, words: str) -> None:
    """The proof names the operations, who served them and when, and why they contradict each other."""
    proof = check([msgspec.structs.replace(o, served_by=server(12, 3)) for o in operations], stock).proof
    assert proof is not None
    assert proof.text == words


def test_a_large_witness_is_told_in_few_words() -> None:
    """101 of 100 sold: the first 101 to end, of which four are named."""
    operations = [bought(i, 2_000 - i) for i in range(120)]
    proof = check(operations, 100).proof
    assert proof is not None
    assert (proof.kind, sorted(proof.rows), proof.slack_ns) == ("oversold", list(range(19, 120)), None)
    assert proof.text.startswith(
        "101 buys (A, B, C, ... and operation 101) were all told ok. Only 100 can be: 100 were"
    )
    assert len(proof.text) < 400


def test_counts() -> None:
    """What was sold beyond the stock, sold late, and refused too early is counted."""
    operations = [bought(0, 1), refused(2, 3), refused(4, 5), bought(6, 7), refused(6, 7), bought(8, 9), bought(8, 9)]
    assert check(operations, 2).counts == {"oversold": 2, "false-sold-out": 2, "late-sales": 3}
    assert check([bought(0, 1)], 0).counts == {"oversold": 1}
    assert check([bought(0, 1), refused(2, 3)], 1).counts == {}


def test_stamps_of_64_bits() -> None:
    """From the least to the largest stamp there is; the distance of the two is right."""
    operations = [unknown(-(2**63)), refused(-(2**63), -(2**63) + 1), bought(2**63 - 3, 2**63 - 2)]
    proof = check(operations, 1).proof
    assert proof is not None
    assert (proof.kind, proof.rows, proof.slack_ns) == ("late-sale", (1, 2), 2**64 - 4)


@pytest.mark.parametrize("stock", [-1, None, "five"])
def test_a_stock_is_an_amount(stock: Value | None) -> None:
    """Anything else is bad input, and the message says what is wanted and what was given."""
    with pytest.raises(BadInput, match=rf"--initial .* 0 or more; it was {stock!r}"):
        judged(columns([bought(0, 1)]), stock)


def test_failed_buys_had_no_effect() -> None:
    """They neither take from the stock nor say that it is empty."""
    assert check([failed(0, 1), bought(2, 3), failed(4, 5), refused(6, 7)], 1).verdict == "held"
    assert check([failed(0, 1), refused(2, 3)], 1).verdict == "violated"

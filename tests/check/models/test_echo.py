"""Echoes: whose value it was, what is counted, and the words."""

import random
from collections import Counter

import msgspec
import pytest

from agreement import HISTORIES, check
from counter_histories import MS, server
from models.echo import KNOWN, echo, refused, small, unknown
from models.known import Operations
from statelab.core.operation import Operation

ONE, TWO = server(12, 3), server(12, 4)
RULE = "A request reads back only what it stored itself."

WORDS: dict[str, tuple[Operations, str]] = {
    "overlap": (
        [echo(0, 2 * MS, "x", "y", by=ONE), echo(MS, 4 * MS, "y", "y", by=TWO)],
        f"A sent x and got back y. {RULE} It was B that sent y: A and B overlapped. "
        "A: pid 12, thread 3, from 0.000 to 2.000 ms. B: pid 12, thread 4, from 1.000 to 4.000 ms.",
    ),
    "overlap with one without an answer": (
        [echo(2 * MS, 3 * MS, 2, 1, by=ONE), unknown(0, 1)],
        f"B sent 2 and got back 1. {RULE} It was A that sent 1: A and B overlapped. "
        "A: from 0.000 ms on, without an answer. B: pid 12, thread 3, from 2.000 to 3.000 ms.",
    ),
    "residue": (
        [echo(0, MS, "x", "x", by=ONE), echo(3 * MS, 4 * MS, "y", "x", by=ONE)],
        f"B sent y and got back x. {RULE} It was A that sent x: A had ended 2.000 ms before B started, and left x "
        "behind. A: pid 12, thread 3, from 0.000 to 1.000 ms. B: pid 12, thread 3, from 3.000 to 4.000 ms.",
    ),
    "residue of another key": (
        [refused(0, MS, "x"), echo(3 * MS, 4 * MS, "y", "x", "k")],
        f"B sent y and got back x. {RULE} It was A that sent x: A had ended 2.000 ms before B started, and left x "
        "behind. A: key , from 0.000 to 1.000 ms. B: key k, from 3.000 to 4.000 ms.",
    ),
    "residue for one that waited": (
        [echo(0, 2 * MS, "x", "x", by=ONE), echo(MS, 4 * MS, "y", "x", by=ONE)],
        f"B sent y and got back x. {RULE} It was A that sent x: A and B overlapped, but one thread served both, one "
        "after the other, and x was left behind. A: pid 12, thread 3, from 0.000 to 2.000 ms. B: pid 12, thread 3, "
        "from 1.000 to 4.000 ms.",
    ),
    "never sent": (
        [echo(0, MS, 1, 2)],
        f"A sent 1 and got back 2. {RULE} Nobody had sent 2 when A ended. A: from 0.000 to 1.000 ms.",
    ),
    "sent later": (
        [echo(0, MS, 1, 2), echo(9 * MS, 12 * MS, 2, 2), echo(4 * MS, 4 * MS, 2, 2)],
        f"A sent 1 and got back 2. {RULE} Nobody had sent 2 when A ended; it was first sent 3.000 ms later. "
        "A: from 0.000 to 1.000 ms.",
    ),
    "missing": (
        [echo(0, MS, 1, None)],
        "A sent 1 and got nothing back: what it had stored about itself was gone when it read it. "
        "A: from 0.000 to 1.000 ms.",
    ),
}


@pytest.mark.parametrize(("operations", "words"), WORDS.values(), ids=WORDS.keys())
def test_proof(operations: Operations, words: str) -> None:
    """The proof says what came back instead, whose it was, and how the two lay in time; it takes no clock."""
    proof = check(KNOWN, operations).proof
    assert proof is not None
    assert (proof.text, proof.slack_ns) == (words, None)


def kind(operations: Operations, victim: Operation) -> str:
    """Whose value it was, by looking at everybody."""
    if victim.result is None:
        return "missing"
    senders = [o for o in operations if o.value == victim.result and victim.end is not None and o.start <= victim.end]
    if not senders:
        return "unexpected"
    return "overlap" if any(o.end is None or o.end >= victim.start for o in senders) else "residue"


def not_unique(rng: random.Random) -> Operations:
    """Several histories after one another, each with values of the others: most values are sent more than once."""
    operations = [o for _ in range(4) for o in small(rng)]
    shift = [rng.randrange(40) for _ in operations]
    return [
        msgspec.structs.replace(o, start=o.start + by, end=None if o.end is None else o.end + by)
        for o, by in zip(operations, shift, strict=True)
    ]


@pytest.mark.parametrize("histories", [small, not_unique], ids=["unique", "not unique"])
def test_counts(histories: object) -> None:
    """Each victim counts for its kind: an overlapping sender if there is one, else one before it, else none."""
    rng, total = random.Random(5), Counter[str]()
    for _ in range(HISTORIES // 4):
        operations = histories(rng)  # type: ignore[operator]
        victims = [o for o in operations if o.status == "ok" and o.result != o.value]
        expected = Counter(kind(operations, victim) for victim in victims)
        finding = check(KNOWN, operations)
        assert finding.counts == expected, operations
        if finding.proof:
            assert finding.proof.kind == kind(operations, operations[finding.proof.rows[0]])
        total += expected
    assert min(total[word] for word in ("overlap", "residue", "unexpected", "missing")) > HISTORIES // 100, total


def test_the_latest_culprit_is_named() -> None:
    """Of several senders it is one that overlaps; if none does, the latest that had ended."""
    victim = echo(20 * MS, 21 * MS, "x", "y", by=ONE)
    before = [echo(0, MS, "y", "y"), echo(MS, 18 * MS, "y", "y"), echo(3 * MS, 4 * MS, "y", "y")]
    proof = check(KNOWN, [*before, victim]).proof
    assert proof is not None
    assert "A had ended 2.000 ms before B started" in proof.text
    later = [echo(21 * MS, 90 * MS, "y", "y"), echo(22 * MS, 99 * MS, "y", "y")]
    proof = check(KNOWN, [*before, victim, *later]).proof
    assert proof is not None
    assert "A and B overlapped" in proof.text


def test_everything_leaks() -> None:
    """Where every request gets back what the one before it sent, each is a residue but the first."""
    operations = [echo(10 * i, 10 * i + 5, i, i - 1) for i in range(4000)]
    finding = check(KNOWN, operations)
    assert finding.counts == {"residue": 3999, "unexpected": 1}


def test_each_kind_that_was_met_is_a_finding_of_its_own() -> None:
    """Two kinds of leak in one history: each with its own proof, counts and keys."""
    both = [echo(0, 2, "x", "y"), echo(1, 4, "y", "y"), echo(6, 7, "z", "x", "k")]
    parts = check(KNOWN, both).parts
    assert {kind: (part.proof.rows, part.counts) for kind, part in parts.items() if part.proof} == {
        "overlap": ((0,), {"overlap": 1}),
        "residue": ((2,), {"residue": 1}),
    }
    assert check(KNOWN, both[:2]).parts == {}

"""Sessions: each guarantee by itself, what is counted, which pair is shown, and the words."""

import random
from collections import Counter

import msgspec
import pytest

from agreement import check
from counter_histories import MS, server
from models.known import Operations
from models.session import KNOWN, PARTS, kept, read, small, stored, unknown, version, write
from statelab.core.operation import Operation

ONE = server(12, 3)

WORDS: dict[str, tuple[Operations, str, str]] = {
    "own write not read": (
        [write(0, MS, 1234, by=ONE), read(3 * MS, 4 * MS, 1200, by=ONE)],
        "read-your-writes",
        "In session 0, A wrote version 1,234, and then B read version 1,200. But a session reads what it has written, "
        "or something newer. A had ended 2.000 ms before B started. "
        "A: pid 12, thread 3, from 0.000 to 1.000 ms. B: pid 12, thread 3, from 3.000 to 4.000 ms.",
    ),
    "read nothing": (
        [read(0, MS, 2, 7), read(3 * MS, 4 * MS, None, 7)],
        "monotonic-reads",
        "In session 7, A read version 2, and then B read nothing. But what a session reads never gets older. "
        "A had ended 2.000 ms before B started. "
        "A: from 0.000 to 1.000 ms. B: from 3.000 to 4.000 ms.",
    ),
    "writes": (
        [stored(0, MS, 2), stored(MS, 4 * MS, 2)],
        "monotonic-writes",
        "In session 0, A wrote version 2, and then B wrote version 2. But what a session writes is newer than all that "
        "it has written. A and B overlapped. "
        "A: from 0.000 to 1.000 ms. B: from 1.000 to 4.000 ms.",
    ),
    "a write that does not follow": (
        [read(0, MS, 2, key="k"), write(3 * MS, 4 * MS, 1, key="k"), read(0, MS, 0, key="l")],
        "writes-follow-reads",
        "In session 0, A read version 2, and then B wrote version 1. But what a session writes is newer than all that "
        "it has read. A had ended 2.000 ms before B started. "
        "A: key k, from 0.000 to 1.000 ms. B: key k, from 3.000 to 4.000 ms.",
    ),
}


@pytest.mark.parametrize(("operations", "part", "words"), WORDS.values(), ids=WORDS.keys())
def test_proof(operations: Operations, part: str, words: str) -> None:
    """The proof names session, versions and rule; it takes no clock."""
    finding = check(KNOWN, operations)
    assert finding.proof is not None
    assert (finding.proof.kind, finding.proof.text, finding.proof.slack_ns) == (part, words, None)
    assert finding.parts[part].proof == finding.proof
    assert [name for name, one in finding.parts.items() if one.verdict == "violated"] == [part]


def regressing(operations: Operations, part: str) -> dict[tuple[int, int], float]:
    """All pairs that break a guarantee, and by how many versions; nothing is one below the lowest."""
    first, then = PARTS[part]
    known = [version(o) for o in operations if o.status == "ok" and version(o) > float("-inf")]
    nothing = min(known, default=0) - 1
    return {
        (i, j): version(a) - max(version(b), nothing)
        for i, a in enumerate(operations)
        for j, b in enumerate(operations)
        if not kept([a, b], part) and (a.op, b.op) == (first, then) and a.start < b.start
    }


def test_each_guarantee_by_itself() -> None:
    """Each part gets the verdict of its own definition, counts the operations that break it, and shows the pair that
    goes back furthest; the whole shows the furthest of all."""
    rng, seen = random.Random(6), Counter[str]()
    for _ in range(3000):
        operations = small(rng)
        finding = check(KNOWN, operations)
        assert list(finding.parts) == list(PARTS)
        for part, own in finding.parts.items():
            pairs = regressing(operations, part)
            assert own.verdict == ("violated" if pairs else "held"), operations
            assert own.counts == ({part: len({j for _, j in pairs})} if pairs else {})
            if own.proof:
                assert pairs[own.proof.rows] == max(pairs.values())
                seen[part] += 1
        everything = [distance for part in PARTS for distance in regressing(operations, part).values()]
        if finding.proof:
            assert regressing(operations, finding.proof.kind)[finding.proof.rows] == max(everything)
    assert min(seen[part] for part in PARTS) > 200, seen


def test_the_closest_of_the_furthest() -> None:
    """Of pairs that go back equally far, the one in the shortest time is shown."""
    given = [
        write(0, 1, 9),
        write(10, 11, 9 + 1),
        read(20, 21, 8),
        write(40, 41, 20),
        read(44, 49, 18),
        read(42, 43, 18),
    ]
    proof = check(KNOWN, given).parts["read-your-writes"].proof
    assert proof is not None
    assert proof.rows == (3, 5)


def test_many_sessions_and_keys() -> None:
    """Each session of each key is by itself, whatever versions the others have; all are decided at once."""
    rng = random.Random(8)
    operations: list[Operation] = []
    for i in range(20_000):
        session, key = rng.randrange(50), rng.randrange(40)
        operations.append(rng.choice((read, write))(i, i, (i << 20) - 2**40 * session, session, str(key)))
    held = check(KNOWN, operations)
    assert held.verdict == "held"
    chosen = [i for i in rng.sample(range(10_000, 20_000), 5) if operations[i].op == "read"]
    for i in chosen:
        operations[i] = msgspec.structs.replace(operations[i], result=None)
    finding = check(KNOWN, operations)
    assert {*finding.violated_keys} == {
        [*dict.fromkeys(o.key for o in operations)].index(operations[i].key) for i in chosen
    }
    assert finding.counts["monotonic-reads"] == len(chosen) > 0


@pytest.mark.parametrize("sessions", [1, 3])
def test_any_number_is_a_version(sessions: int) -> None:
    """Versions as far apart as 64 bits allow."""
    least, most = -(2**63), 2**63 - 1
    given = [
        o
        for s in range(sessions)
        for o in (read(0, 1, None, s), write(2, 3, least, s), read(4, 5, least, s), write(6, 7, most, s))
    ]
    assert check(KNOWN, given).verdict == "held"
    assert check(KNOWN, [*given, read(8, 9, most - 1)]).counts == {"read-your-writes": 1}
    assert check(KNOWN, [*given[:3], read(8, 9, None)]).counts == {"read-your-writes": 1, "monotonic-reads": 1}


def test_an_unknown_write_imposes_nothing_and_may_be_read() -> None:
    """Its version may be seen or not by its own session; what was seen of it has been seen."""
    assert check(KNOWN, [unknown(0, 9), read(1, 2, 3), read(3, 4, 9)]).verdict == "held"
    assert check(KNOWN, [unknown(0, 9), read(1, 2, 9), read(3, 4, 3)]).counts == {"monotonic-reads": 1}

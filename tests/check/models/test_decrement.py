"""The counter that is decremented, alone or as well: the mirror, the search, and what they say."""

import random
from collections import Counter
from collections.abc import Iterable

import msgspec
import pytest

from agreement import HISTORIES
from counter_histories import MS, inc, random_operations, read, server, unknown
from models.counter import STEP, both_ways, dec, mirrored, referee, unknown_dec
from models.known import Operations
from statelab.check.kernels.forgetting import refutes
from statelab.check.kernels.model import Deadline, Finding, Proof
from statelab.check.models.counter.model import MODEL
from statelab.record.columns import History

SEED = 20_261_126
PASSED = Deadline(0.0)


def judged(history: History, initial: int = 0, deadline: Deadline | None = None) -> Finding:
    return MODEL.check(history, initial=initial, deadline=deadline or Deadline())


def check(operations: Operations, initial: int = 0) -> Finding:
    return judged(History.from_operations(operations), initial)


def proof(operations: Operations) -> Proof:
    found = check(operations).proof
    assert found is not None
    return found


def test_only_down_is_only_up_in_a_mirror() -> None:
    """A history with decrements for increments and negated numbers has the same verdict, witness, slack and counts."""
    rng, kinds = random.Random(SEED), Counter[str]()
    for _ in range(HISTORIES // 4):
        operations = random_operations(rng)
        up, down = check(operations), check(mirrored(operations))
        if not any(o.op == "increment" and o.status != "fail" for o in operations):
            assert up.verdict == down.verdict  # reads alone go neither way: their mirror image is no counter going down
            continue
        assert (up.verdict, up.counts, up.violated_keys) == (down.verdict, down.counts, down.violated_keys)
        if up.proof and down.proof:
            assert (up.proof.rows, up.proof.slack_ns) == (down.proof.rows, down.proof.slack_ns)
            assert down.proof.kind == {"too-low": "too-high"}.get(up.proof.kind, up.proof.kind)
            kinds[up.proof.kind] += 1
    assert min(kinds[kind] for kind in ("too-low", "gap", "duplicate", "inversion")) > HISTORIES // 400


def test_down_from_the_largest_to_the_least() -> None:
    """Numbers at either end of 64 bits have a mirror image too."""
    least, largest = -(2**63), 2**63 - 1
    assert check([dec(0, 1, least), read(2, 3, least)], least + 1).verdict == "held"
    assert check([dec(0, 1, largest - 1)], largest).verdict == "held"
    assert check([dec(0, 1, least), dec(2, 3, least)], least + 2).counts == {"duplicates": 1, "gaps": 1}


WORDS: dict[str, tuple[Operations, str]] = {
    "too high": (
        [dec(5 * MS, 6 * MS, 0)],
        "A was told 0. The counter starts at 0 and each decrement takes one away, so -1 is the most. {A}",
    ),
    "read too high": (
        [dec(0, MS, -1), read(0, MS, 1)],
        "A read 1. The counter starts at 0 and it is never incremented. {A}",
    ),
    "pair": (
        [dec(0, MS, -1), dec(0, 2 * MS, -1)],
        "A and B were both told -1. A counter that takes one away for each request can hand out -1 only once. {A} {B} "
        "Each found 0 and made it -1: one of the two updates is lost.",
    ),
    "pair that does not overlap": (
        [dec(0, MS, -1), dec(2 * MS, 3 * MS, -1)],
        "A and B were both told -1. A counter that takes one away for each request can hand out -1 only once. {A} {B} "
        "B started after A had ended and was told nothing lower.",
    ),
    "rolled back": (
        [dec(0, 9 * MS, -1), dec(0, MS, -1), dec(2 * MS, 3 * MS, -2), dec(10 * MS, 11 * MS, -2)],
        "A and B were both told -1. A counter that takes one away for each request can hand out -1 only once. {A} {B} "
        "B found 0 early and wrote -1 late: before B ended, the numbers down to -2 had been handed out, and -2 was "
        "handed out again (pid 12, thread 3, from 10.000 to 11.000 ms). B rolled back 2 updates.",
    ),
    "it went up": (
        [dec(0, 2 * MS, -2), read(3 * MS, 4 * MS, -1), dec(0, 9 * MS, -1)],
        "A was told -2. A had ended 1.000 ms before B started, yet B read -1: a counter that is never incremented does "
        "not go up. {A} {B}",
    ),
    "nobody can have made it": (
        [dec(0, MS, -5), unknown_dec(0)],
        "A was told -5, which takes 5 decrements; 2 had been asked for when A ended. Nobody can have produced -5. {A}",
    ),
    "out of reach both ways": (
        [inc(0, MS, 3), unknown(0), unknown_dec(0)],
        "A incremented and was told 3, so it found 2. The counter starts at 0, so that takes 2 other increments; 1 had "
        "been asked for when A ended. {A}",
    ),
    "a read out of reach": (
        [read(0, MS, -2), unknown(0), unknown_dec(0)],
        "A read -2. The counter starts at 0, so that takes 2 decrements; 1 had been asked for when A ended. {A}",
    ),
    "no order": (
        [inc(0, MS, 1), inc(2 * MS, 3 * MS, 1), unknown(0), unknown_dec(5 * MS)],
        "A incremented and was told 1. B incremented and was told 1. A had ended 1.000 ms before B started. "
        "The counter starts at 0, and between one of these answers and the next only other requests can move it, each "
        "by one and once. By then 1 other increment and 0 other decrements had been asked for, but at whatever moments "
        "they took effect, in every order that the times allow one of these answers is wrong. {A} {B}",
    ),
    "no order, no clock": (
        [inc(0, MS, 1), inc(0, MS, 1), unknown_dec(5 * MS)],
        "A incremented and was told 1. B incremented and was told 1. They all overlap. The counter starts at 0, and "
        "between one of these answers and the next only other requests can move it, each by one and once. None had "
        "been asked for by then, so in every order that the times allow one of these answers is wrong. {A} {B}",
    ),
}


@pytest.mark.parametrize(("operations", "words"), WORDS.values(), ids=WORDS.keys())
def test_proof(operations: Operations, words: str) -> None:
    """The proof names the operations, who served them and when, and why they contradict each other."""
    found = proof([msgspec.structs.replace(o, served_by=server(12, 3)) for o in operations])
    shown = sorted((operations[row] for row in found.rows), key=lambda o: (o.start, o.end or 0))
    when = [
        f"from {(o.start - shown[0].start) / MS:.3f} to {((o.end or 0) - shown[0].start) / MS:.3f} ms" for o in shown
    ]
    facts = {letter: f"{letter}: pid 12, thread 3, {times}." for letter, times in zip("AB", when, strict=False)}
    assert found.text == words.format(**facts)


@pytest.mark.parametrize("initial", [-3, 4, 2**63 - 40])
def test_both_ways_from_any_initial_value(initial: int) -> None:
    """The verdict is the referee's wherever the counter starts, also where answers lie far from that."""
    rng, verdicts = random.Random(SEED + 2), Counter[str]()
    for _ in range(HISTORIES // 10):
        operations = [
            msgspec.structs.replace(o, result=None if o.result is None else o.result + initial) for o in both_ways(rng)
        ]
        if rng.random() < 0.1:
            operations.append(msgspec.structs.replace(operations[0], op="read", status="ok", end=99, result=-(2**63)))
        verdicts[check(operations, initial).verdict] += 1
        assert referee(operations, initial) == (check(operations, initial).verdict == "held")
    assert min(verdicts["held"], verdicts["violated"]) > HISTORIES // 100


def large(n: int, rng: random.Random) -> Operations:
    """A valid history of about ten clients at a time that go up and down and read."""
    operations: Operations = []
    value = time = 0
    for _ in range(n):
        time += rng.randint(1, 2_000)
        start, end = time - rng.randint(0, 8_000), time + rng.randint(0, 8_000)
        op = rng.choice(("increment", "decrement", "read"))
        if op != "read" and rng.random() < 0.02:
            operations.append(msgspec.structs.replace(unknown(start), op=op))
            value += STEP[op] * rng.randint(0, 1)
        else:
            value += STEP[op]
            operations.append(msgspec.structs.replace(inc(start, end, value), op=op))
    return operations


def test_a_defect_among_10000_operations_both_ways() -> None:
    """The valid history is held; with one answer far off, or one that comes much too late, it is violated."""
    rng = random.Random(SEED + 3)
    operations = large(10_000, rng)
    assert check(operations).verdict == "held"
    answered = [i for i, o in enumerate(operations) if o.status == "ok" and i > 5_000]
    for moved in (300, -3_000, 40_000):
        row = rng.choice(answered)
        off = msgspec.structs.replace(operations[row], result=operations[row].result + moved)
        spoiled = History.from_operations([*operations[:row], off, *operations[row + 1 :]])
        finding = judged(spoiled)
        assert finding.verdict == "violated"
        assert finding.proof is not None
        if len(finding.proof.rows) == 1:
            assert_minimal(spoiled, finding)
        else:  # a good thousand: that it takes each of them is a search of its own for each
            assert refutes(spoiled, finding.proof.rows, MODEL.changes, violated)
            assert not refutes(spoiled, [row], MODEL.changes, violated)
            assert finding.proof.slack_ns is not None
            assert len(finding.proof.text) < 2_000


def violated(part: History) -> bool:
    return judged(part).verdict == "violated"


def assert_minimal(history: History, finding: Finding) -> None:
    assert finding.proof is not None
    rows = finding.proof.rows
    assert refutes(history, rows, MODEL.changes, violated)
    for row in rows:
        assert not refutes(history, [other for other in rows if other != row], MODEL.changes, violated)


def test_keys_go_their_own_ways() -> None:
    """In one history some keys go up, some down and some both ways; each is judged like alone, the proof is of one."""
    rng = random.Random(SEED + 4)
    makers = (random_operations, lambda rng: mirrored(random_operations(rng)), both_ways)
    histories = [makers[i % 3](rng) for i in range(HISTORIES // 20)]
    operations = [msgspec.structs.replace(o, key=str(i)) for i, alone in enumerate(histories) for o in alone]
    rng.shuffle(operations)
    history = History.from_operations(operations)
    finding = judged(history)
    assert {int(history.keys[code]) for code in finding.violated_keys} == {
        i for i, alone in enumerate(histories) if not referee(alone, 0)
    }
    assert list(finding.violated_keys) == sorted(finding.violated_keys)
    assert finding.counts == total(check(alone) for alone in histories)
    assert_minimal(history, finding)


def total(findings: Iterable[Finding]) -> dict[str, int]:
    return dict(sum((Counter(finding.counts) for finding in findings), Counter[str]()))


def test_out_of_time_is_unknown_unless_another_key_is_violated() -> None:
    """A search that is stopped says how far it came; one violated key decides all the same."""
    operations = large(2_000, random.Random(SEED + 5))
    stopped = judged(History.from_operations(operations), deadline=PASSED)
    assert (stopped.verdict, stopped.proof, stopped.violated_keys) == ("unknown", None, ())
    assert "answers fit one counter, then the search ended: time ran out" in stopped.reason
    spoiled = [*operations, inc(0, 1, 7, key="other")]
    finding = judged(History.from_operations(spoiled), deadline=PASSED)
    assert (finding.verdict, finding.proof and finding.proof.rows) == ("violated", (2_000,))


def test_a_failed_decrement_does_not_make_a_counter_go_both_ways() -> None:
    """It had no effect: the key only goes up, so two increments told the same number need no clock."""
    failed = msgspec.structs.replace(unknown_dec(0), status="fail", end=1)
    assert proof([inc(0, 1, 1), inc(0, 1, 1), failed]).kind == "duplicate"
    assert check([failed, inc(0, 1, 1)]).verdict == "held"

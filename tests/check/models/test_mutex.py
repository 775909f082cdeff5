"""The lock where the tests of all models do not reach: the search, slack, words, counts, many keys, coarse stamps."""

import random
from collections import Counter

import msgspec
import numpy as np
import pytest

from agreement import HISTORIES
from counter_histories import MS, server
from models.known import Operations
from models.mutex import KNOWN, acquired, asked, large, let_go, referee, released, small
from statelab.check.kernels.model import Deadline, Finding
from statelab.check.kernels.search import Outcome
from statelab.check.models.mutex import model
from statelab.check.models.mutex.holds import Pairs
from statelab.check.models.mutex.model import MODEL
from statelab.record.columns import History

SEED = 20_261_127


def judged(history: History, deadline: Deadline | None = None) -> Finding:
    return MODEL.check(history, initial=None, deadline=deadline or Deadline())


def check(operations: Operations) -> Finding:
    return judged(History.from_operations(operations))


def test_the_search_agrees_with_the_referee(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where holds alone do not decide, the search does, with either verdict, and it is right."""
    rng, verdicts, usual = random.Random(SEED), Counter[str](), model.searched

    def noted(history: History, deadline: Deadline) -> Outcome:
        outcome = usual(history, deadline)
        verdicts[outcome.verdict] += 1
        assert (outcome.verdict == "held") == referee(history.operations(), None)
        return outcome

    monkeypatch.setattr(model, "searched", noted)
    for _ in range(HISTORIES // 2):
        check(small(rng))
    assert min(verdicts["held"], verdicts["violated"]) > HISTORIES // 400


@pytest.mark.parametrize("whole", [False, True])
def test_only_suspects_need_be_looked_at_again(whole: bool) -> None:
    """What is certain contradicts itself only where plain holds do: all of it shows no other pairs than these alone."""
    rng, seen = random.Random(SEED), Counter[bool]()
    for by in [1, 3] * (HISTORIES // 4):
        found = model.holds(History.from_operations(_coarse(small(rng), by)))
        plain = model.plainly(found)
        wrong = model.contradictions(found, plain)
        suspects = np.union1d(wrong.one, wrong.other)
        few, every = (
            model.contradictions(found, model.at_least(found, some, whole=whole))
            for some in (suspects, np.sort(plain.place))
        )
        assert _listed(few) == _listed(every)
        seen[len(every) > 0 and len(suspects) < len(plain.place)] += 1
    assert min(seen.values()) > HISTORIES // 80


def _coarse(operations: Operations, by: int) -> Operations:
    """The same with stamps of a clock that ticks so many times less often."""
    return [
        msgspec.structs.replace(o, start=o.start // by, end=None if o.end is None else o.end // by) for o in operations
    ]


def _listed(pairs: Pairs) -> list[tuple[int, int, int]]:
    return list(zip(pairs.one.tolist(), pairs.other.tolist(), pairs.slack.tolist(), strict=True))


def test_stamps_so_coarse_that_many_are_equal() -> None:
    """The verdict is the referee's also where a client's operations start and end at one tick."""
    rng, verdicts = random.Random(SEED + 1), Counter[str]()
    for _ in range(HISTORIES // 2):
        coarse = _coarse(small(rng), 3)
        verdict = check(coarse).verdict
        verdicts[verdict] += 1
        assert (verdict == "held") == referee(coarse, None), coarse
    assert min(verdicts["held"], verdicts["violated"]) > HISTORIES // 12


def test_one_hold_or_two() -> None:
    """A release without an answer, then one with: what another client did in between needs an acquire to spare, and
    each can be spared once."""
    twice = [
        o
        for t in (0, 100)
        for o in (
            acquired(1, t + 10, t + 11),
            let_go(1, t + 20),
            acquired(2, t + 30, t + 31),
            released(2, t + 40, t + 41),
            released(1, t + 50, t + 51),
        )
    ]
    assert check(twice).verdict == "violated"
    assert check([asked(1, 0), *twice]).verdict == "violated"
    assert check([asked(1, 0), *twice[:5]]).verdict == "held"
    assert check([asked(1, 0), asked(1, 1), *twice]).verdict == "held"
    assert check([asked(1, 0), asked(1, 120), *twice]).verdict == "held"
    assert check([asked(1, 0), asked(1, 200), *twice]).verdict == "violated"


WORDS: dict[str, tuple[Operations, str]] = {
    "two holders": (
        [acquired(1, 0, MS), acquired(2, 2 * MS, 3 * MS), released(1, 5 * MS, 6 * MS)],
        "A acquired the lock for client 1, and B acquired the lock for client 2. A lock has one holder at a time."
        " B did not come after the hold of A: when B ended, client 1 had not asked to release what it held: it "
        "did so 2.000 ms later. Nor did A come later: A had ended 1.000 ms before B started. A: pid 12, thread 3,"
        " from 0.000 to 1.000 ms. B: pid 12, thread 3, from 2.000 to 3.000 ms.",
    ),
    "acquired twice": (
        [acquired(1, 0, MS), acquired(1, MS, 3 * MS)],
        "A acquired the lock for client 1, and B acquired the lock for client 1. A lock that is held must be "
        "released before it is acquired again. B did not come after the hold of A: when B ended, client 1 had not"
        " asked to release what it held: it never did. Nor did A come later: when A ended, client 1 had not asked"
        " to release what it held: it never did. A: pid 12, thread 3, from 0.000 to 1.000 ms. B: pid 12, thread "
        "3, from 1.000 to 3.000 ms.",
    ),
    "not the holder": (
        [asked(2, 0), acquired(1, 0, MS), released(2, 2 * MS, 3 * MS)],
        "A acquired the lock for client 1, and B released the lock for client 2. B must lie in a hold of its own "
        "client, so not in that of A. B did not come after the hold of A: when B ended, client 1 had not asked to"
        " release what it held: it never did. Nor did A come later: A had ended 1.000 ms before B started. A: pid"
        " 12, thread 3, from 0.000 to 1.000 ms. B: pid 12, thread 3, from 2.000 to 3.000 ms.",
    ),
    "never asked": (
        [released(1, 0, MS)],
        "A released the lock for client 1, which had never asked for it when A started. A: pid 12, thread 3, from"
        " 0.000 to 1.000 ms.",
    ),
    "released twice": (
        [acquired(1, 0, 0), released(1, 0, MS), released(1, 2 * MS, 3 * MS)],
        "2 times client 1 released the lock (A and B). Each release ends a hold of its own, but when B started "
        "client 1 had asked for the lock only 1 time. A: pid 12, thread 3, from 0.000 to 1.000 ms. B: pid 12, "
        "thread 3, from 2.000 to 3.000 ms.",
    ),
}


@pytest.mark.parametrize(("operations", "words"), WORDS.values(), ids=WORDS.keys())
def test_proof(operations: Operations, words: str) -> None:
    """The proof names the operations, their clients, who served them and when, and why they contradict each other."""
    proof = check([msgspec.structs.replace(o, served_by=server(12, 3)) for o in operations]).proof
    assert proof is not None
    assert proof.text == words


def test_a_large_witness_is_told_in_few_words() -> None:
    """A client that released once more than it asked, after a hundred times: four of its releases are named."""
    operations = [o for t in range(0, 1_000, 10) for o in (acquired(1, t, t + 1), released(1, t + 2, t + 3))]
    proof = check([*operations, released(1, 2_000, 2_001)]).proof
    assert proof is not None
    assert (proof.kind, len(proof.rows), proof.slack_ns) == ("no-hold", 101, None)
    assert proof.text.startswith("101 times client 1 released the lock (A, B, C, ... and operation 101). Each release")
    assert len(proof.text) < 500


def test_counts() -> None:
    """Each release that is too many and each pair of holds is counted."""
    assert check([acquired(1, 0, 1), acquired(2, 2, 3), acquired(3, 4, 5)]).counts == {"two-holders": 2}
    assert check([released(1, 0, 1), released(1, 2, 3)]).counts == {"no-hold": 2}


def test_stamps_of_64_bits() -> None:
    """From the least to the largest stamp there is, on two keys; the distance is right."""
    least, largest = -(2**63), 2**63 - 1
    operations = [
        acquired(1, least, least + 1),
        acquired(2, least + 2, least + 3),
        let_go(1, largest - 1),
        let_go(2, largest - 1),
    ]
    other = [msgspec.structs.replace(o, key="other", process=1) for o in operations]
    for given in (operations, [*operations, other[0]]):
        proof = check(given).proof
        assert proof is not None
        assert (proof.kind, proof.rows, proof.slack_ns) == ("two-holders", (0, 1), 2**64 - 5)


def test_out_of_time_is_unknown() -> None:
    """A search that is stopped says how far it came; what needs no search is decided all the same."""
    rng = random.Random(SEED + 4)
    waiting = [*(asked(3, -i) for i in range(1, 200)), *(o for t in range(0, 60_000, 100) for o in split(t))]
    stopped = judged(History.from_operations(waiting), Deadline(0.0))
    assert (stopped.verdict, stopped.proof) == ("unknown", None)
    assert "answers fit one lock, then the search ended: time ran out" in stopped.reason
    spoiled = KNOWN.defects["stolen"](large(1_000, rng), rng)
    assert judged(History.from_operations(spoiled), Deadline(0.0)).verdict == "violated"


def split(t: int) -> Operations:
    """What client 2 can only have done if client 3 had two holds."""
    return [
        acquired(3, t + 10, t + 11),
        let_go(3, t + 20),
        acquired(2, t + 30, t + 31),
        released(2, t + 40, t + 41),
        released(3, t + 50, t + 51),
    ]

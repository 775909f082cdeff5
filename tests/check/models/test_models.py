"""Every model of `statelab check` against its referee, its own definition of a witness, and planted defects."""

import importlib
import random
from collections import Counter
from dataclasses import replace
from functools import partial

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agreement import (
    HISTORIES,
    batch,
    check,
    columns,
    differs,
    forgotten,
    judged,
    lines,
    loosened,
    side_by_side,
    smallest_difference,
    violated,
)
from models.known import Known, Operations
from statelab.check.kernels.forgetting import forget, refutes
from statelab.check.kernels.model import Deadline, Finding
from statelab.check.models import MODELS
from statelab.core.operation import Value
from statelab.record.columns import INF, History

SEED = 20_261_122

KNOWN: list[Known] = [importlib.import_module(f"models.{name.replace('-', '_')}").KNOWN for name in MODELS]
EVERY = pytest.mark.parametrize("known", KNOWN, ids=list(MODELS))


@EVERY
def test_agrees_with_its_referee_on_random_histories(known: Known) -> None:
    """The verdict is that of exhaustive search on each random history, of which a good part is violated.

    They are checked at once, each as a key of its own, so this is also a test of locality: keys do not touch.
    """
    histories, valid, differing = batch(known, random.Random(SEED), HISTORIES)
    assert [histories[i] for i in differing[:1]] == []
    assert 0.3 < sum(valid) / HISTORIES < 0.7
    together = columns(known.model, side_by_side(histories))
    proof = judged(known, together).proof
    assert proof is not None
    assert len({int(together.key[row]) for row in proof.rows}) == 1


@EVERY
def test_agrees_with_its_referee_where_much_overlaps(known: Known) -> None:
    """And on half as many in which operations last longer and more of them got no answer."""
    histories, valid, differing = batch(loosened(known), random.Random(SEED + 5), HISTORIES // 2)
    assert [histories[i] for i in differing[:1]] == []
    assert 0.5 < sum(valid) / len(valid) < 0.9


@EVERY
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(rng=st.randoms(use_true_random=False))
def test_agrees_with_its_referee_wherever_hypothesis_looks(known: Known, rng: random.Random) -> None:
    """Hypothesis draws the history; where checker and referee differ, it looks for the fewest lines that show it."""
    operations = known.small(rng)
    assert not differs(known, operations), lines(operations)


def test_a_wrong_checker_is_caught_and_shown_in_a_few_lines() -> None:
    """A counter's checker that never looks at reads disagrees with the referee, on at most three operations."""

    def blind(history: History, *, initial: Value | None, deadline: Deadline) -> Finding:
        return MODELS["counter"].check(history.take(~history.is_op("read")), initial=initial, deadline=deadline)

    counter = next(known for known in KNOWN if known.model.name == "counter")
    wrong = replace(counter, model=replace(counter.model, check=blind))
    histories, _, _ = batch(counter, random.Random(SEED), 2000)
    first = next(operations for operations in histories if differs(wrong, operations))
    smallest = smallest_difference(first, partial(differs, wrong))
    assert differs(wrong, smallest)
    assert len(smallest) <= 3
    assert lines(smallest).count("\n") == len(smallest)


@EVERY
def test_alone_a_history_gets_the_same_verdict(known: Known) -> None:
    """Checked one by one, random histories get the referee's verdict."""
    rng = random.Random(SEED + 1)
    for _ in range(HISTORIES // 12):
        operations = known.small(rng)
        finding = check(known, operations)
        assert finding.verdict == ("held" if known.referee(operations, known.initial) else "violated"), operations
        assert (finding.proof is None) == (finding.verdict == "held")
        assert bool(finding.violated_keys) == (finding.verdict == "violated")


@EVERY
def test_a_witness_is_minimal(known: Known) -> None:
    """The witness alone is a violation, whatever the others were answered; without any one of it, it is none."""
    rng, seen = random.Random(SEED + 2), 0
    while seen < HISTORIES // 50:
        operations = known.small(rng)
        history = columns(known.model, operations)
        finding = judged(known, history)
        if finding.proof is None:
            continue
        seen += 1
        assert_minimal(known, history, finding)


def assert_minimal(known: Known, history: History, finding: Finding) -> None:
    def wrong(part: History) -> bool:
        return violated(known, part)

    assert finding.proof is not None
    rows, changes = finding.proof.rows, known.model.changes
    assert len(set(rows)) == len(rows) > 0
    assert refutes(history, rows, changes, wrong), history.operations()
    for row in rows:
        assert not refutes(history, [r for r in rows if r != row], changes, wrong), (history.operations(), rows, row)


@EVERY
def test_the_smallest_accepted(known: Known) -> None:
    """Each history that documents what is allowed is held, by the checker and by the referee."""
    for name, operations in known.accepted.items():
        assert check(known, operations).verdict == "held", name
        assert all(known.referee(part, known.initial) for part in by_key(operations)), name


@EVERY
def test_the_smallest_rejected(known: Known) -> None:
    """Each history that documents what is forbidden is violated, with that witness."""
    for name, (operations, kind, rows) in known.rejected.items():
        finding = check(known, operations)
        assert finding.proof is not None, name
        assert (finding.verdict, finding.proof.kind, list(finding.proof.rows)) == ("violated", kind, rows), name
        assert not all(known.referee(part, known.initial) for part in by_key(operations)), name


@EVERY
def test_slack_is_how_wrong_the_clocks_must_be(known: Known) -> None:
    """With every end later by one ns less than the slack the witness alone is still violated, with the slack it is
    not; without a slack no clock can save it."""
    rng, seen, turns = random.Random(SEED + 6), Counter[str](), 0
    wanted = known.clocks
    while turns < HISTORIES // 20 or min((seen[kind] for kind in wanted), default=15) < 15:
        turns += 1
        operations = [
            msgspec.structs.replace(o, start=10 * o.start, end=None if o.end is None else 10 * o.end)
            for o in known.small(rng)
        ]
        history = columns(known.model, operations)
        proof = judged(known, history).proof
        if (
            proof is None or proof.kind == "false-sold-out"
        ):  # that one's slack is of the whole history: test_inventory.py
            continue
        alone, slack = forget(history, proof.rows, known.model.changes)[0], proof.slack_ns
        seen[proof.kind] += slack is not None
        assert violated(known, later(alone, 10**6 if slack is None else slack - 1)), lines(operations)
        assert slack is None or not violated(known, later(alone, slack)), lines(operations)
    assert bool(+seen) == bool(wanted)


def later(history: History, by: int) -> History:
    return replace(history, end=np.where(history.end == INF, INF, history.end + by))


@pytest.mark.parametrize("name", ["counter", "register", "key-value", "mutex"])
def test_a_verdict_does_not_wait_for_its_proof_to_be_small(name: str) -> None:
    """Without any time for the proof the verdict is the same; what was searched for is a witness still, and says that
    a smaller one may exist."""
    known = KNOWN[list(MODELS).index(name)]
    rng, hurried = random.Random(SEED + 8), 0
    while hurried < 15:
        history = columns(known.model, known.small(rng))
        patient = judged(known, history)
        hasty = known.model.check(history, initial=known.initial, deadline=Deadline(proof_s=0.0))
        assert (hasty.verdict, hasty.violated_keys) == (patient.verdict, patient.violated_keys)
        if hasty.proof is None or patient.proof is None:
            continue
        assert not patient.proof.cut_short
        assert refutes(history, hasty.proof.rows, known.model.changes, partial(violated, known))
        assert hasty.proof.cut_short or set(hasty.proof.rows) == set(patient.proof.rows)
        hurried += hasty.proof.cut_short


@EVERY
def test_keys_have_nothing_to_do_with_each_other(known: Known) -> None:
    """500 keys with a random history each, of the same clients: violated are those that are violated alone."""
    rng = random.Random(SEED + 7)
    histories = [known.small(rng) for _ in range(500)]
    operations = [msgspec.structs.replace(o, key=str(i)) for i, alone in enumerate(histories) for o in alone]
    rng.shuffle(operations)
    history = columns(known.model, operations)
    found = judged(known, history)
    assert {int(history.keys[code]) for code in found.violated_keys} == {
        i for i, alone in enumerate(histories) if not known.referee(alone, known.initial)
    }
    assert found.proof is not None
    assert refutes(history, found.proof.rows, known.model.changes, partial(violated, known))


def by_key(operations: Operations) -> list[Operations]:
    keys = dict.fromkeys(o.key for o in operations)
    return [[o for o in operations if o.key == key] for key in keys]


@EVERY
def test_planted_defects_are_found(known: Known) -> None:
    """A valid history of 10,000 operations is held; with one defect, of every kind, it is violated, and shown why."""
    rng = random.Random(SEED + 3)
    operations = known.large(10_000, rng)
    assert len(operations) == 10_000
    assert check(known, operations).verdict == "held"
    for name, plant in known.defects.items():
        spoiled = columns(known.model, plant(list(operations), rng))
        finding = judged(known, spoiled)
        assert finding.verdict == "violated", name
        assert_minimal(known, spoiled, finding)


@EVERY
def test_unknown_outcomes_never_make_a_violation(known: Known) -> None:
    """Forgetting the answers of any operations of a valid history leaves it valid."""
    rng, seen = random.Random(SEED + 4), 0
    while seen < HISTORIES // 60:
        operations = known.small(rng)
        if not known.referee(operations, known.initial):
            continue
        seen += 1
        assert check(known, [forgotten(o) if rng.random() < 0.5 else o for o in operations]).verdict == "held"


@EVERY
def test_the_proof_speaks_of_its_operations(known: Known) -> None:
    """The words of each rejected history name every operation of the witness, and no internals."""
    for name, (operations, _, rows) in known.rejected.items():
        proof = check(known, operations).proof
        assert proof is not None
        letters = [chr(ord("A") + place) for place in range(min(len(rows), 26))]
        assert all(letter in proof.text for letter in letters), (name, proof.text)
        assert proof.text.endswith("."), name
        assert "np." not in proof.text, name


@EVERY
def test_nothing_is_held(known: Known) -> None:
    """A history without operations, or with only failed ones, contradicts nothing."""
    assert check(known, []).verdict == "held"

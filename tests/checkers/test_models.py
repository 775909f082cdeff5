"""Every model of `statelab check` against its referee, its own definition of a witness, and planted defects."""

import importlib
import random
from collections.abc import Iterable

import msgspec
import pytest

from models.known import Known
from models.known import Operations
from statelab.checkers import MODELS
from statelab.checkers.forgetting import refutes
from statelab.checkers.model import Deadline
from statelab.checkers.model import Finding
from statelab.checkers.model import Model
from statelab.columns import History
from statelab.history import Operation

HISTORIES = 20_000
SEED = 20_261_122

KNOWN: list[Known] = [importlib.import_module(f"models.{name.replace('-', '_')}").KNOWN for name in MODELS]
EVERY = pytest.mark.parametrize("known", KNOWN, ids=list(MODELS))


def columns(model: Model, operations: Operations) -> History:
    return History.from_operations(operations, answers=model.answers)


def check(known: Known, operations: Operations) -> Finding:
    return judged(known, columns(known.model, operations))


def judged(known: Known, history: History) -> Finding:
    return known.model.check(history, initial=known.initial, deadline=Deadline())


def violated(known: Known, history: History) -> bool:
    return judged(known, history).verdict == "violated"


def side_by_side(histories: Iterable[Operations]) -> Operations:
    """All histories in one, each with its own keys, clients and operation ids."""
    return [
        msgspec.structs.replace(
            o, key=str(i), process=f"{i}/{o.process}", op_id=None if o.op_id is None else f"{i}/{o.op_id}"
        )
        for i, operations in enumerate(histories)
        for o in operations
    ]


@EVERY
def test_agrees_with_its_referee_on_20000_histories(known: Known) -> None:
    """The verdict is that of exhaustive search on each of 20,000 random histories, of which a good part is violated.

    They are checked at once, each as a key of its own, so this is also a test of locality: keys do not touch.
    """
    rng = random.Random(SEED)
    histories = [known.small(rng) for _ in range(HISTORIES)]
    expected = [known.referee(operations, known.initial) for operations in histories]
    together = columns(known.model, side_by_side(histories))
    finding = judged(known, together)
    wrong = {int(together.keys[code]) for code in finding.violated_keys}
    differing = [i for i, valid in enumerate(expected) if valid == (i in wrong)]
    assert [histories[i] for i in differing[:1]] == []
    assert 0.3 < sum(expected) / HISTORIES < 0.7
    assert finding.verdict == "violated"
    together_row = [together.key[row] for row in finding.proof.rows]
    assert len(set(together_row)) == 1


@EVERY
def test_alone_a_history_gets_the_same_verdict(known: Known) -> None:
    """Checked one by one, 1,500 random histories get the referee's verdict."""
    rng = random.Random(SEED + 1)
    for _ in range(1500):
        operations = known.small(rng)
        finding = check(known, operations)
        assert finding.verdict == ("held" if known.referee(operations, known.initial) else "violated"), operations
        assert (finding.proof is None) == (finding.verdict == "held")
        assert bool(finding.violated_keys) == (finding.verdict == "violated")


@EVERY
def test_a_witness_is_minimal(known: Known) -> None:
    """The witness alone is a violation, whatever the others were answered; without any one of it, it is none."""
    rng, seen = random.Random(SEED + 2), 0
    while seen < 400:
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
    while seen < 300:
        operations = known.small(rng)
        if not known.referee(operations, known.initial):
            continue
        seen += 1
        assert check(known, [forgotten(known, o) if rng.random() < 0.5 else o for o in operations]).verdict == "held"


def forgotten(known: Known, operation: Operation) -> Operation:
    if operation.status == "fail":
        return operation
    return msgspec.structs.replace(operation, status="info", end=None, result=None, seen=None)


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

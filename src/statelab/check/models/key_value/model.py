"""The model `key-value`: a store of texts, with `put`, `append` and `get`."""

from collections import Counter

from statelab.check.kernels.model import Deadline, Finding, Model, Proof
from statelab.check.models.key_value.judge import judge
from statelab.check.models.key_value.witness import kind, proof, witness
from statelab.core.errors import counted
from statelab.core.operation import Value
from statelab.record.columns import History
from statelab.record.shapes import Shape


def check(history: History, *, initial: Value | None, deadline: Deadline) -> Finding:
    """Whether one text per key explains all answers."""
    text = "" if initial is None else str(initial)
    judged = judge(history, text, deadline)
    if judged.keys:
        found = witness(history, judged, text, deadline.for_proof())
        name = kind(history, found, text)
        return Finding(
            verdict="violated",
            reason="no text that changes by puts and appends alone can have given these answers",
            proof=Proof(name, found.rows, proof(history, found, name, text), found.slack_ns, found.cut_short),
            counts=dict(Counter([kind for kind, _, _ in judged.alone] + ["forks"] * len(judged.forks))),
            violated_keys=tuple(sorted(judged.keys)),
            undecided=len(judged.undecided),
        )
    if judged.undecided:
        key, why = judged.undecided[0]
        name = f"key {history.keys[key]!r}" if history.keys[key] else "the key"
        more = f", and {counted(len(judged.undecided) - 1, 'other key')}" if len(judged.undecided) > 1 else ""
        several = f"the texts of {name} can be read in several ways"
        return Finding(verdict="unknown", reason=f"{several}, and the search for an order did not end: {why}{more}")
    return Finding(verdict="held", reason="one text per key explains all answers")


MODEL = Model(
    name="key-value",
    promise="each get returns the last text put and all that was appended to it since",
    operations={
        "put": Shape(value="text"),
        "append": Shape(value="text"),
        "get": Shape(result="text", nothing=frozenset({"result"}), changes=False),
    },
    check=check,
    initial="",
    initial_kind="text",
)

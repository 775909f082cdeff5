"""What a model is: the operations it knows, what is promised of them, and the function that decides.

`statelab check` reads a history by the shapes, so a checker may rely on them: every row is one of the model's
operations, an `ok` row has its fields, and no other row has a result.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Literal, Protocol

from statelab.core.operation import Value
from statelab.record.columns import History, Integers
from statelab.record.shapes import Shapes

VerdictName = Literal["held", "violated", "unknown"]


@dataclass(frozen=True, slots=True)
class Proof:
    """Why a history is violated: the rows of a witness, the smallest set of operations that is itself a violation.

    `kind` is the model's word for the contradiction. `slack_ns` is by how much clocks would have to be wrong for it
    to vanish, in the unit of the history (None: it needs no clock). `text` is the proof for a reader who does not
    know the algorithm. `cut_short`: the time for making it small ended, so there may be a smaller one, and the slack is
    not known.
    """

    kind: str
    rows: tuple[int, ...]
    text: str
    slack_ns: int | None = None
    cut_short: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a model says of a history.

    `reason` is one sentence: what fits, what contradicts, or why it is unknown. `counts` are the model's own words
    with how often each was met (zeros left out), such as `lost`, `stale`, `duplicates`. `violated_keys` are the codes
    of all keys that are violated, ascending. `parts` are promises with a verdict of their own, where the model has
    several; the finding's verdict is then the worst of theirs. `undecided` keys of a violated history are those whose
    search ended before the answer: there may be more violations, and a smaller proof.
    """

    verdict: VerdictName
    reason: str
    proof: Proof | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    violated_keys: tuple[int, ...] = ()
    parts: Mapping[str, "Finding"] = field(default_factory=dict)
    undecided: int = 0

    def at(self, rows: Integers) -> "Finding":
        """The same, with its proof in the rows of a larger history in which row i is `rows[i]`."""
        if self.proof is None:
            return self
        return replace(self, proof=replace(self.proof, rows=tuple(rows[list(self.proof.rows)].tolist())))


@dataclass(frozen=True, slots=True)
class Deadline:
    """When to give up, by `time.monotonic`; and how many seconds a proof is made smaller once a verdict is known."""

    at: float = float("inf")
    proof_s: float = float("inf")

    @classmethod
    def after(cls, seconds: float, proof_s: float = float("inf")) -> "Deadline":
        return cls(monotonic() + seconds, proof_s)

    def for_proof(self) -> "Deadline":
        """When to stop making the proof smaller, from now on."""
        return Deadline(min(self.at, monotonic() + self.proof_s))

    @property
    def passed(self) -> bool:
        return monotonic() >= self.at


class Check(Protocol):
    """Decides a history whose keys are objects of their own. `initial` is the value before the first operation."""

    def __call__(self, history: History, *, initial: Value | None, deadline: Deadline) -> Finding: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Model(Shapes):
    """`promise` completes the sentence "a history is held if ...". `initial` is the default (None: nothing yet), and
    `initial_kind` what `--initial` may be (None: the model has no initial value). If `needs_initial`, it must be given;
    no integer may be below `least_initial`. `scoped`: whether checking again per session, thread, process and host says
    how far the state reaches. `whole`: why a history cannot be judged key by key, part by part (None: it can)."""

    promise: str
    check: Check
    initial: Value | None = None
    initial_kind: Literal["integer", "text", "value"] | None = None
    needs_initial: bool = False
    least_initial: int | None = None
    scoped: bool = True
    whole: str | None = None

    @property
    def initial_words(self) -> str:
        """What an initial value may be, for the person who gave another."""
        words = {"integer": "an integer", "text": "a text", "value": "an integer or a text", None: "none"}
        return words[self.initial_kind] + ("" if self.least_initial is None else f" from {self.least_initial} on")

"""Schedules as data: which request is sent when, and which one is held meanwhile."""

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import Literal

from statelab.core.operation import Operation
from statelab.core.operation import Value
from statelab.plan.catalogue import Claims

NO_GATE = "It needs no gate: nobody has to come between the read and the write of another."

Place = Literal["one-copy", "one-process", "two-copies"]


@dataclass(frozen=True, slots=True)
class Meet:
    """Connections are opened until two of them lead to one copy of the state in which requests can collide, to one
    process, or to two copies. These two are kept for the pair."""

    pair: tuple[str, str]
    place: Place = "one-copy"


@dataclass(frozen=True, slots=True)
class _Act:
    """`who` asks for an operation. `{n}` in an argument is the number of the request, `{play}` a name that no other
    play has; `key` is put behind that of the play."""

    who: str
    operation: str
    arguments: Mapping[str, Value] = field(default_factory=dict, kw_only=True)
    key: str = field(default="", kw_only=True)


@dataclass(frozen=True, slots=True)
class Hold(_Act):
    """`who` is sent and held when it calls its window for the `point`-th time."""

    point: int = field(default=1, kw_only=True)


@dataclass(frozen=True, slots=True)
class Run(_Act):
    """`who` is sent and runs to its end; one that does not end within the schedule's patience is left waiting.

    It goes over the connection that was kept for `via` (default: for itself), or over a new one, and brings the cookies
    that the browser has then, or those that it had when `as_of` was sent.
    """

    via: str | None = field(default=None, kw_only=True)
    as_of: str | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class Burst(_Act):
    """Several at once, `who`1, `who`2, ..., and nobody is held; again until more than one copy of the state has
    answered, where there are several, until one of them has failed, or until one got no answer at all."""

    until: Literal["copies", "failure", "silence"] = field(default="copies", kw_only=True)


@dataclass(frozen=True, slots=True)
class Release:
    """`who` is let go; everybody runs to his end."""

    who: str


Act = Hold | Run | Burst
Step = Meet | Act | Release


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """`held_where` says in words where its `Hold` stands, `without_gate` why it has none. `patience_s` is how long a
    `Run` may take before the next step comes all the same, `limit_s` how long a client waits for its answer."""

    steps: tuple[Step, ...]
    held_where: str = ""
    without_gate: str = NO_GATE
    patience_s: float = 5.0
    limit_s: float = 12.0

    @property
    def gated(self) -> bool:
        """Whether it needs a gate; else its requests simply follow each other."""
        return any(isinstance(step, Hold) for step in self.steps)

    @property
    def collides(self) -> bool:
        """Whether requests must meet: one is held, or many are sent at once until they did."""
        return self.gated or any(isinstance(step, Burst) and step.until != "copies" for step in self.steps)

    @property
    def in_one_copy(self) -> bool:
        """Whether its requests meet in one copy of the state; what others did to other copies is another matter."""
        return any(isinstance(step, Meet) and step.place == "one-copy" for step in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What a workload's faults need to show themselves.

    `schedules` by the theory's fault, since several may be the same anomaly to a client; `attempt` is what is tried
    where none is predicted; `in_words` says of an answered operation what it found and left; `unheld` says of a
    mechanism why it shows nothing when a request is held.
    """

    schedules: Mapping[str, Schedule]
    attempt: Schedule
    in_words: Callable[[Operation, Claims], str]
    unheld: Mapping[str, str] = field(default_factory=dict)

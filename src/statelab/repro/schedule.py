"""Schedules as data: which request is sent when, and which one is held."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from statelab.core.operation import Operation, Value
from statelab.plan.catalogue import Claims

NO_GATE = "It needs no gate: no request has to come between the read and the write of another."

Place = Literal["one-copy", "one-process", "two-copies"]


@dataclass(frozen=True, slots=True)
class Meet:
    """Opens connections until two of them lead to one copy of the state in which requests can collide, to one process,
    or to two copies. The pair then uses these two."""

    pair: tuple[str, str]
    place: Place = "one-copy"


@dataclass(frozen=True, slots=True)
class _Act:
    """`who` asks for an operation. In an argument, `{n}` stands for the number of the request and `{play}` for a name
    that no other play has; `key` is appended to the key of the play."""

    who: str
    operation: str
    arguments: Mapping[str, Value] = field(default_factory=dict, kw_only=True)
    key: str = field(default="", kw_only=True)


@dataclass(frozen=True, slots=True)
class Hold(_Act):
    """`who` is sent, and held when it calls its window for the `point`-th time."""

    point: int = field(default=1, kw_only=True)


@dataclass(frozen=True, slots=True)
class Run(_Act):
    """`who` is sent and runs to its end; if it does not end within the schedule's patience, it is left waiting.

    It uses the connection that was kept for `via` (default: `who`), or a new one. It sends the cookies that the browser
    has at that time, or those that it had when `as_of` was sent.
    """

    via: str | None = field(default=None, kw_only=True)
    as_of: str | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class Burst(_Act):
    """Several requests at once, `who`1, `who`2, ..., none of them held. Repeated until more than one copy of the state
    has answered (if there are several), until a request failed, or until one got no answer at all."""

    until: Literal["copies", "failure", "silence"] = field(default="copies", kw_only=True)


@dataclass(frozen=True, slots=True)
class Release:
    """`who` is let go; all requests run to their end."""

    who: str


Act = Hold | Run | Burst
Step = Meet | Act | Release


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """`held_where` says in words where a request is held, `without_gate` why none is. `patience_s` is how long a `Run`
    may take before the next step begins anyway, `limit_s` how long a client waits for its answer."""

    steps: tuple[Step, ...]
    held_where: str = ""
    without_gate: str = NO_GATE
    patience_s: float = 5.0
    limit_s: float = 12.0

    @property
    def gated(self) -> bool:
        """Whether it needs a gate; without one, its requests simply follow each other."""
        return any(isinstance(step, Hold) for step in self.steps)

    @property
    def collides(self) -> bool:
        """Whether requests must meet: one is held, or many are sent at once until two have met."""
        return self.gated or any(isinstance(step, Burst) and step.until != "copies" for step in self.steps)

    @property
    def in_one_copy(self) -> bool:
        """Whether its requests meet in one copy of the state, so that only that copy is judged."""
        return any(isinstance(step, Meet) and step.place == "one-copy" for step in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """How to show the faults of a workload.

    `schedules` are by the theory's name of the fault, because several faults may be the same anomaly to a client;
    `attempt` is tried if no fault is predicted; `in_words` says what an answered operation found and did; `unheld` says
    why a mechanism shows nothing when a request is held.
    """

    schedules: Mapping[str, Schedule]
    attempt: Schedule
    in_words: Callable[[Operation, Claims], str]
    unheld: Mapping[str, str] = field(default_factory=dict)

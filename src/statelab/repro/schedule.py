"""Schedules as data: which request is sent when, and which one is held meanwhile."""

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field

from statelab.catalogue import Claims
from statelab.history import Operation


@dataclass(frozen=True, slots=True)
class Meet:
    """`who` does the operation over one new connection after the other, until two of them lead to one copy of the state
    (`process`: to one process). These two are kept for the pair, which so meets in one place."""

    who: str
    operation: str
    pair: tuple[str, str]
    process: bool = False


@dataclass(frozen=True, slots=True)
class Hold:
    """`who` is sent and held when it calls its window for the `point`-th time."""

    who: str
    operation: str
    point: int = 1


@dataclass(frozen=True, slots=True)
class Run:
    """`who` is sent and runs to its end; one that does not end within the schedule's patience is left waiting.

    It goes over the connection that was kept for `via` (default: for itself), or over a new one.
    """

    who: str
    operation: str
    via: str | None = None
    arguments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Burst:
    """Several at once, `who`1, `who`2, ..., and nobody is held; again until more than one copy has answered."""

    who: str
    operation: str


@dataclass(frozen=True, slots=True)
class Release:
    """`who` is let go; everybody runs to his end."""

    who: str


Step = Meet | Hold | Run | Burst | Release


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """`held_where` says in words where its `Hold` stands. `patience_s` is how long a `Run` may take before the next
    step comes all the same, `limit_s` how long a client waits for its answer."""

    steps: tuple[Step, ...]
    held_where: str = ""
    patience_s: float = 5.0
    limit_s: float = 12.0

    @property
    def gated(self) -> bool:
        """Whether it needs a gate; else its requests simply follow each other."""
        return any(isinstance(step, Hold) for step in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What a workload's faults need to show themselves.

    `schedules` by the theory's fault, since several may be the same anomaly to a client; `attempt` is what is tried
    where none is predicted; `in_words` says of an answered operation what it found and left.
    """

    schedules: Mapping[str, Schedule]
    attempt: Schedule
    in_words: Callable[[Operation, Claims], str]

"""Schedules as data: which request is sent when, and which one is held meanwhile."""

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass

from statelab.catalogue import Claims
from statelab.history import Operation


@dataclass(frozen=True, slots=True)
class Everywhere:
    """`who` does the operation again and again until every copy of the state has answered."""

    who: str
    operation: str


@dataclass(frozen=True, slots=True)
class Hold:
    """`who` is sent and held when it calls its window for the `point`-th time."""

    who: str
    operation: str
    point: int = 1


@dataclass(frozen=True, slots=True)
class Run:
    """`who` is sent and runs to its end; one that does not end within the schedule's patience is left waiting.

    It is sent again until it meets the copy of the state that served `meets`, or another than served `avoids`.
    """

    who: str
    operation: str
    meets: str | None = None
    avoids: str | None = None


@dataclass(frozen=True, slots=True)
class Crowd:
    """One request for each process, `who`1, `who`2, ...: whichever of them `who` has to meet, one does."""

    who: str
    operation: str


@dataclass(frozen=True, slots=True)
class Release:
    """`who` is let go; everybody runs to his end."""

    who: str


Step = Everywhere | Hold | Run | Crowd | Release


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
    """What a workload's anomalies need to show themselves.

    `schedules` by anomaly, or by `ANOMALY between BOUNDARY` for copies that nothing but this boundary parts; `attempt`
    is what is tried where none is predicted; `in_words` says of an answered operation what it found and left.
    """

    schedules: Mapping[str, Schedule]
    attempt: Schedule
    in_words: Callable[[Operation, Claims], str]

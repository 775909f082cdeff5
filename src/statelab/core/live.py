"""The messages between Locust and the judge beside it while a load is running: JSON lines both ways.

Locust sends Begin, then about once a second a Batch, which is followed by recorded lines. The judge answers each batch
with Seen. With workers, each records by a clock of its own and is a Part of each batch.
"""

import msgspec

from statelab.core.clocks import Exchange

MOST_JUDGED = 1_000_000
"""The most operations of one run that are judged; later ones are only counted."""


class Begin(msgspec.Struct, frozen=True, kw_only=True, tag="begin"):
    """A run begins. Its operations start after `since` (ns of the master's CLOCK_MONOTONIC). `changes` are the
    operations that change state. Without `meanwhile`, only the whole history is judged, at the end. With a `folder`,
    the judged history is written into it."""

    key: str
    workload: str
    changes: list[str]
    expected_processes: int | None
    spread: list[str]
    in_turn: list[str]
    since: int = 0
    meanwhile: bool = True
    folder: str = ""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What one worker has recorded: `size` bytes of lines. Every operation that started before `until`, by its own
    clock, has been sent. The exchanges since the last part relate that clock to the master's (None: they are the same
    clock). `gone`: the worker has vanished without notice, and sends nothing more. Then `unanswered` bytes of lines
    follow: the operations that it had requested and that had no answer at `until`."""

    worker: str
    size: int
    until: int
    exchanges: list[Exchange] | None
    gone: bool = False
    unanswered: int = 0


class Batch(msgspec.Struct, frozen=True, kw_only=True, tag="batch"):
    """Operations that have ended: `size` bytes of lines by the master's clock, then those of the parts. `until` (ns of
    the master's CLOCK_MONOTONIC): every operation of the master, and of workers that have sent nothing so far, that
    started before it has been sent. None: the run has ended, and nothing more follows. `trouble` is why the whole
    history cannot be judged."""

    until: int | None
    size: int
    trouble: str = ""
    parts: list[Part] = []

    @property
    def bytes_that_follow(self) -> int:
        return self.size + sum(part.size + part.unanswered for part in self.parts)


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """The last answer of one process of the app."""

    name: str
    colour: str
    value: str


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """The smallest proof: its anomaly, its text, and its timeline as SVG."""

    anomaly: str
    text: str
    svg: str


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the chart; each point is a time in seconds and a value."""

    name: str
    colour: str
    points: list[tuple[float, int]]


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What is known so far. `judged` operations were judged, `recorded` have ended. `anomalies` come with their
    meaning. `lost` are bounds; None if the workload counts nothing, or nothing was judged yet. `notes` are remarks
    about workers and their clocks."""

    key: str
    ended: bool
    acknowledged: dict[str, int]
    failed: int
    unknown: int
    shown: list[Shown]
    further: int
    verdict: str
    reason: str
    anomalies: dict[str, str]
    lost: tuple[int, int] | None
    judged: int
    recorded: int
    proof: Proof | None
    chart: list[Line]
    notes: list[str] = []

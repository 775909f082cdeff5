"""What passes between Locust and the judge beside it while a load is running: JSON lines both ways.

Locust sends Begin, then about once a second a Batch, which is followed by `size` bytes of recorded lines. The judge
answers each batch with Seen.
"""

import msgspec

MOST_JUDGED = 1_000_000
"""So many operations of one run are judged; what comes later is only counted."""


class Begin(msgspec.Struct, frozen=True, kw_only=True, tag="begin"):
    """A run begins. `changes` are the operations that change state."""

    key: str
    workload: str
    changes: list[str]
    expected_processes: int | None
    spread: list[str]
    in_turn: list[str]


class Batch(msgspec.Struct, frozen=True, kw_only=True, tag="batch"):
    """Operations that have ended. Every operation that started before `until` (ns of CLOCK_MONOTONIC) has been sent;
    None: the run has ended, and this is all there is. `trouble` is why nothing can be said of the whole."""

    until: int | None
    size: int
    trouble: str = ""


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What a process of the app answered last."""

    name: str
    colour: str
    value: str


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """The smallest proof: its anomaly, its text, and its timeline as SVG."""

    anomaly: str
    text: str
    svg: str


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the chart, as points of seconds and value."""

    name: str
    colour: str
    points: list[tuple[float, int]]


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What is known so far. `judged` operations were judged, `recorded` have ended; `anomalies` have their meaning;
    `lost` are bounds, None where the workload counts nothing or nothing was judged yet."""

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

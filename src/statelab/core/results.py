"""The results of a run as values: the one form that every report renders and results.json stores."""

from typing import Any, Literal

import msgspec

from statelab.core.operation import Operation

VerdictName = Literal["held", "violated", "unknown", "not-exercised", "unavailable"]

ANOMALIES: dict[str, str] = {
    "lost-update": "an acknowledged update is missing: another one overwrote it",
    "divergent": "several copies: which value a request sees depends on who serves it",
    "never-persists": "every request starts from the beginning; nothing is kept for the next one",
    "misreported": "the total is right, but the numbers handed out are not (two requests got the same one)",
    "overcounted": "more updates took effect than were asked for",
    "leak-overlap": "a request read what another one stored that was under way at the same time",
    "leak-residue": "a request found what an earlier one had left behind",
    "wrong-user": "a client was shown somebody else's data",
    "logged-out": "a client's session was not known any more although nobody had ended it",
    "logout-undone": "a session that had been ended was there again",
    "stale": "a read returned an older value after an update had been acknowledged",
    "phantom": "a read returned a value that nobody had written",
    "stampede": "one miss was computed several times at once",
    "crossed-replies": "a reply of the store went to another request than the one that had asked",
    "broken-connection": "requests failed because of their connection while the store was up",
    "connections-left": "connections stayed open that nobody uses any more",
    "oversold": "more was sold than there was",
    "false-sold-out": "a buyer was refused while there was stock",
    "over-limit": "more requests were let through than the limit allows",
    "over-refused": "requests were refused although the limit was not reached",
    "duplicate-id": "two requests were given the same id",
    "ran-n-times": "what was to take effect once took effect several times",
    "never-ran": "what was to take effect once took no effect",
    "two-holders": "two clients held the lock at the same time",
    "stuck": "nobody could take the lock although its holder was gone",
    "stalled": "requests got no answer within the time limit although their work takes milliseconds",
}
"""The name of each anomaly, with its one-line meaning."""


ENDINGS: dict[str, str] = {
    "request": "the request that wrote it ends; another one reads it",
    "worker": "gunicorn is sent SIGHUP and replaces its worker, as at a deploy",
    "server": "gunicorn and all that it started are killed, and it is started again",
    "store": "Redis, memcached and PostgreSQL are asked to end, and started again",
    "everything": "app and stores are killed at once and started again; disks keep what they were given",
    "host": "the host to which a balancer's cookie keeps the client goes away; another one serves it then",
}
"""What state may outlive, smallest first, with how the lab makes it happen. The host is one of several."""


class CellKey(msgspec.Struct, frozen=True, kw_only=True):
    """A cell's address: results of different windows are never pooled."""

    workload: str
    mechanism: str
    deployment: str
    window: str


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """What the rule says about a cell: the anomalies it expects (none: `held`), whether `held` rests on a promise or
    only on the lack of a switch point, and the reason in words."""

    anomalies: tuple[str, ...]
    guaranteed: bool
    reason: str


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    ok: int
    fail: int
    info: int
    timed_out: int = 0


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """How much of the deployment answered. `expected_processes` is None where every request has its own process;
    `overlaps` counts pairs of operations whose intervals touch. `met`: if a request does its operation many times, how
    many pairs of requests did so at the same time, by the clock of their host (None: it does it once). If no answer
    names its server, the first four are not `known`."""

    processes: int
    expected_processes: int | None
    threads: int
    greenlets: int
    overlaps: int
    met: int | None = None
    known: bool = True

    @property
    def tries(self) -> int:
        """The number of pairs in which something could have gone wrong, on which the claim "not seen" rests."""
        return self.overlaps if self.met is None else self.met


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """A count that unknown outcomes leave uncertain."""

    min: int
    max: int


class Witness(msgspec.Struct, frozen=True, kw_only=True):
    """The smallest sub-history that is itself a violation, with its proof in words.

    `context` are a few neighbouring operations for the picture (not part of the proof). `slack_ns` is the clock error
    that would make the violation vanish (None: no clock is needed). `culprit` is the op_id of the operation that
    overwrote others, if there is one.
    """

    anomaly: str
    operations: list[Operation]
    text: str
    context: list[Operation] = []
    slack_ns: int | None = None
    culprit: str | None = None


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """Percentiles of the ok operations, in ms."""

    p50: float
    p95: float
    p99: float


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    low: float
    high: float


class Runs(msgspec.Struct, frozen=True, kw_only=True):
    """Several runs, each with fresh servers: the cell was violated in `violated` of `total`, with the 95 %
    Clopper-Pearson interval of that share. The share of acknowledged updates lost is the median over runs, with a 95 %
    bootstrap interval (None below 5 runs)."""

    total: int
    violated: int
    interval: Interval
    lost_share_median: float | None = None
    lost_share_interval: Interval | None = None


class Fix(msgspec.Struct, frozen=True, kw_only=True):
    """Another mechanism that held in the same deployment with the same window of the same run.

    The ratios are its throughput and its p95 latency over those of the broken one (None: a figure is missing).
    `passed_over` are the mechanisms that the theory ranks nearer, but that the run did not see hold.
    """

    mechanism: str
    rate_ratio: float | None
    p95_ratio: float | None
    passed_over: list[str] = []


class Survival(msgspec.Struct, frozen=True, kw_only=True):
    """What a counter kept when something ended and began again: `counted` before, `found` afterwards.

    `predicted`: whether the rule says that the value is kept (None: nothing of this kind could end). `ms` is the time
    until the server answered again. `reason` says why there is no result.
    """

    mechanism: str
    ending: str
    predicted: bool | None
    counted: int = 0
    found: int | None = None
    ms: float = 0.0
    reason: str | None = None

    @property
    def kept(self) -> bool | None:
        """Whether the value was kept; None if unknown."""
        return None if self.found is None else self.found == self.counted

    @property
    def agrees(self) -> bool:
        """Whether theory and experiment agree; true if there is no result."""
        return self.kept is None or self.kept == self.predicted


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the report. A field that does not apply is None. Nothing is predicted where nothing is `claimed`.

    `fix` is the nearest mechanism that holds in this deployment; `lasting_fix` one that holds in every deployment that
    was measured and outlives a worker. They may be the same. `file` is the file of the mechanism if it is outside of
    the lab.
    """

    workload: str
    mechanism: str
    deployment: str
    window: str
    predicted: list[str]
    guaranteed: bool
    prediction_reason: str
    verdict: VerdictName
    reason: str
    claimed: bool = True
    anomalies: list[str] = []
    operations: Counts | None = None
    coverage: Coverage | None = None
    lost: Bounds | None = None
    duplicates: int | None = None
    race_events: int | None = None
    inversions: int | None = None
    scope: str | None = None
    witness: Witness | None = None
    rate_ops_s: float | None = None
    latency_ms: Latency | None = None
    runs: Runs | None = None
    fix: Fix | None = None
    lasting_fix: Fix | None = None
    file: str | None = None


class Results(msgspec.Struct, frozen=True, kw_only=True):
    manifest: dict[str, Any]
    cells: list[Cell]

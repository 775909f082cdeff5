"""What was measured of a cell, as the judges of all workloads give it."""

import msgspec

from statelab.check.judges.coverage import Expectation
from statelab.check.judges.coverage import counts
from statelab.check.judges.coverage import coverage
from statelab.check.judges.coverage import latency
from statelab.check.judges.coverage import rate
from statelab.core.results import Bounds
from statelab.core.results import Counts
from statelab.core.results import Coverage
from statelab.core.results import Latency
from statelab.core.results import Runs
from statelab.core.results import VerdictName
from statelab.core.results import Witness
from statelab.record.columns import History


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured of a cell; every field but `witnesses` is that of `results.Cell`.

    `anomalies` are in the order of `results.ANOMALIES`, `witnesses` has one for each, and `witness` is that of the
    first. `duplicates` and `inversions` are those a client sees, over the whole history; `race_events` and `lost` are
    counted within the copies of the state, so that several copies alone make none of them.
    """

    verdict: VerdictName
    reason: str
    operations: Counts
    coverage: Coverage
    anomalies: list[str] = []
    lost: Bounds | None = None
    duplicates: int | None = None
    race_events: int | None = None
    inversions: int | None = None
    scope: str | None = None
    witness: Witness | None = None
    witnesses: dict[str, Witness] = {}
    rate_ops_s: float | None = None
    latency_ms: Latency | None = None
    runs: Runs | None = None


def unjudged(history: History, expectation: Expectation) -> Judgement:
    """What can be said of a history before it is judged."""
    return Judgement(
        verdict="unknown",
        reason="",
        operations=counts(history, expectation),
        coverage=coverage(history, expectation),
        rate_ops_s=rate(history, expectation),
        latency_ms=latency(history, expectation),
    )

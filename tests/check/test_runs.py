"""Several runs as one result: the run is the unit of inference, and unknown never passes."""

import msgspec
import pytest

from counter_histories import history, inc, read, server
from statelab.check.assess import cell
from statelab.check.judges.counter.judge import judge
from statelab.check.judges.judgement import Expectation, Judgement
from statelab.check.runs import combine
from statelab.core.results import Bounds, Cell, CellKey, Counts, Interval, Prediction, VerdictName

ONE = server()
SYNC = Expectation(expected_processes=1)


def run(sound: int, lost: int = 0) -> Judgement:
    """A run of `sound` increments one after the other, and `lost` more that were all told the last number again."""
    good = [inc(10 * n, 10 * n + 5, n + 1, ONE) for n in range(sound)]
    bad = [inc(10 * sound - 9, 10 * sound, sound, ONE) for _ in range(lost)]
    return judge(history(*good, *bad, read(10**6, 10**6 + 1, sound, ONE)), SYNC)


def with_verdict(verdict: VerdictName) -> Judgement:
    return msgspec.structs.replace(run(3), verdict=verdict, reason=f"because {verdict}")


def test_one_violated_run_is_proof() -> None:
    """Violated in 1 of 5 runs: the cell is violated, and the share of runs has its exact interval."""
    combined = combine([run(8), run(8), run(8, lost=2), run(8), run(8)])
    assert (combined.verdict, combined.anomalies) == ("violated", ["lost-update"])
    assert combined.reason.startswith("violated in 1 of 5 runs: lost-update: ")
    assert combined.runs is not None
    assert (combined.runs.total, combined.runs.violated) == (5, 1)
    assert (combined.runs.interval.low, combined.runs.interval.high) == pytest.approx((0.0051, 0.7164), abs=5e-5)
    assert combined.witness == run(8, lost=2).witness
    assert combined.witnesses == {"lost-update": combined.witness}


def test_counts_and_bounds_add_up() -> None:
    """Operations, lost updates and duplicates are sums; coverage is that of the run in which fewest answered."""
    combined = combine([run(8), run(6, lost=2)])
    assert combined.operations == Counts(ok=16, fail=0, info=0)
    assert (combined.lost, combined.duplicates, combined.race_events) == (Bounds(min=2, max=2), 2, 1)
    assert combined.coverage.processes == 1
    assert combined.rate_ops_s == pytest.approx(((run(8).rate_ops_s or 0) + (run(6, lost=2).rate_ops_s or 0)) / 2)


def test_the_lost_share_is_a_median_over_runs() -> None:
    """Five runs that lost 0, 1, 2, 2 and 4 of 10: the median is 20 %, with an interval over runs."""
    shares = [run(10 - lost, lost=lost) for lost in (0, 1, 2, 2, 4)]
    runs = combine(shares).runs
    assert runs is not None
    assert runs.lost_share_median == pytest.approx(0.2)
    assert runs.lost_share_interval == Interval(low=0.0, high=0.4)
    fewer = combine(shares[:4]).runs
    assert fewer is not None
    assert fewer.lost_share_interval is None, "four runs are too few for an interval"


@pytest.mark.parametrize(
    ("verdicts", "combined"),
    [
        (["held", "held"], "held"),
        (["held", "unknown"], "unknown"),
        (["held", "not-exercised"], "not-exercised"),
        (["not-exercised", "unavailable"], "unavailable"),
        (["unavailable", "unknown"], "unknown"),
        (["unknown", "violated", "held"], "violated"),
    ],
)
def test_the_worst_run_decides(verdicts: list[VerdictName], combined: VerdictName) -> None:
    """A cell holds only if it held in every run; a run that decided nothing keeps it from passing."""
    judgement = combine([with_verdict(verdict) for verdict in verdicts])
    assert judgement.verdict == combined
    assert judgement.reason == f"{combined} in {verdicts.count(combined)} of {len(verdicts)} runs: because {combined}"


def test_anomalies_of_all_runs_are_named() -> None:
    """Each run may show another anomaly; the witness is that of the first in the table's order."""
    over = judge(history(inc(0, 5, 1, ONE), read(10, 11, 2, ONE)), SYNC)
    combined = combine([over, run(8, lost=1)])
    assert combined.anomalies == ["lost-update", "overcounted"]
    assert combined.witness is not None
    assert combined.witness.anomaly == "lost-update"
    assert list(combined.witnesses) == ["lost-update", "overcounted"]


def test_a_scope_is_named_only_if_all_runs_agree() -> None:
    """One run in which the value was not one for all leaves no scope to claim."""
    assert combine([run(8), run(8)]).scope == "one value for all"
    assert combine([run(8), run(8, lost=1)]).scope is None


def test_one_run_keeps_its_words() -> None:
    """A single run is described as it was, with the interval that one run gives."""
    combined = combine([run(8)])
    assert combined.reason == run(8).reason
    assert combined.runs is not None
    assert (combined.runs.violated, combined.runs.interval.low) == (0, 0)
    assert combined.runs.interval.high == pytest.approx(0.975)


def test_rows_of_the_report_combine_too() -> None:
    """Cells combine as judgements do, and stay cells; a field that no run has stays empty."""
    key = CellKey(workload="counter", mechanism="m", deployment="sync", window="tight")
    prediction = Prediction(anomalies=(), guaranteed=True, reason="r")
    combined = combine([cell(key, prediction, run(8)), cell(key, prediction, run(8, lost=1))])
    assert isinstance(combined, Cell)
    assert (combined.verdict, combined.mechanism) == ("violated", "m")
    bare = Cell(
        **msgspec.structs.asdict(key),
        predicted=[],
        guaranteed=True,
        prediction_reason="",
        verdict="unavailable",
        reason="",
    )
    empty = combine([bare, bare])
    assert (empty.operations, empty.coverage, empty.lost, empty.latency_ms, empty.duplicates) == (None,) * 5


def test_no_run_is_an_error() -> None:
    """There is nothing to say of no run at all."""
    with pytest.raises(ValueError, match="no run"):
        combine([])

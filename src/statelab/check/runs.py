"""Several runs of one cell as one result. The run is the unit of inference: inside a run, violations come in bursts."""

from collections.abc import Iterable
from collections.abc import Sequence
from typing import TypeVar

import msgspec
import numpy as np

from statelab.check.intervals import bootstrap_median
from statelab.check.intervals import clopper_pearson
from statelab.check.judges.judgement import Judgement
from statelab.core.results import ANOMALIES
from statelab.core.results import Bounds
from statelab.core.results import Cell
from statelab.core.results import Counts
from statelab.core.results import Coverage
from statelab.core.results import Latency
from statelab.core.results import Runs
from statelab.core.results import VerdictName
from statelab.core.results import Witness

FEWEST_RUNS = 5
"""Below that many runs a bootstrap interval would only restate the runs."""

_WORST_FIRST: tuple[VerdictName, ...] = ("violated", "unknown", "unavailable", "not-exercised", "held")
"""One violated run is proof; a run that decided nothing keeps the others from passing."""

Run = TypeVar("Run", Judgement, Cell)


def combine(runs: Sequence[Run], *, seed: int = 0) -> Run:
    """One result for all runs of a cell (fresh servers each), as the same kind of value.

    Verdict: the worst; anomalies: those of any run, the witness from the first run that has the first of them. Counts,
    bounds and overlaps add up; processes, threads and greenlets are those of the run in which fewest answered;
    rate and latency are medians over runs. Other fields are those of the first run with the combined verdict.
    """
    if not runs:
        raise ValueError("no run to combine")
    worst = min(runs, key=lambda run: _WORST_FIRST.index(run.verdict))
    anomalies = [name for name in ANOMALIES if any(name in run.anomalies for run in runs)]
    return msgspec.structs.replace(
        worst,
        reason=_reason(runs, worst, anomalies),
        anomalies=anomalies,
        operations=_counts(runs),
        coverage=_coverage(runs),
        lost=_lost(runs),
        duplicates=_sum(run.duplicates for run in runs),
        race_events=_sum(run.race_events for run in runs),
        inversions=_sum(run.inversions for run in runs),
        scope=worst.scope if len({run.scope for run in runs}) == 1 else None,
        witness=_witness(runs, anomalies),
        rate_ops_s=_median(run.rate_ops_s for run in runs),
        latency_ms=_latency(runs),
        runs=_runs(runs, seed),
        **_witnesses(runs, anomalies),
    )


def _runs(runs: Sequence[Run], seed: int) -> Runs:
    violated = sum(run.verdict == "violated" for run in runs)
    shares = [run.lost.min / run.operations.ok for run in runs if run.lost and run.operations and run.operations.ok > 0]
    return Runs(
        total=len(runs),
        violated=violated,
        interval=clopper_pearson(violated, len(runs)),
        lost_share_median=_median(shares),
        lost_share_interval=bootstrap_median(shares, seed=seed) if len(shares) >= FEWEST_RUNS else None,
    )


def _reason(runs: Sequence[Run], worst: Run, anomalies: Sequence[str]) -> str:
    alike = sum(run.verdict == worst.verdict for run in runs)
    words = "; ".join(f"{name}: {ANOMALIES[name]}" for name in anomalies) or worst.reason
    return words if len(runs) == 1 else f"{worst.verdict} in {alike} of {len(runs)} runs: {words}"


def _counts(runs: Sequence[Run]) -> Counts | None:
    known = [run.operations for run in runs if run.operations]
    if not known:
        return None
    return Counts(**{name: sum(getattr(count, name) for count in known) for name in Counts.__struct_fields__})


def _coverage(runs: Sequence[Run]) -> Coverage | None:
    known = [run.coverage for run in runs if run.coverage]
    if not known:
        return None
    fewest = {name: min(getattr(covered, name) for covered in known) for name in ("processes", "threads", "greenlets")}
    overlaps, met = sum(covered.overlaps for covered in known), _sum(covered.met for covered in known)
    return Coverage(
        **fewest,
        expected_processes=known[0].expected_processes,
        overlaps=overlaps,
        met=met,
        known=all(covered.known for covered in known),
    )


def _lost(runs: Sequence[Run]) -> Bounds | None:
    known = [run.lost for run in runs if run.lost]
    return Bounds(min=sum(lost.min for lost in known), max=sum(lost.max for lost in known)) if known else None


def _witness(runs: Sequence[Run], anomalies: Sequence[str]) -> Witness | None:
    return next(
        (run.witness for name in anomalies for run in runs if run.witness and run.witness.anomaly == name), None
    )


def _witnesses(runs: Sequence[Run], anomalies: Sequence[str]) -> dict[str, dict[str, Witness]]:
    """For judgements, which have a witness for every anomaly: the first run's of each."""
    every = [getattr(run, "witnesses", None) for run in runs]
    if None in every:
        return {}
    return {"witnesses": {name: next(kept[name] for kept in every if kept and name in kept) for name in anomalies}}


def _latency(runs: Sequence[Run]) -> Latency | None:
    known = [run.latency_ms for run in runs if run.latency_ms]
    if not known:
        return None
    names = Latency.__struct_fields__
    return Latency(**{name: float(np.median([getattr(latency, name) for latency in known])) for name in names})


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.median(known)) if known else None

"""Several runs of one cell as one result. The run is the unit of inference: inside a run, violations come in bursts."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import msgspec
import numpy as np

from statelab.check.intervals import bootstrap_median, clopper_pearson
from statelab.check.judges.judgement import Judgement
from statelab.core.results import ANOMALIES, Cell, Coverage, Runs, VerdictName

FEWEST_RUNS = 5
"""Below that many runs a bootstrap interval would only restate the runs."""

_WORST_FIRST: tuple[VerdictName, ...] = ("violated", "unknown", "unavailable", "not-exercised", "held")
"""One violated run is proof; a run that decided nothing keeps the others from passing."""

Run = TypeVar("Run", Judgement, Cell)
Part = TypeVar("Part", bound=msgspec.Struct)


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
    reason = "; ".join(f"{name}: {ANOMALIES[name]}" for name in anomalies) or worst.reason
    if len(runs) > 1:
        alike = sum(run.verdict == worst.verdict for run in runs)
        reason = f"{worst.verdict} in {alike} of {len(runs)} runs: {reason}"
    proofs = (run.witness for name in anomalies for run in runs if run.witness and run.witness.anomaly == name)
    judgements = [run.witnesses for run in runs if isinstance(run, Judgement)]  # a cell has one witness only
    first = {name: next(found[name] for found in judgements if name in found) for name in anomalies if judgements}
    return msgspec.structs.replace(
        worst,
        reason=reason,
        anomalies=anomalies,
        operations=_by_field([run.operations for run in runs], _sum),
        coverage=_coverage(runs),
        lost=_by_field([run.lost for run in runs], _sum),
        duplicates=_sum(run.duplicates for run in runs),
        race_events=_sum(run.race_events for run in runs),
        inversions=_sum(run.inversions for run in runs),
        scope=worst.scope if len({run.scope for run in runs}) == 1 else None,
        witness=next(proofs, None),
        rate_ops_s=_median(run.rate_ops_s for run in runs),
        latency_ms=_by_field([run.latency_ms for run in runs], _median),
        runs=_runs(runs, seed),
        **({"witnesses": first} if judgements else {}),
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


def _by_field(parts: Sequence[Part | None], combined: Callable[[Iterable[Any]], Any]) -> Part | None:
    """One of what is known of the runs, each of its fields combined from theirs."""
    known = [part for part in parts if part is not None]
    if not known:
        return None
    kind = type(known[0])
    return kind(**{name: combined(getattr(part, name) for part in known) for name in kind.__struct_fields__})


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.median(known)) if known else None

"""What is measured of every cell, whatever its workload (number of operations, who answered, how many overlapped), and
the judgement that the judges fill in."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import numpy as np

from statelab.check.models.counter.ranked import Answers
from statelab.core.errors import counted
from statelab.core.operation import Operation, ServedBy
from statelab.core.results import ANOMALIES, Bounds, Counts, Coverage, Latency, Runs, VerdictName, Witness
from statelab.record.columns import FAIL, INFO, OK, History, Integers, Mask


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What must have been seen of a cell's deployment before `held` means anything.

    `expected_processes` is None if the server forks a process for every request. `spread` says what may separate two
    requests: greenlets, threads, processes, hosts; `in_turn` names those of them that never run at the same time.
    `replaced`: workers end after so many requests, and others are started. `initial` is the value at which the counter
    starts (None: that of the first read, before anybody counted); `changes` are the workload's operations that change
    state.
    """

    expected_processes: int | None
    spread: frozenset[str] = frozenset()
    in_turn: frozenset[str] = frozenset()
    replaced: bool = False
    initial: int | None = 0
    changes: frozenset[str] = frozenset({"increment"})


def changing(history: History, changes: frozenset[str]) -> Mask:
    """Which rows are operations that change state."""
    found: Mask = np.isin(history.op, [code for code, name in enumerate(history.ops) if name in changes])
    return found


def counts(history: History, expectation: Expectation) -> Counts:
    """How the changes ended (reads are not counted: they change nothing), and how many operations timed out.

    `timed_out` counts reads as well: a read that hangs is a stall too.
    """
    ended = np.bincount(history.status[changing(history, expectation.changes)], minlength=3)
    return Counts(
        ok=int(ended[OK]), fail=int(ended[FAIL]), info=int(ended[INFO]), timed_out=int(history.timed_out.sum())
    )


def coverage(history: History, expectation: Expectation) -> Coverage:
    """How many processes, threads and greenlets answered, and how many pairs of operations overlapped."""
    answered = servers(history)
    return Coverage(
        processes=len({server.boot for server in answered}),
        expected_processes=expectation.expected_processes,
        threads=len({(server.boot, server.thread) for server in answered}),
        greenlets=len({(server.boot, server.greenlet) for server in answered}),
        overlaps=overlaps(history, expectation),
    )


def servers(history: History) -> list[ServedBy]:
    """Who answered."""
    codes = np.unique(history.served_by[history.status == OK]).tolist()
    return [server for server in (history.servers[code] for code in codes) if server]


def overlaps(history: History, expectation: Expectation) -> int:
    """Pairs of ok operations on one key, at least one of them a change, whose intervals overlap. O(n log n).

    Operations of unknown outcome are left out: their end is open, so they would overlap with everything after them.
    """
    ok = history.status == OK
    reads = ok & ~changing(history, expectation.changes)
    return sum(
        touching(history.start[some], history.end[some]) * sign
        for key in np.unique(history.key[ok])
        for some, sign in ((ok & (history.key == key), 1), (reads & (history.key == key), -1))
    )


def touching(start: Integers, end: Integers) -> int:
    """Pairs of intervals that overlap: all pairs, minus those of which one ended before the other started."""
    apart = np.searchsorted(np.sort(end), start, "left").sum()
    return len(start) * (len(start) - 1) // 2 - int(apart)


ANONYMOUS = (
    "no answer says who gave it, so which part of the deployment answered is not known: the app needs "
    "`app.wsgi_app = statelab.identity.wrap(app.wsgi_app)`, and no proxy may drop the header X-Served-By"
)


def anonymous(history: History) -> bool:
    """Whether operations were answered, and of none it is known who did."""
    ok = history.status == OK
    return bool(ok.any() and not history.served_by[ok].any())


NOT_SETTLED = "no read was answered after the last increment had ended, so the final value is not known"


def shortfall(given: Answers, expectation: Expectation, covered: Coverage) -> str | None:
    """Why a cell without a violation proves nothing; None if it was exercised."""
    if not (given.answered & given.increment).any():
        return "no increment was acknowledged"
    if not given.settled.any():
        return NOT_SETTLED
    return not_reached(given.history, expectation, covered)


SLOW_START_NS = 1_000_000_000
"""If a new process takes longer than this to its first answer, requests wait for it about as long as the load waits at
all."""


def slow_start(history: History, expectation: Expectation) -> str | None:
    """Why operations that timed out need not be a stall: they may have waited for a new worker, on a machine that takes
    long to start one. None if that cannot be: no process that began later gave its first answer late, and (where
    workers are replaced) a process that had answered before also answered what was sent over a second after one of
    them."""
    late = int(history.timed_out.sum())
    if not late:
        return None
    rows = np.flatnonzero(history.status == OK)
    rows = rows[np.argsort(history.end[rows], kind="stable")]
    answers = dict[str, list[int]]()
    for row in rows.tolist():
        if server := history.servers[history.served_by[row]]:
            answers.setdefault(server.boot, []).append(row)
    longest = max(
        (
            int(history.end[first] - history.start[first])
            for first, *more in answers.values()
            if more and history.start[first] >= history.end[rows[0]]  # one request for each process is no replacement
        ),
        default=0,
    )
    if longest > SLOW_START_NS:
        return (
            f"{counted(late, 'operation')} timed out, and a process that began meanwhile gave its first answer only "
            f"after {longest / 1e9:.1f} s: the machine is too slow to tell a stall from that"
        )
    # A worker that is being replaced answers nothing any more; one that goes on was there, and did let them wait.
    sent = history.start[history.timed_out]
    went_on = (
        ((sent > history.end[of[0]]) & (sent + SLOW_START_NS < history.start[of].max())).any()
        for of in answers.values()
    )
    if expectation.replaced and not any(went_on):
        return (
            f"{counted(late, 'operation')} timed out, and the processes that had answered before answered nothing "
            "that was sent later: perhaps all workers were being replaced, and none had started yet"
        )
    return None


def stalled(history: History, expectation: Expectation) -> bool:
    """Whether operations timed out, and not because processes took long to start."""
    return bool(history.timed_out.any()) and slow_start(history, expectation) is None


def not_reached(history: History, expectation: Expectation, covered: Coverage) -> str | None:
    """Which part of the deployment did not answer, or that nothing overlapped; None if the cell was exercised."""
    if slow := slow_start(history, expectation):
        return slow
    expected = expectation.expected_processes
    if expected is None and covered.processes < 2:
        return "every request should have a process of its own, but only one process answered"
    if expected is not None and covered.processes < expected:
        return f"only {covered.processes} of {expected} processes answered"
    if "hosts" in expectation.spread and len({server.host for server in servers(history)}) < 2:
        return "only one host answered"
    if "threads" in expectation.spread and covered.threads < 2:
        return "only one thread answered"
    if "greenlets" in expectation.spread and covered.greenlets < 2:
        return "only one greenlet answered"
    if expectation.spread and covered.overlaps == 0:
        return "no two operations overlapped, so nothing could collide"
    return None


def _durations(history: History, expectation: Expectation) -> tuple[Integers, Integers]:
    acknowledged = changing(history, expectation.changes) & (history.status == OK)
    return history.start[acknowledged], history.end[acknowledged]


def rate(history: History, expectation: Expectation) -> float | None:
    """Acknowledged changes per second, from the start of the first to the end of the last."""
    start, end = _durations(history, expectation)
    span = int(end.max() - start.min()) if len(start) else 0
    return len(start) / (span / 1e9) if span > 0 else None


def latency(history: History, expectation: Expectation) -> Latency | None:
    """Percentiles of the acknowledged changes' durations."""
    start, end = _durations(history, expectation)
    if not len(start):
        return None
    p50, p95, p99 = np.quantile((end - start) / 1e6, (0.5, 0.95, 0.99)).tolist()
    return Latency(p50=p50, p95=p95, p99=p99)


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured of a cell; every field but `witnesses` is that of `results.Cell`.

    `anomalies` are in the order of `results.ANOMALIES`; `witnesses` has one for each, and `witness` is the first of
    them. `duplicates` and `inversions` are what clients see in the whole history; `race_events` and `lost` are counted
    within each copy of the state, so they stay 0 if there are several copies but no races.
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


def without_identity(judged: Judgement) -> Judgement:
    """What is known where it is not known who answered: a violation is proof all the same. Coverage and scope are
    unknown, and so is the verdict where nothing was violated."""
    judged = msgspec.structs.replace(judged, coverage=msgspec.structs.replace(judged.coverage, known=False))
    if judged.verdict == "violated":
        return msgspec.structs.replace(judged, scope=f"unknown: {ANONYMOUS}")
    return msgspec.structs.replace(judged, verdict="unknown", reason=ANONYMOUS, scope=None)


def stopped(measured: Judgement, error: Exception) -> Judgement:
    """The judgement where the checker failed: nothing is known."""
    return msgspec.structs.replace(measured, reason=f"the checker stopped: {type(error).__name__}: {error}")


def tried(measured: Judgement) -> str:
    """How much was tried, such as `3 operations; 2 pairs of operations overlapped`."""
    done, pairs = counted(measured.operations.ok, "operation"), counted(measured.coverage.overlaps, "pair")
    return f"{done}; {pairs} of operations overlapped"


class WrongClock(Exception):
    """The stamps in an answer lie outside those of its request: they come from another clock."""


def require_within(request: Operation, what: str, begin: int, end: int) -> None:
    """Raises WrongClock if the stamps of what was done for a request lie outside the request's own."""
    assert request.end is not None
    if not request.start <= begin <= end <= request.end:
        raise WrongClock(f"{what} from {begin} to {end}, asked from {request.start} to {request.end}")


def violated(judged: Judgement, found: Mapping[str, Witness], **more: object) -> Judgement:
    """The judgement with these anomalies, each with its witness, in the order of `results.ANOMALIES`."""
    witnesses = {name: found[name] for name in ANOMALIES if name in found}
    return msgspec.structs.replace(
        judged,
        verdict="violated",
        reason="; ".join(f"{name}: {ANOMALIES[name]}" for name in witnesses),
        anomalies=list(witnesses),
        witness=next(iter(witnesses.values())),
        witnesses=witnesses,
        **more,
    )


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

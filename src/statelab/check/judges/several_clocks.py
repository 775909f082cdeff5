"""The verdict where several machines recorded, so that intervals are as wide as their clocks are uncertain.

A model's verdict of `violated` on wider intervals is true of the true ones: they allow fewer orders. What a judge adds
to it must be true of them as well, or it is left out:
- `stalled`, `connections-left` and `stuck` compare durations and first or last moments, not orders; they count only
  if the likely intervals show them too.
- Holders of a lock and computations of a cache are stamped by the app's hosts, on clocks that nobody has compared:
  where such stamps decide, the verdict is unknown.
- Leaks have their name by what overlapped; an `overlap` may be a `residue` in truth. It is a leak either way.
The verdict is never `held` if the likely intervals, the middle of the bounds, contradict it. Figures (how many
operations overlapped, rates, latencies) are those of the likely intervals.
"""

import msgspec

from statelab.check.judges import judge_of
from statelab.check.judges.judgement import Expectation, Judgement, violated
from statelab.check.kernels.words import milliseconds
from statelab.core.results import Witness
from statelab.record.columns import History

HOSTS_STAMPS = {
    "lock": (("work",), "when the lock was held"),
    "cache": (("read",), "when a value was computed"),
}
"""By workload: the operations whose answers may be lists of stamps, and what these say."""

NOT_ORDERS = frozenset({"stalled", "connections-left", "stuck"})


def judge(
    workload: str, widened: History, likely: History, expectation: Expectation, most_ns: int, unplaced: int = 0
) -> Judgement:
    """The verdict on operations whose intervals are `widened` by at most `most_ns`. `likely` are the same operations
    with the middle of the bounds; the time of `unplaced` ones is not known at all."""
    figures = judge_of(workload)(likely, expectation)
    ops, what = HOSTS_STAMPS.get(workload, ((), ""))
    if widened.elements is not None and any(widened.elements.known[widened.is_op(op)].any() for op in ops):
        why = f"{what} is stamped by the app's hosts, whose clocks nobody has compared with those of the load"
        return msgspec.structs.replace(figures, verdict="unknown", reason=why, anomalies=[], witness=None, witnesses={})
    judged = judge_of(workload)(widened, expectation)
    judged = msgspec.structs.replace(
        judged, coverage=figures.coverage, rate_ops_s=figures.rate_ops_s, latency_ms=figures.latency_ms
    )
    found = {
        name: _with_bounds(each, most_ns)
        for name, each in judged.witnesses.items()
        if name not in NOT_ORDERS or name in figures.witnesses
    }
    if found:
        return violated(judged, found)
    if judged.verdict != "unknown":
        judged = _without_violation(judged, figures)
    wide = f"several clocks: intervals are widened by up to {milliseconds(most_ns)}, which may hide a violation"
    when = f"; nothing is known of when {unplaced:,} operations were" if unplaced else ""
    return msgspec.structs.replace(judged, reason=f"{judged.reason}; {wide}{when}")


def _without_violation(judged: Judgement, figures: Judgement) -> Judgement:
    """The verdict if no violation is proved: of the two judgements, that of the one that claims less."""
    if figures.verdict == "violated":
        names = ", ".join(figures.anomalies)
        verdict, reason = "unknown", f"it looks like {names}, but the clocks are not known closely enough to prove it"
    else:
        unproved = judged.verdict == "violated" or (judged.verdict == "held" and figures.verdict != "held")
        says_less = figures if unproved else judged
        verdict, reason = says_less.verdict, says_less.reason
    return msgspec.structs.replace(judged, verdict=verdict, reason=reason, anomalies=[], witness=None, witnesses={})


def _with_bounds(found: Witness, most_ns: int) -> Witness:
    """The witness, which says what slack is left beyond the bounds of the clocks."""
    if found.slack_ns is None:
        said = "The proof needs no clock."
    else:
        said = (
            f"The intervals are already widened by what the clocks may differ (up to {milliseconds(most_ns)} each); "
            f"beyond these bounds they would have to be wrong by more than {milliseconds(found.slack_ns)}."
        )
    return msgspec.structs.replace(found, text=f"{found.text} {said}")

"""For each anomaly, the smallest part of the history that proves it, with the proof in words."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from statelab.check.judges.counter import final_reads
from statelab.check.judges.counter.anomalies import Diagnosis, too_many_untold
from statelab.check.judges.counter.copies import SCOPES
from statelab.check.judges.counter.levels import Split
from statelab.check.judges.counter.quiet_reads import disagreement
from statelab.check.judges.witness import stall, witness
from statelab.check.kernels.words import Cast
from statelab.check.models.counter import words
from statelab.check.models.counter.race_events import race_events
from statelab.check.models.counter.verdict import smallest, worst_event
from statelab.core.errors import counted
from statelab.core.results import Witness
from statelab.record.columns import History


def witnesses(diagnosis: Diagnosis) -> dict[str, Witness]:
    """One witness per anomaly, in the order of the diagnosis."""
    return {name: _MAKERS[name](diagnosis) for name in diagnosis.anomalies}


def _copies(diagnosis: Diagnosis) -> Split:
    return diagnosis.home or diagnosis.levels.at("whole")


def _lost_update(diagnosis: Diagnosis) -> Witness:
    """The two operations of the race event that lost most; without race events, a final read and the count."""
    copies, history = _copies(diagnosis), diagnosis.levels.given.history
    if not diagnosis.events:
        return final_reads.too_few(copies)
    event = worst_event(history, diagnosis.events)
    return witness(
        history,
        "lost-update",
        (event.original, event.culprit),
        words.duplicate(history, event, lossy=True) + final_reads.in_total(copies),
        among=np.equal(copies.group, copies.group[event.culprit]),
        also=event.reissue,
        culprit=event.culprit,
    )


def _overcounted(diagnosis: Diagnosis) -> Witness:
    return final_reads.too_many(_copies(diagnosis))


def _misreported(diagnosis: Diagnosis) -> Witness:
    """The smallest contradiction between numbers given by one copy."""
    copies = _copies(diagnosis)
    return _contradiction("misreported", copies, copies, _why_only_answers(copies))


def _why_only_answers(copies: Split) -> str:
    """Why the answer was wrong and not the update; empty if that cannot be shown."""
    total = copies.totals
    if (total.read & (total.low >= total.acks + total.unknown + total.shared))[copies.found.violated].any():
        return " The value read at the end lacks no increment: the answer was wrong, not the update."
    if too_many_untold(copies)[copies.found.violated].any():
        untold = counted(int(copies.found.nobody.sum()), "number")
        return f" Up to the highest number, {untold} went to nobody: the answers are not what the updates made."
    return ""


def _divergent(diagnosis: Diagnosis) -> Witness:
    """Final reads that disagree; if they agree, two numbers that cannot come from one copy."""
    whole, home = diagnosis.levels.at("whole"), diagnosis.home
    reads = disagreement(diagnosis.levels.quiet, whole)
    if reads is not None:
        return _disagreeing_reads(whole, reads, home)
    why = ""
    if home and home.found.valid:
        why = f" The numbers of each {home.level} by themselves fit one counter: {SCOPES[home.level]}."
    elif home:
        why = f" Each {home.level} ends at exactly the increments that it served: {SCOPES[home.level]}."
    return _contradiction("divergent", whole, None, why)


def _contradiction(anomaly: str, split: Split, copies: Split | None, ending: str) -> Witness:
    """The smallest witness of a split, for an anomaly that the totals do not show."""
    history, events = split.found.given.history, race_events(split.found.by_number)
    found = smallest(split.found, events)
    if found is None:
        raise ValueError(f"{anomaly} was named, but the history has no contradiction")
    if found.kind == "duplicate":
        text = words.duplicate(history, worst_event(history, events), lossy=False)
    else:
        text = words.contradiction(history, found, split.found.given.initial)
    among = np.equal(copies.group, copies.group[found.rows[0]]) if copies else None
    return witness(history, anomaly, found.rows, text + ending, among=among, slack_ns=found.slack_ns)


def _disagreeing_reads(whole: Split, rows: list[int], home: Split | None) -> Witness:
    history, unknown = whole.found.given.history, len(rows) - 2
    cast = Cast(history, rows)
    first, last = cast.name(cast.rows[0]), cast.name(cast.rows[-1])
    still = f", and only {counted(unknown, 'increment')} without an answer could change the value" if unknown else ""
    text = (
        f"{', '.join(cast.told(row) for row in cast.rows)}. No acknowledged increment was running between the start "
        f"of {first} and the end of {last}{still}: one copy cannot show this. {cast.introductions()}"
    )
    each = f" The values of each {home.level} agree: each {home.level} has its own copy." if home else ""
    return witness(history, "divergent", rows, text + each, slack_ns=_quiet_for(whole, rows))


def _quiet_for(whole: Split, rows: list[int]) -> int | None:
    """Time in ns between the rows and the nearest acknowledged increment; None if there is none."""
    given = whole.found.given
    history, acknowledged = given.history, given.answered & given.increment
    first, last = int(history.start[rows].min()), int(history.end[rows].max())
    before = first - history.end[acknowledged & (history.end < first)]
    after = history.start[acknowledged & (history.start > last)] - last
    gaps = np.concatenate([before, after])
    return int(gaps.min()) if len(gaps) else None


def _never_persists(diagnosis: Diagnosis) -> Witness:
    given = diagnosis.levels.given
    history, acknowledged = given.history, np.flatnonzero(given.answered & given.increment)
    rows = _one_after_the_other(history, acknowledged)
    first, second = (Cast(history, rows).name(row) for row in rows)
    text = (
        f"{first} and {second} were both told {given.initial + 1:,}, and so were all {len(acknowledged):,} "
        f"acknowledged increments: each began at {given.initial:,} again. {Cast(history, rows).introductions()}"
    )
    found = f" Every read at the end found {given.initial:,}." if given.settled.any() else ""
    return witness(history, "never-persists", rows, text + found)


def _one_after_the_other(history: History, rows: NDArray[np.intp]) -> tuple[int, int]:
    """The two operations closest in time of which one ended before the other started; if none, the first two."""
    rows = rows[np.argsort(history.start[rows], kind="stable")]
    following = np.searchsorted(history.start[rows], history.end[rows], "right")
    firsts = np.flatnonzero(following < len(rows))
    if not len(firsts):
        return int(rows[0]), int(rows[1])
    seconds = rows[following[firsts]]
    best = np.argmin(history.end[seconds] - history.start[rows[firsts]])
    return int(rows[firsts[best]]), int(seconds[best])


def _stalled(diagnosis: Diagnosis) -> Witness:
    return stall(diagnosis.levels.given.history)


_MAKERS: dict[str, Callable[[Diagnosis], Witness]] = {
    "lost-update": _lost_update,
    "divergent": _divergent,
    "never-persists": _never_persists,
    "misreported": _misreported,
    "overcounted": _overcounted,
    "stalled": _stalled,
}

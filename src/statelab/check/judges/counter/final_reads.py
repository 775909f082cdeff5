"""Witnesses by counting: a final read that does not fit the number of acknowledged increments."""

import numpy as np

from statelab.check.judges.counter.levels import Split
from statelab.check.judges.counter.quiet_reads import allowed
from statelab.check.judges.witness import witness
from statelab.check.kernels.levels import Level
from statelab.check.kernels.words import Cast
from statelab.core.errors import counted
from statelab.core.results import Witness
from statelab.record.columns import Integers

_IN: dict[Level, str] = {
    "host": " in host {0.host}",
    "process": " in pid {0.pid}",
    "thread": " in pid {0.pid}, thread {0.thread}",
    "greenlet": " in one greenlet of pid {0.pid}",
}


def in_total(copies: Split) -> str:
    """A sentence on how many increments are missing in all copies together; empty if none is certainly missing."""
    gone, acks = int(copies.totals.gone.sum()), int(copies.totals.acks.sum())
    return f" In all, {gone:,} of {acks:,} acknowledged increments are missing at the end." if gone else ""


def too_few(copies: Split) -> Witness:
    """A final read lower than the acknowledged increments of its copy."""
    part = int(np.argmax(copies.totals.gone))
    row = _final_read(copies, part, copies.totals.low)
    acks = int(copies.totals.acks[part])
    text = f"{_count(copies, part, row)}: {int(copies.totals.gone[part]):,} of these {acks:,} must be missing."
    return _witness(copies, "lost-update", row, text)


def too_many(copies: Split) -> Witness:
    """A final read that is higher than all increments of its copy together can make it."""
    excess = copies.totals.high - copies.totals.acks - copies.totals.unknown
    part = int(np.argmax(np.where(copies.totals.over, excess, np.iinfo(np.int64).min)))
    row = _final_read(copies, part, copies.totals.high)
    unknown = allowed(copies, part)
    unseen = f" and {counted(unknown, 'increment')} got no answer" if unknown else ""
    unasked = counted(int(excess[part]) - copies.totals.shared, "increment")
    text = f"{_count(copies, part, row)}{unseen}: {unasked} took effect that no request asked for."
    return _witness(copies, "overcounted", row, text)


def _final_read(copies: Split, part: int, value: Integers) -> int:
    """A final read of the part that found `value[part]` (counted from the initial value)."""
    given, answers = copies.found.given, copies.found.by_number
    finals = answers.row[np.flatnonzero((answers.counter == part) & given.settled[answers.row])]
    return int(finals[np.argmax(given.value[finals] - given.initial == value[part])])


def _count(copies: Split, part: int, row: int) -> str:
    given, acks = copies.found.given, int(copies.totals.acks[part])
    server = given.history.servers[given.history.served_by[row]]
    where = _IN[copies.level].format(server) if copies.level in _IN else ""
    return (
        f"{Cast(given.history, [row]).told(row)} after every increment had ended. The counter started at "
        f"{given.initial:,} and {counted(acks, 'increment')} had been acknowledged{where}"
    )


def _witness(copies: Split, anomaly: str, row: int, text: str) -> Witness:
    history = copies.found.given.history
    words = f"{text} {Cast(history, [row]).introductions()}"
    return witness(history, anomaly, [row], words, among=np.equal(copies.group, copies.group[row]))

"""The model `echo`: a request reads back what it stored about itself.

Promise: each ok `echo` got back the `value` that it sent. Null means that nothing came back.
Algorithm: compare; then look for the operation that sent what came back instead, and call the leak by it:
- `overlap`: it was under way at the same time as the victim;
- `residue`: it had ended before the victim started, and left its value behind (where one thread and one greenlet served
  both it had, even if their times overlap: one of the two waited for the other);
- `unexpected`: nobody sent that value before the victim had ended;
- `missing`: nothing came back.
Where several kinds were met, each is a finding of its own.
Exact: the promise speaks of one operation at a time, so nothing but value and result decides. Stamps only name the
culprit. Where several operations sent the value, it is the one that ended last among those that had started when the
victim ended: this is one that overlaps the victim if there is any, else the latest one before it.
Assumes: for the names to be right, values that are unique. The culprit may be of another key, and of any outcome (one
that was refused has left something behind, too); the verdict is that of the victim's key.
Witness: the victim alone, since what anybody else did cannot excuse it; the words name the culprit.
Cost: O(n) where nothing leaked, else O(n log n) for operations whose value came back to another one.
"""

from dataclasses import dataclass, replace

import numpy as np

from statelab.check.kernels.model import Deadline, Finding, Model, Proof
from statelab.check.kernels.packing import arranged, spans
from statelab.check.kernels.pairs import apart
from statelab.check.kernels.words import Cast, span
from statelab.core.operation import Value
from statelab.record.columns import OK, History, Integers
from statelab.record.shapes import Shape

KINDS = ("overlap", "residue", "unexpected", "missing")
OVERLAP, RESIDUE, UNEXPECTED, MISSING = range(len(KINDS))


@dataclass(frozen=True, slots=True, eq=False)
class Leaks:
    """The victims: their rows, a code into KINDS for each, and the culprit's row (-1: there is none)."""

    row: Integers
    kind: Integers
    culprit: Integers

    def of(self, kind: int) -> "Leaks":
        """Those of one kind."""
        some = self.kind == kind
        return Leaks(self.row[some], self.kind[some], self.culprit[some])


def check(history: History, *, initial: Value | None, deadline: Deadline) -> Finding:
    """Whether every request got back its own value; each kind of leak that was met is one of `parts`."""
    sent = history.result if history.value is None else history.value
    own = history.has_result & (history.result == sent)
    victims = np.flatnonzero((history.status == OK) & ~own)
    if not len(victims):
        return Finding(verdict="held", reason="every request got back what it had sent")
    something = history.has_result[victims]
    culprit = np.full(len(victims), -1, np.int64)
    culprit[something] = _culprits(history, victims[something])
    # One thread serves one request after the other, however long the two waited for it.
    server = history.served_by[victims]
    in_turn = (server > 0) & (server == history.served_by[culprit])
    before = (history.end[culprit] < history.start[victims]) | in_turn
    kind = np.where(culprit < 0, UNEXPECTED, np.where(before, RESIDUE, OVERLAP))
    leaks = Leaks(victims, np.where(something, kind, MISSING), culprit)
    whole = _violated(history, leaks)
    parts = {name: _violated(history, leaks.of(KINDS.index(name))) for name in whole.counts}
    return replace(whole, parts=parts) if len(parts) > 1 else whole


def _violated(history: History, leaks: Leaks) -> Finding:
    counts = np.bincount(leaks.kind, minlength=len(KINDS)).tolist()
    shortest = int(np.argmin(spans(history.start[leaks.row], history.end[leaks.row])))
    victim, culprit, kind = int(leaks.row[shortest]), int(leaks.culprit[shortest]), int(leaks.kind[shortest])
    cast = Cast(history, [victim] if culprit < 0 else [victim, culprit])
    text = f"{_what(history, cast, victim, culprit, kind)} {cast.introductions()}"
    return Finding(
        verdict="violated",
        reason="some requests did not get back what they had sent",
        proof=Proof(KINDS[kind], (victim,), text),
        counts={kind: count for kind, count in zip(KINDS, counts, strict=True) if count},
        violated_keys=tuple(np.unique(history.key[leaks.row]).tolist()),
    )


def _culprits(history: History, victims: Integers) -> Integers:
    """For each victim the row, among those that sent its result and had started by its end, that ended last; or -1.

    The senders are sorted by (value, start). A cumulative maximum of (value, end) then knows the latest end among all
    senders of a value up to any start.
    """
    came_back = np.unique(history.result[victims])
    senders, value = _senders(history, came_back)
    if not len(senders):
        return np.full(len(victims), -1, np.int64)
    rows = arranged(value, history.start[senders])
    senders, value = senders[rows], value[rows]
    by_end = np.argsort(history.end[senders], kind="stable")
    place = np.empty(len(senders), np.int64)
    place[by_end] = np.arange(len(senders))
    latest = np.maximum.accumulate(value * len(senders) + place)
    # How many senders come before the first of the wanted value that started after the victim's end.
    start, wanted = history.start[senders], np.searchsorted(came_back, history.result[victims])
    moments, width = np.sort(start), len(senders) + 1
    started = np.searchsorted(moments, start, "left")
    ended = np.searchsorted(moments, history.end[victims], "right")
    upto = np.searchsorted(value * width + started, wanted * width + ended, "left")
    found = latest[upto - 1]
    known = (upto > 0) & (found // len(senders) == wanted)
    return np.where(known, senders[by_end[found % len(senders)]], -1)


def _senders(history: History, values: Integers) -> tuple[Integers, Integers]:
    """The rows that sent one of `values` (ascending), and which one."""
    if history.value is None or history.has_value is None or not len(values):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    place = np.minimum(np.searchsorted(values, history.value), len(values) - 1)
    senders = np.flatnonzero(history.has_value & (values[place] == history.value))
    return senders, place[senders]


def _what(history: History, cast: Cast, victim: int, culprit: int, kind: int) -> str:
    assert history.value is not None
    a, sent = cast.name(victim), history.shown(int(history.value[victim]))
    if kind == MISSING:
        return f"{a} sent {sent} and got nothing back: what it had stored about itself was gone when it read it."
    got = history.shown(int(history.result[victim]))
    told = f"{a} sent {sent} and got back {got}. A request reads back only what it stored itself."
    if kind == UNEXPECTED:
        senders, _ = _senders(history, history.result[[victim]])
        later = ""
        if len(senders):
            after = int(history.start[senders].min()) - int(history.end[victim])
            later = f"; it was first sent {span(after, history.unit)} later"
        return f"{told} Nobody had sent {got} when {a} ended{later}."
    waited = kind == RESIDUE and cast.overlap(*cast.rows)
    left = f", and left {got} behind" if kind == RESIDUE else ""
    left = f", but one thread served both, one after the other, and {got} was left behind" if waited else left
    return f"{told} It was {cast.name(culprit)} that sent {got}: {apart(history, cast, *cast.rows)}{left}."


MODEL = Model(
    name="echo",
    promise="each request reads back the value that it stored about itself",
    operations={"echo": Shape(value="value", result="value", nothing=frozenset({"result"}))},
    check=check,
    scoped=False,  # a victim alone is a violation, in whatever part it is
    whole="who sent what came back to another one may have another key",
)

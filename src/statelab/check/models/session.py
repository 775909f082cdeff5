"""The model `session`: what one client may expect of the versions that it reads and writes.

Promise: the four session guarantees of Terry et al. 1994, "Session Guarantees for Weakly Consistent Replicated Data".
For a key whose versions are whole numbers that grow, and for two ok operations of a session, one after the other,
- `read-your-writes`: a read shows no older version than one that the session wrote before;
- `monotonic-reads`: a read shows no older version than one that the session read before;
- `monotonic-writes`: a write makes a newer version than each one that the session wrote before;
- `writes-follow-reads`: a write makes a newer version than each one that the session read before.
Each is a finding of its own. A session is a `process`; its order is that of the starts, and operations that started
at the same moment have no order. A read of nothing yet is one version older than the lowest.
Algorithm: sort by (session, key, start); a cumulative maximum over the versions read, and one over those written, tell
for each operation the newest version before it.
Exact: a guarantee fails iff it fails for some pair, and if it does for any earlier operation, then for the one with
the newest version. No clock but the session's own is needed.
Assumes: the version is a total order of a key's writes: the number that the client wrote (`value`) or the store
answered (`result`). Keys have nothing to do with each other. A write of unknown outcome imposes nothing on its
session, and its version may be read or not; a refused one imposes nothing either.
Witness: two operations, of all such pairs the one that goes back furthest in versions, then the shortest in time.
Cost: O(n log n), one sort.
"""

from dataclasses import dataclass

import numpy as np

from statelab.check.kernels.model import Deadline, Finding, Model, Proof
from statelab.check.kernels.order import begins
from statelab.check.kernels.packing import arranged, dense, paired, spans
from statelab.check.kernels.pairs import apart
from statelab.check.kernels.words import Cast
from statelab.core.operation import Value
from statelab.record.columns import OK, History, Integers, Mask
from statelab.record.shapes import Shape

_NONE = int(np.iinfo(np.int64).min)


@dataclass(frozen=True, slots=True)
class Regress:
    """A pair of rows of which the later one should be newer: how many versions it goes back, within how many ns."""

    earlier: int
    later: int
    back: int
    span_ns: int


@dataclass(frozen=True, slots=True, eq=False)
class Sessions:
    """Ok operations sorted by (session, key, start): position p is row `row[p]`.

    `level` is the version, lifted above those of all sessions and keys before, so that one cumulative maximum serves
    all. `moment[p]` says whether p starts later than all before it in its session and key.
    """

    history: History
    row: Integers
    write: Mask
    level: Integers
    moment: Mask

    def newest(self, written: bool) -> Integers:
        """For each position, the highest level written (or read) at an earlier moment; below all levels if none is."""
        met = self._met(written)
        before, tied = met[:-1], np.flatnonzero(~self.moment)
        before[tied] = met[self._begin(tied)]
        return before

    def _met(self, written: bool) -> Integers:
        """Shape `(n + 1,)`: the highest level written (or read) by the first n positions."""
        met = np.full(len(self.level) + 1, _NONE)
        np.copyto(met[1:], self.level, where=self.write == written)
        return np.maximum.accumulate(met, out=met)

    def _begin(self, positions: Integers) -> Integers:
        """For each of the positions, the first one of its session and key that starts when it does."""
        moments = np.flatnonzero(self.moment)
        return moments[np.searchsorted(moments, positions, "right") - 1]

    def regresses(self, before: Integers, written: bool) -> Mask:
        """Which writes (or reads) are not newer than (are older than) what came `before`."""
        older: Mask = before >= self.level if written else before > self.level
        older &= self.write == written
        return older

    def furthest(self, before: Integers, wrong: Mask, written: bool) -> Regress:
        """Of the positions that are `wrong`, the one that goes back furthest, with the latest operation before it that
        wrote (or read) that newest version; among equals the pair in the shortest time."""
        positions = np.flatnonzero(wrong)
        back = spans(self.level[positions], before[positions])
        positions = positions[back == back.max()]
        # Before each of them, the last operation to write (or read) the highest level so far.
        records = np.flatnonzero((self.write == written) & (self.level == self._met(written)[1:]))
        earlier = self.row[records[np.searchsorted(records, self._begin(positions)) - 1]]
        later, (start, end) = self.row[positions], (self.history.start, self.history.end)
        span = spans(start[earlier], np.maximum(end[earlier], end[later]))
        best = int(np.argmin(span))
        return Regress(int(earlier[best]), int(later[best]), int(back.max()), int(span[best]))


def sessions(history: History) -> Sessions:
    """The ok operations of a history in session order. O(n log n), one sort."""
    rows = np.flatnonzero(history.status == OK)
    part = history.process[rows].astype(np.int64) * max(1, len(history.keys)) + history.key[rows]
    order = arranged(part, history.start[rows])
    rows, part = rows[order], part[order]
    new = begins(part)
    level = paired(np.cumsum(new) - 1, _versions(history, rows))
    new |= begins(history.start[rows])
    return Sessions(history, rows, history.is_op("write")[rows], level, new)


def version(history: History, row: int) -> int | None:
    """The version that a row read or wrote; None: nothing yet."""
    if history.has_result[row]:
        return int(history.result[row])
    known = history.value is not None and history.has_value is not None and history.has_value[row]
    return int(history.value[row]) if known and history.value is not None else None


def _versions(history: History, rows: Integers) -> Integers:
    """The versions that the rows read or wrote; nothing is one below the lowest."""
    known, number = history.has_result[rows], history.result[rows]
    if history.value is not None and history.has_value is not None:
        own = ~known & history.has_value[rows]
        number, known = np.where(own, history.value[rows], number), known | own
    if known.all():
        return number
    least = int(number[known].min(initial=0))
    return np.where(known, number, least - 1) if least > _NONE + 1 else np.where(known, dense(number) + 1, 0)


READ, WRITE = False, True


@dataclass(frozen=True, slots=True)
class Guarantee:
    """`rule` for an operation `then` that comes after one `first` in its session; `broken` says what went wrong."""

    first: bool
    then: bool
    rule: str
    broken: str


GUARANTEES: dict[str, Guarantee] = {
    "read-your-writes": Guarantee(
        WRITE,
        READ,
        "a session reads what it has written, or something newer",
        "a session read something older than what it had written",
    ),
    "monotonic-reads": Guarantee(
        READ,
        READ,
        "what a session reads never gets older",
        "a session read something older than what it had read",
    ),
    "monotonic-writes": Guarantee(
        WRITE,
        WRITE,
        "what a session writes is newer than all that it has written",
        "a session wrote something that is not newer than what it had written",
    ),
    "writes-follow-reads": Guarantee(
        READ,
        WRITE,
        "what a session writes is newer than all that it has read",
        "a session wrote something that is not newer than what it had read",
    ),
}


def check(history: History, *, initial: Value | None, deadline: Deadline) -> Finding:
    """Whether the four guarantees hold for every session and key; each is one of `parts`."""
    order = sessions(history)
    newest = {kind: order.newest(kind) for kind in (READ, WRITE)}
    wrong = {name: order.regresses(newest[g.first], g.then) for name, g in GUARANTEES.items()}
    worst = {
        name: order.furthest(newest[GUARANTEES[name].first], where, GUARANTEES[name].first)
        for name, where in wrong.items()
        if where.any()
    }
    parts = {name: _part(order, name, wrong[name], worst.get(name)) for name in GUARANTEES}
    if not worst:
        return Finding(verdict="held", reason="in every session, versions only grow", parts=parts)
    name = min(worst, key=lambda guarantee: (-worst[guarantee].back, worst[guarantee].span_ns))
    return Finding(
        verdict="violated",
        reason="; ".join(parts[name].reason for name in worst),
        proof=parts[name].proof,
        counts={name: int(np.count_nonzero(wrong[name])) for name in worst},
        violated_keys=_keys(order, np.logical_or.reduce(list(wrong.values()))),
        parts=parts,
    )


def _part(order: Sessions, name: str, wrong: Mask, worst: Regress | None) -> Finding:
    if worst is None:
        return Finding(verdict="held", reason=GUARANTEES[name].rule)
    history, rows = order.history, (worst.earlier, worst.later)
    cast, session = Cast(history, rows), history.processes[history.process[worst.later]]
    text = (
        f"In session {session}, {_did(history, cast, worst.earlier)}, and then {_did(history, cast, worst.later)}. "
        f"But {GUARANTEES[name].rule}. {apart(history, cast, *rows)}. {cast.introductions()}"
    )
    return Finding(
        verdict="violated",
        reason=GUARANTEES[name].broken,
        proof=Proof(name, rows, text),
        counts={name: int(np.count_nonzero(wrong))},
        violated_keys=_keys(order, wrong),
    )


def _keys(order: Sessions, wrong: Mask) -> tuple[int, ...]:
    return tuple(np.unique(order.history.key[order.row[wrong]]).tolist())


def _did(history: History, cast: Cast, row: int) -> str:
    """`A wrote version 4` or `B read nothing`."""
    number = version(history, row)
    return f"{cast.name(row)} {'read' if cast.is_read(row) else 'wrote'} " + (
        "nothing" if number is None else f"version {number:,}"
    )


MODEL = Model(
    name="session",
    promise="each session reads its own writes and never goes back in versions, neither reading nor writing",
    operations={
        "write": Shape(value="integer", result="integer", either=frozenset({"value", "result"})),
        "read": Shape(result="integer", nothing=frozenset({"result"}), changes=False),
    },
    check=check,
)

"""The smallest piece of a lock's history that is itself a violation; what that means, kernels/forgetting.py says.

The forgotten keep their requests: a hold is still certain until its client first asks for a release. So each piece,
minimal by construction where it is not searched for:
- two-holders, acquired-twice: two acquires whose holds are certain at one moment, or one of which lies in the other's
  hold; of two clients, or of one (the lock is not re-entrant).
- not-the-holder: an acquire, and a release of another client within that hold.
- no-hold: the answered releases of a client up to the first by which it had released more often than it had asked for
  the lock. Without any one of them there are enough requests for all.
- no-order: more than that; see mutex/model.py.

The second half puts it in words, for a reader who does not know the algorithm.
"""

import numpy as np

from statelab.check.kernels.forgetting import Witness, by_start
from statelab.check.kernels.packing import spans
from statelab.check.kernels.pairs import precedences
from statelab.check.kernels.words import ALL_NAMED, Cast, named
from statelab.check.models.mutex.holds import NEVER, Holds, Pairs, Places, unsplittable
from statelab.core.errors import counted
from statelab.record.columns import FAIL, INF, History, Integers, Mask

KINDS = ("two-holders", "acquired-twice", "not-the-holder")
CHANGES = ("acquire", "release")


def _kind(found: Holds, pairs: Pairs) -> Integers:
    """For each pair the place of its kind in KINDS."""
    both = found.acquire[pairs.one] & found.acquire[pairs.other]
    same = found.client[pairs.one] == found.client[pairs.other]
    return np.where(both, np.where(same, 1, 0), 2)


def kinds(found: Holds, pairs: Pairs) -> dict[str, int]:
    """How many pairs there are of each kind."""
    return dict(zip(KINDS, np.bincount(_kind(found, pairs), minlength=len(KINDS)).tolist(), strict=True))


def of_pair(found: Holds, pairs: Pairs) -> Witness:
    """The pair with the largest slack; of equal ones that with the shortest span."""
    furthest = pairs.of(pairs.slack == pairs.slack.max())
    start = np.minimum(found.start[furthest.one], found.start[furthest.other])
    length = spans(start, np.maximum(found.end[furthest.one], found.end[furthest.other]))
    best = furthest.of(np.arange(len(furthest)) == np.argmin(length))
    slack = int(best.slack[0])
    rows = by_start(found.history, found.row[[best.one[0], best.other[0]]].tolist())
    return Witness(KINDS[int(_kind(found, best)[0])], rows, None if slack == NEVER else slack)


def of_releases(found: Holds, overdrawn: Places) -> Witness:
    """More releases, by one, than acquires that a client had asked for; of the client with the fewest."""
    last = int(overdrawn[np.argmin(found.asked[overdrawn])])
    mine = np.arange(int(found.client[last]), last + 1)
    mine = mine[found.ok[mine] & ~found.acquire[mine]][: int(found.asked[last]) + 1]
    return Witness("no-hold", by_start(found.history, found.row[mine].tolist()))


def of_starved(found: Holds, starved: Places) -> tuple[int, ...]:
    """The rows that make certain that a release has no acquire left, of the client that takes the fewest."""
    first = starved[np.unique(found.client[starved], return_index=True)[1]]
    needed = found.ok & (~found.acquire | found.again)
    last = int(first[np.argmin(found.so_far(needed)[first])])
    return tuple(found.row[_up_to(found, last)].tolist())


def _up_to(found: Holds, last: int) -> Places:
    """What proves that the client of a release had no acquire to spare for it: its answered releases up to this one,
    and the acquires that need another release."""
    mine = np.arange(int(found.client[last]), last + 1)
    return mine[found.ok[mine] & (~found.acquire[mine] | found.again[mine])]


def of_whole_hold(found: Holds, pairs: Pairs) -> tuple[int, ...]:
    """The rows that make certain that a hold, which an unknown release might have ended, lasted; and the other one."""
    both = np.array([pairs.one[0], pairs.other[0]])
    places = [both]
    for place in both[np.isin(both, unsplittable(found))]:
        places.append(_up_to(found, int(found.next_answered[place])))
    return tuple(found.row[np.unique(np.concatenate(places))].tolist())


def words(history: History, witness: Witness) -> str:
    """The proof of a witness; of more than six operations the first three and the last are named."""
    cast = Cast(history, witness.rows)
    if witness.kind == "no-hold":
        text = _no_hold(history, cast)
    elif witness.kind == "no-order":
        text = _no_order(history, cast)
    else:
        text = _pair(history, cast, witness.kind)
    return f"{text} {cast.introductions(named(cast.rows))}"


def _client(history: History, row: int) -> str:
    return f"client {history.processes[history.process[row]]}"


def _did(history: History, cast: Cast, row: int) -> str:
    """`A acquired the lock for client 1`."""
    verb = "acquired" if history.is_op("acquire")[row] else "released"
    return f"{cast.name(row)} {verb} the lock for {_client(history, row)}"


def _pair(history: History, cast: Cast, kind: str) -> str:
    one, other = cast.rows
    if kind == "not-the-holder" and not history.is_op("acquire")[one]:
        one, other = other, one
    first, second = cast.name(one), cast.name(other)
    reasons = {
        "two-holders": "A lock has one holder at a time",
        "acquired-twice": "A lock that is held must be released before it is acquired again",
        "not-the-holder": f"{second} must lie in a hold of its own client, so not in that of {first}",
    }
    return (
        f"{_did(history, cast, one)}, and {_did(history, cast, other)}. {reasons[kind]}. "
        f"{second} did not come after the hold of {first}: {_too_early(history, cast, one, other)}. "
        f"Nor did {first} come later: {_too_early(history, cast, other, one)}."
    )


def _too_early(history: History, cast: Cast, held: int, other: int) -> str:
    """Why `other` did not come after `held` and the end of its hold."""
    end, start = int(history.end[other]), int(history.start[held])
    if end < start:
        return f"{cast.name(other)} had ended {cast.span(start - end)} before {cast.name(held)} started"
    released = _own(history, held) & history.is_op("release") & (history.start >= history.start[held])
    freed = int(history.start[released].min(initial=INF))
    when = "it never did" if freed == INF else f"it did so {cast.span(freed - end)} later"
    return f"when {cast.name(other)} ended, {_client(history, held)} had not asked to release what it held: {when}"


def _own(history: History, row: int) -> Mask:
    """The operations of the same client and key as a row, without those that failed."""
    own: Mask = (history.process == history.process[row]) & (history.key == history.key[row]) & (history.status != FAIL)
    return own


def _asked(history: History, op: str, row: int, by: int) -> int:
    """How many operations of that name the client of a row had asked for on its key by a time."""
    return int(np.count_nonzero(_own(history, row) & history.is_op(op) & (history.start <= by)))


def _no_hold(history: History, cast: Cast) -> str:
    last, who = cast.rows[-1], _client(history, cast.rows[-1])
    asked = _asked(history, "acquire", last, int(history.start[last]))
    if not asked:
        return f"{_did(history, cast, last)}, which had never asked for it when {cast.name(last)} started."
    *others, name = (cast.name(row) for row in named(cast.rows))
    names = f"{', '.join(others)}, ... and {name}" if len(cast.rows) > ALL_NAMED else f"{', '.join(others)} and {name}"
    return (
        f"{len(cast.rows):,} times {who} released the lock ({names}). Each release ends a hold of its own, but when "
        f"{name} started {who} had asked for the lock only {counted(asked, 'time')}."
    )


def _no_order(history: History, cast: Cast) -> str:
    end = int(history.end[cast.rows].max())
    told = ". ".join(_did(history, cast, row) for row in named(cast.rows))
    if len(cast.rows) > ALL_NAMED:
        told += f". They are {len(cast.rows):,} operations"
    clients = {int(history.process[row]): row for row in cast.rows}
    asked = " ".join(
        f"By then {_client(history, row)} had asked for {counted(_asked(history, 'acquire', row, end), 'acquire')} and "
        f"{counted(_asked(history, 'release', row, end), 'release')} in all."
        for row in clients.values()
    )
    before = f" {precedences(history, cast)}" if len(cast.rows) <= ALL_NAMED else ""
    return (
        f"{told}.{before} {asked} Whichever of the others took effect, in every order that the times allow the lock is "
        f"acquired while it is held, or released by a client that does not hold it."
    )

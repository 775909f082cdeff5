"""The smallest piece of a lock's history that is itself a violation; what that means, forgetting.py says.

The forgotten keep their requests: a hold is still certain until its client first asks for a release. So each piece,
minimal by construction where it is not searched for:
- two-holders, acquired-twice: two acquires whose holds are certain at one moment, or one of which lies in the other's
  hold; of two clients, or of one (the lock is not re-entrant).
- not-the-holder: an acquire, and a release of another client within that hold.
- no-hold: the answered releases of a client up to the first by which it had released more often than it had asked for
  the lock. Without any one of them there are enough requests for all.
- no-order: more than that; see mutex.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from statelab.check.kernels.forgetting import Violated
from statelab.check.kernels.forgetting import minimal
from statelab.check.kernels.packing import spans
from statelab.check.kernels.search import slack_of
from statelab.check.kernels.search import witness
from statelab.check.models.mutex.conflicts import NEVER
from statelab.check.models.mutex.conflicts import Pairs
from statelab.check.models.mutex.holds import Holds
from statelab.check.models.mutex.holds import Places
from statelab.check.models.mutex.holds import unsplittable
from statelab.record.columns import History
from statelab.record.columns import Integers

Kind = Literal["two-holders", "acquired-twice", "not-the-holder", "no-hold", "no-order"]

KINDS: tuple[Kind, ...] = ("two-holders", "acquired-twice", "not-the-holder")
CHANGES = ("acquire", "release")


@dataclass(frozen=True, slots=True)
class Witness:
    """Its rows by start. `slack_ns` None: it needs no clock."""

    kind: Kind
    rows: tuple[int, ...]
    slack_ns: int | None = None


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
    rows = _by_start(found.history, found.row[[best.one[0], best.other[0]]].tolist())
    return Witness(KINDS[int(_kind(found, best)[0])], rows, None if slack == NEVER else slack)


def of_releases(found: Holds, overdrawn: Places) -> Witness:
    """One release more than a client had asked for acquires; of the client for which these are the fewest."""
    last = int(overdrawn[np.argmin(found.asked[overdrawn])])
    mine = np.arange(int(found.client[last]), last + 1)
    mine = mine[found.ok[mine] & ~found.acquire[mine]][: int(found.asked[last]) + 1]
    return Witness("no-hold", _by_start(found.history, found.row[mine].tolist()))


def of_starved(found: Holds, starved: Places) -> tuple[int, ...]:
    """The rows that make certain that a release has no acquire left, of the client that takes the fewest."""
    first = starved[np.unique(found.client[starved], return_index=True)[1]]
    needed = found.ok & (~found.acquire | found.again)
    last = int(first[np.argmin(found.so_far(needed)[first])])
    return tuple(found.row[_up_to(found, last)].tolist())


def _up_to(found: Holds, last: int) -> Places:
    """What counts if the client of a release has no acquire to spare for it: all its releases so far, and the acquires
    that need another release."""
    mine = np.arange(int(found.client[last]), last + 1)
    return mine[found.ok[mine] & (~found.acquire[mine] | found.again[mine])]


def of_whole_hold(found: Holds, pairs: Pairs) -> tuple[int, ...]:
    """The rows that make certain that a hold, which an unknown release might have ended, lasted; and the other one."""
    both = np.array([pairs.one[0], pairs.other[0]])
    places = [both]
    for place in both[np.isin(both, unsplittable(found))]:
        places.append(_up_to(found, int(found.next_answered[place])))
    return tuple(found.row[np.unique(np.concatenate(places))].tolist())


def of_search(history: History, given: Sequence[int] | int, violated: Violated) -> Witness:
    """A minimal witness within some rows that are one, or before the row at which the search was stuck."""
    some = given if isinstance(given, int) else given[0]
    own = np.flatnonzero(history.key == history.key[some])
    alone = history.take(own)
    if isinstance(given, int):
        rows = witness(alone, int(np.searchsorted(own, given)), CHANGES, violated)
    else:
        rows = minimal(alone, np.searchsorted(own, np.array(given)).tolist(), CHANGES, violated)
    slack = slack_of(alone, rows, CHANGES, violated)
    return Witness("no-order", _by_start(history, own[list(rows)].tolist()), slack)


def _by_start(history: History, rows: Sequence[int]) -> tuple[int, ...]:
    return tuple(sorted(rows, key=lambda row: (int(history.start[row]), int(history.end[row]))))

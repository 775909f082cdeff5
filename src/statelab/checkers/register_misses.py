"""A `cas` that answered false without saying what it saw: at some moment between its start and its end the value was
another than it expected.

Sure violations and sure fits are told apart in O(n log n); what is neither has to be searched. A miss contradicts the
rest if it lies within the time in which its value was there in every order: after one operation that made or saw it
had ended, and before another that saw it started. And it fits, together with all others, if one order of all other
operations, each at one moment of its interval, leaves every miss a moment with another value: the order here is that
of the blocks (zones.laid_out), each operation as early as it can be.
"""

from dataclasses import dataclass

import numpy as np

from statelab.checkers import order
from statelab.checkers.register_blocks import Blocks
from statelab.checkers.register_chains import earlier
from statelab.checkers.register_chains import latest
from statelab.checkers.register_sightings import Sightings
from statelab.checkers.register_values import Values
from statelab.checkers.zones import laid_out
from statelab.columns import INF
from statelab.columns import History
from statelab.columns import Integers
from statelab.columns import Mask


@dataclass(frozen=True, slots=True, eq=False)
class Misses:
    """Rows that missed a value which was there at some time, and its place (see Chains; -1 for an initial value that
    nobody saw). `wrong` are sure violations, `open` may or may not fit."""

    row: Integers
    place: Integers
    wrong: Mask
    open: Mask

    def of(self, chosen: Mask) -> "Misses":
        """Those of some rows; `chosen` is a mask over the history."""
        kept = chosen[self.row]
        return Misses(self.row[kept], self.place[kept], self.wrong[kept], self.open[kept])


def misses_of(history: History, given: Sightings, values: Values, judged: Blocks) -> Misses:
    """Judges the misses of the blocks' keys, given that all else in those keys fits."""
    place_of = np.full(len(values.key) + 1, -1, np.int64)
    place_of[judged.value[judged.chains.value]] = np.arange(len(judged.chains.value))
    place = place_of[given.find(given.missed)]
    there = (place >= 0) | given.missed_initial
    row, place, initial = given.miss[there], place[there], given.missed_initial[there]
    if not len(row) or judged.in_ranks:
        return Misses(row, place, np.zeros(len(row), np.bool_), np.ones(len(row), np.bool_))
    start, end = history.start[row], history.end[row]
    first_end = np.append(np.minimum(judged.made[1], judged.seen[1]), INF)
    last_start = np.append(np.maximum(judged.made[0], judged.seen[0]), -INF)
    wrong = (initial | (first_end[place] < start)) & (end < last_start[place])
    begins, goes, first = _moments(values, judged, len(history.keys))
    goes_at = np.where(place < 0, first[history.key[row]], np.append(goes, INF)[place])
    fits = (goes_at <= end) | (~initial & (start <= np.append(begins, -INF)[place]))
    return Misses(row, place, wrong, ~fits & ~wrong)


def _moments(values: Values, judged: Blocks, keys: int) -> tuple[Integers, Integers, Integers]:
    """For each place, when its value begins and goes, and for each key, when its first one begins, if every operation
    takes effect as early as it can."""
    chains = judged.chains
    size = np.diff(np.append(chains.first, len(chains.value)))
    line = laid_out(judged.first_end, judged.last_start)
    offset = np.cumsum(size[line]) - size[line]
    places = np.arange(len(chains.value)) + np.repeat(chains.first[line] - offset, size[line])
    key = values.key[judged.value[chains.value[places]]]
    first = np.flatnonzero(order.begins(key))
    made, seen = judged.made[0][places], judged.seen[0][places]
    moment = np.maximum(made, earlier(first, latest(first, np.maximum(made, seen))))
    following = np.append(moment[1:], INF)[: len(moment)]
    following[first[1:] - 1] = INF
    begins, goes, appears = np.empty_like(moment), np.empty_like(moment), np.full(keys, INF)
    begins[places], goes[places], appears[key[first]] = moment, following, moment[first]
    return begins, goes, appears

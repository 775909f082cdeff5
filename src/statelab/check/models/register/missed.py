"""The witness of a miss: a `cas` that answered false while the value that it expected was there for certain."""

import numpy as np

from statelab.check.models.register.misses import Misses
from statelab.check.models.register.scene import Scene
from statelab.check.models.register.sightings import has_value
from statelab.check.models.register.sightings import same_value
from statelab.check.models.register.witness import Link
from statelab.check.models.register.witness import Witness
from statelab.record.columns import FAIL
from statelab.record.columns import OK
from statelab.record.columns import Integers


def missed(scene: Scene, given: Misses) -> Witness | None:
    """The miss that ended longest before its value was seen again.

    With it goes one operation that shows the value before it (unless it is the initial one) and one that shows it after
    it (unless nobody had asked for anything that could have replaced the value).
    """
    wrong = np.flatnonzero(given.wrong)
    if not len(wrong):
        return None
    row, place = given.row[wrong], given.place[wrong]
    still = scene.judged.last_start_at[place] - scene.history.end[row]
    best = int(np.argmax(still))
    chain, at = scene.chain_of(int(place[best]))
    return _held_through(scene, int(row[best]), chain[: at + 1])


def _held_through(scene: Scene, miss: int, chain: Integers) -> Witness:
    before, (after, shown) = _shown_before(scene, miss, chain), _shown_after(scene, miss, int(chain[-1]))
    others = [miss, *scene.values.maker[chain].tolist(), *(link.earlier for link in before)]
    replacing = np.setdiff1d(_replacing(scene, miss, chain), others)
    end, starts = int(scene.history.end[miss]), scene.history.start[replacing]
    if (starts <= end).any():
        links, apart = [*before, after], [scene.apart(miss, after.asked)]
    else:
        links, apart = before, [int(start) - end for start in starts]
    apart += [scene.apart(link.earlier, miss) for link in before]
    rows = dict.fromkeys([*(link.earlier for link in links), miss, *(link.later for link in links)])
    needed = dict.fromkeys([*scene.origins(shown), *chain.tolist()]) if after in links else chain
    return Witness("false-failure", tuple(rows), np.array(list(needed)), tuple(links), min(apart, default=None))


def _shown_before(scene: Scene, miss: int, chain: Integers) -> list[Link]:
    """The first operation to show that the value was there before the miss started; none for the initial value."""
    if scene.values.initial[chain[-1]]:
        return []
    shows = scene.actors(chain[-1:])
    return [Link(int(shows.row[np.argmin(shows.end)]), miss, miss)]


def _shown_after(scene: Scene, miss: int, value: int) -> tuple[Link, int]:
    """The last operation to show that the value was there after the miss had ended, and the value that it showed."""
    after = np.flatnonzero((scene.values.before == value) & scene.values.live)
    seers = np.append(scene.seers(value), scene.values.maker[after])
    last = int(seers[np.argmax(scene.history.start[seers])])
    sure, shown = (last, value) if scene.history.status[last] == OK else scene.sure(int(after[0]))
    return Link(miss, sure, last), shown


def _replacing(scene: Scene, miss: int, chain: Integers) -> Integers:
    """The requests for the same key that would have replaced the last value of a chain."""
    history, value = scene.history, chain[-1:]
    number = None if scene.values.initial[value[0]] else int(scene.numbers(value)[0])
    writes = history.is_op("write") & ~has_value(history, "value", number, scene.initial)
    idle = same_value(history, "expected", "value", scene.initial)
    swaps = history.is_op("cas") & has_value(history, "expected", number, scene.initial) & ~idle
    return np.flatnonzero((writes | swaps) & (history.key == history.key[miss]) & (history.status != FAIL))

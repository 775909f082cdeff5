"""The smallest witness of a register with unique values, minimal by construction.

What the rule of `forgetting` means here: of operations outside the witness the request is kept, so the values that the
witness saw still have their makers, which may take effect at any time after their start. With that context
- one operation is a violation alone iff its value has no maker (`phantom`, `aborted-read`, `circular`) or one of those
  it needs, directly or down the chain, started after the operation had ended (`future-read`);
- else two are iff they replaced the same value (`lost-update`), or one saw a value that the other, which had ended
  before, shows to be gone: one that was replaced, or the one of the beginning (`stale-read`);
- else no two are, and of two chains that must each precede the other it takes three or four operations: of one chain
  an operation that ended early and one that started late (or one that did both), and of the other the same.
Taking an operation from such a set leaves none of these reasons, so the rest is valid.
"""

from dataclasses import dataclass

import numpy as np

from statelab.checkers.pairs import closest
from statelab.checkers.register_chains import earlier
from statelab.checkers.register_chains import latest
from statelab.checkers.register_scene import Actors
from statelab.checkers.register_scene import Scene
from statelab.checkers.register_sightings import Role
from statelab.columns import History
from statelab.columns import Integers


@dataclass(frozen=True, slots=True)
class Link:
    """`earlier` had ended before `later` can have taken effect: before `asked` started, whose value it needs."""

    earlier: int
    later: int
    asked: int


@dataclass(frozen=True, slots=True)
class Witness:
    """Rows that contradict each other, and why.

    `links` are the real-time reasons, `values` those whose makers the rows need (see Values), `slack_ns` is by how much
    the clocks must be wrong (None: no clock is needed).
    """

    kind: str
    rows: tuple[int, ...]
    values: Integers
    links: tuple[Link, ...] = ()
    slack_ns: int | None = None


def unmade(scene: Scene) -> Witness | None:
    """One operation that saw what nobody can have made."""
    phantom = np.flatnonzero(scene.values.phantom & ~scene.values.ambiguous)
    if not len(phantom):
        return None
    row, _ = scene.sure(int(phantom[0]))
    return Witness("phantom", (row,), phantom[:1])


def circular(scene: Scene) -> Witness | None:
    """One operation of values that only came from each other."""
    endless = scene.judged.value[scene.judged.chains.endless]
    if not len(endless):
        return None
    circle = scene.origins(int(endless[0]))
    row = next(int(rows[0]) for value in circle if len(rows := scene.seers(value)))
    return Witness("circular", (row,), np.array(circle))


def future(scene: Scene) -> Witness | None:
    """One operation that ended before its value can have been made."""
    judged = scene.judged
    if not judged.future.any():
        return None
    late = latest(judged.chains.first, judged.made[0]) - np.minimum(judged.made[1], judged.seen[1])
    chain, _ = scene.chain_of(int(np.argmax(np.where(judged.future, late, 0))))
    return _too_soon(scene, chain)


def _too_soon(scene: Scene, chain: Integers) -> Witness | None:
    """The operation of a chain that ended most too soon for its value."""
    cast = scene.actors(chain)
    soon = np.flatnonzero(cast.end < cast.moment)
    if not len(soon):
        return None
    at = int(soon[np.argmax(cast.moment[soon] - cast.end[soon])])
    row, slack = int(cast.row[at]), int(cast.moment[at] - cast.end[at])
    return Witness("future-read", (row,), chain, (Link(row, row, int(cast.asked[at])),), slack)


def fork(scene: Scene, keys: Integers) -> Witness | None:
    """Two operations that replaced the same value, or one of them if it is wrong by itself."""
    forked = np.flatnonzero((scene.values.forks > 1) & np.isin(scene.values.key, keys))
    if not len(forked):
        return None
    value = int(forked[0])
    shows = {row: value for row in scene.sightings(value, Role.REPLACED).tolist()}
    for after in np.flatnonzero(scene.values.before == value).tolist():
        if scene.given.role[scene.given.first[after]] == Role.MAY_SWAP:
            shows |= [scene.sure(after)]
    rows = np.array(list(shows))
    pair = _nearest(scene.history, rows) if len(rows) > 1 else (int(rows[0]),) * 2  # out of itself: wrong alone
    alone = (_wrong_alone(scene, row, shows[row]) for row in pair)
    return next(filter(None, alone), Witness("lost-update", pair, np.array(scene.origins(value))))


def _nearest(history: History, rows: Integers) -> tuple[int, int]:
    one, other = closest(np.zeros(len(rows), np.int64), history.start[rows], history.end[rows])
    return int(rows[one]), int(rows[other])


def _wrong_alone(scene: Scene, row: int, value: int) -> Witness | None:
    """The witness of an operation that saw a value which cannot have been there by its end."""
    values, origins = scene.values, np.array(scene.origins(value))
    if values.before[origins[-1]] >= 0:
        return Witness("circular", (row,), origins)
    last = origins[np.argmax(values.made_start[origins])]
    slack = int(values.made_start[last]) - int(scene.history.end[row])
    if slack <= 0:
        return None
    return Witness("future-read", (row,), origins, (Link(row, row, int(values.maker[last])),), slack)


def replaced(scene: Scene) -> Witness | None:
    """Two operations of a chain: one showed a later value and had ended before the other saw an earlier one."""
    judged = scene.judged
    places = np.flatnonzero(judged.stale)
    if not len(places):
        return None
    upto = latest(judged.chains.first, np.maximum(judged.made[0], judged.seen[0]))
    before = earlier(judged.chains.first, upto)[places]
    ended = np.minimum(judged.made[1], judged.seen[1])[places]
    chain, place = scene.chain_of(int(places[np.argmax(before - ended)]))
    old = int(chain[np.argmax(scene.values.seen_start[chain[:place]])])
    seers = scene.sightings(old, Role.READ, Role.FOUND)
    later = int(seers[np.argmax(scene.history.start[seers])])
    cast = scene.actors(chain[place : place + 1])
    earlier_row = int(cast.row[np.argmin(cast.end)])
    slack = int(scene.history.start[later] - scene.history.end[earlier_row])
    return Witness("stale-read", (earlier_row, later), chain, (Link(earlier_row, later, later),), slack)


def clash(scene: Scene) -> Witness | None:
    """Two to four operations of two chains that must each precede the other."""
    clashes = scene.judged.clashes
    if not len(clashes):
        return None
    worst = int(np.argmax(clashes.slack_ns))
    chains = [scene.chain(int(pair[worst])) for pair in (clashes.one, clashes.other)]
    chains.sort(key=lambda chain: not scene.values.initial[chain[0]])
    values = np.concatenate(chains)
    one, other = (scene.actors(chain) for chain in chains)
    if scene.values.initial[chains[0][0]]:
        return _returned(one, other, values)
    return _crossed(one, other, values)


def _returned(initial: Actors, other: Actors, values: Integers) -> Witness:
    first, last = int(np.argmin(other.end)), int(np.argmax(initial.moment))
    link = Link(int(other.row[first]), int(initial.row[last]), int(initial.asked[last]))
    return Witness(
        "stale-read", (link.earlier, link.later), values, (link,), int(initial.moment[last] - other.end[first])
    )


def _crossed(one: Actors, other: Actors, values: Integers) -> Witness:
    ends, moments = (one.end.min(), other.end.min()), (one.moment.max(), other.moment.max())
    slack = int(min(moments[1] - ends[0], moments[0] - ends[1]))
    (a, a_late), (b, b_late) = _extremes(one, ends[1], moments[1]), _extremes(other, ends[0], moments[0])
    if a == a_late:
        b, b_late = int(np.argmin(other.end)), int(np.argmax(other.moment))
    links = (
        Link(int(one.row[a]), int(other.row[b_late]), int(other.asked[b_late])),
        Link(int(other.row[b]), int(one.row[a_late]), int(one.asked[a_late])),
    )
    rows = tuple(dict.fromkeys(row for link in links for row in (link.earlier, link.later)))
    return Witness("stale-read" if len(rows) == 3 else "order", rows, values, links, slack)


def _extremes(cast: Actors, other_end: int, other_moment: int) -> tuple[int, int]:
    """The operation that ended first and the one that began last; one that does for both, if there is one."""
    both = np.flatnonzero((cast.moment > other_end) & (cast.end < other_moment))
    if len(both):
        return int(both[0]), int(both[0])
    return int(np.argmin(cast.end)), int(np.argmax(cast.moment))


def smallest(scene: Scene, forked_keys: Integers) -> Witness | None:
    """A witness with the fewest operations; of one kind the one with the largest slack."""
    ways = (unmade, circular, future, lambda scene: fork(scene, forked_keys), replaced, clash)
    return next(filter(None, (way(scene) for way in ways)), None)

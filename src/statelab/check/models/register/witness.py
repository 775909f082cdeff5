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

A `Scene` is where a witness is looked for: the values, their chains, and who did what to them. The last part finds the
witness of a `cas` that answered false while the value that it expected was certainly there (`of_failed_cas`).
"""

from dataclasses import dataclass

import numpy as np

from statelab.check.kernels.packing import differences, spans
from statelab.check.kernels.pairs import closest
from statelab.check.models.register.chains import Blocks, earlier, latest
from statelab.check.models.register.failed_cas import FailedCas
from statelab.check.models.register.values import Role, Sightings, Values, cas_answer, column, has_value, same_value
from statelab.record.columns import FAIL, OK, History, Integers, Mask


@dataclass(frozen=True, slots=True, eq=False)
class Actors:
    """The answered operations of a chain: row, times, and the `moment` before which each cannot have taken effect.

    That is its own start or, if later, the latest start among the makers of its value and of those before it in the
    chain; `asked` is the row that started then.
    """

    row: Integers
    start: Integers
    end: Integers
    moment: Integers
    asked: Integers


class Scene:
    """A history with its values and chains, and what the search for a witness asks of them."""

    def __init__(self, history: History, initial: int | None, given: Sightings, values: Values, judged: Blocks) -> None:
        self.history, self.initial = history, initial
        self.given, self.values, self.judged = given, values, judged

    def apart(self, earlier: int, later: int) -> int:
        """How long before one row started another had ended; right for any two stamps."""
        return int(self.history.start[later]) - int(self.history.end[earlier])

    def sightings(self, value: int, *roles: Role) -> Integers:
        """The rows that have one of these roles for a value."""
        first = self.given.first
        last = first[value + 1] if value + 1 < len(first) else len(self.given.row)
        here = slice(int(first[value]), int(last))
        return self.given.row[here][np.isin(self.given.role[here], roles)].astype(np.int64)

    def seers(self, value: int) -> Integers:
        """The answered operations that saw a value."""
        return self.sightings(value, Role.SAW, Role.REPLACED)

    def sure(self, value: int) -> tuple[int, int]:
        """An answered operation that shows that the value was there, and the value that it saw: this or a later one."""
        todo = [value]
        while not len(rows := self.seers(value := todo.pop())):
            todo = np.flatnonzero((self.values.before == value) & self.values.live).tolist() + todo
        span = self.history.end[rows] - self.history.start[rows]
        return int(rows[np.argmin(span)]), value

    def numbers(self, values: Integers) -> Integers:
        """The numbers that stand for values in the columns; meaningless for the initial value."""
        first = self.given.first[values]
        shown = zip(self.given.row[first].tolist(), self.given.role[first].tolist(), strict=True)
        return np.array([column(self.history, self._field(row, Role(role)))[row] for row, role in shown], np.int64)

    def _field(self, row: int, role: Role) -> str:
        """The field that holds the value which a row has a role for."""
        if role != Role.SAW:
            return "expected" if role in (Role.REPLACED, Role.MAY_REPLACE) else "value"
        if self.history.is_op("read")[row]:
            return "result"
        return "expected" if cas_answer(self.history, True)[row] else "seen"

    def origins(self, value: int) -> list[int]:
        """The value and those it came from, back to the first; of a circle, each once."""
        found: dict[int, None] = {}
        while value >= 0 and value not in found:
            found[value] = None
            value = int(self.values.before[value])
        return list(found)

    def chain(self, number: int) -> Integers:
        """The values of a chain in order."""
        chains = self.judged.chains
        bounds = np.append(chains.first, len(chains.value))
        return self.judged.value[chains.value[bounds[number] : bounds[number + 1]]].astype(np.int64)

    def chain_of(self, place: int) -> tuple[Integers, int]:
        """The chain that has a place, and where in it that is."""
        number = int(np.searchsorted(self.judged.chains.first, place, "right")) - 1
        return self.chain(number), place - int(self.judged.chains.first[number])

    def actors(self, chain: Integers) -> Actors:
        """The answered operations of a chain, each once, at the place of the value that it left."""
        size = np.diff(np.append(self.given.first, len(self.given.row)))[chain]
        offset = np.cumsum(size) - size
        positions = np.arange(size.sum()) + np.repeat(self.given.first[chain] - offset, size)
        acting = np.isin(self.given.role[positions], (Role.WROTE, Role.SWAPPED, Role.SAW))
        row, place = self.given.row[positions][acting], np.repeat(np.arange(len(chain)), size)[acting]
        # For each place of the chain, the latest start among the makers up to it, and that maker's row.
        made = self.values.made_start[chain]
        moment = np.maximum.accumulate(made)
        maker = self.values.maker[chain[np.maximum.accumulate(np.where(made == moment, np.arange(len(chain)), 0))]]
        own = self.history.start[row] >= moment[place]
        return Actors(
            row=row,
            start=self.history.start[row],
            end=self.history.end[row],
            moment=np.where(own, self.history.start[row], moment[place]),
            asked=np.where(own, row, maker[place].astype(np.int64)),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What the rule says of a history: masks over the keys of the history, shape `(keys,)`.

    `wrong` keys are violated, `open` ones undecided, the rest held. `denied` are the rows that found the very value
    that they were to replace and yet answered false; `forked` keys have a value that was replaced twice.
    """

    scene: Scene
    failed_cas: FailedCas
    denied: Integers
    forked: Mask
    wrong: Mask
    open: Mask


_TRIED = 100
"""Of equally good operations for a witness, how many are tried."""


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
    row, value = scene.sure(int(phantom[0]))
    return Witness("phantom", (row,), np.array(scene.origins(value)))


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
    late = latest(judged.chains.first, judged.made_start) - judged.first_end_at
    chain, _ = scene.chain_of(int(np.argmax(np.where(judged.future, late, 0))))
    # Of this chain, the operation that ended longest before its value can have been made.
    cast = scene.actors(chain)
    soon = np.flatnonzero(cast.end < cast.moment)
    if not len(soon):
        return None
    at = int(soon[np.argmax(spans(cast.end[soon], cast.moment[soon]))])
    row, slack = int(cast.row[at]), int(cast.moment[at]) - int(cast.end[at])
    return Witness("future-read", (row,), chain, (Link(row, row, int(cast.asked[at])),), slack)


def fork(scene: Scene, keys: Integers) -> Witness | None:
    """Two operations that replaced the same value, or one of them if it is wrong by itself."""
    forked = np.flatnonzero((scene.values.forks > 1) & np.isin(scene.values.key, keys))
    if not len(forked):
        return None
    value = int(forked[0])
    shows: dict[int, int] = {row: value for row in scene.sightings(value, Role.REPLACED).tolist()}
    for after in np.flatnonzero(scene.values.before == value).tolist():
        if scene.given.role[scene.given.first[after]] == Role.MAY_SWAP:
            row, shown = scene.sure(after)
            shows[row] = shown
    rows = np.array(list(shows))
    pair = (int(rows[0]),) * 2  # it came out of itself: wrong alone
    if len(rows) > 1:
        one, other = closest(np.zeros(len(rows), np.int64), scene.history.start[rows], scene.history.end[rows])
        pair = (int(rows[one]), int(rows[other]))
    alone = (_wrong_alone(scene, row, shows[row]) for row in pair)
    seen = (value, *(shows[row] for row in pair))
    needed = dict.fromkeys(origin for value in seen for origin in scene.origins(value))
    return next(filter(None, alone), Witness("lost-update", pair, np.array(list(needed))))


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
    upto = latest(judged.chains.first, judged.last_start_at)
    before = earlier(judged.chains.first, upto)[places]
    apart = before - judged.first_end_at[places]
    furthest = places[apart == apart.max()][-1]  # who replaced a value stands at the place of the next one
    chain, place = scene.chain_of(int(furthest))
    old = int(chain[np.argmax(scene.values.seen_start[chain[:place]])])
    seers = scene.sightings(old, Role.SAW)
    later = int(seers[np.argmax(scene.history.start[seers])])
    cast = scene.actors(chain[place : place + 1])
    earlier_row = int(cast.row[np.argmin(cast.end)])
    link, slack = Link(earlier_row, later, later), scene.apart(earlier_row, later)
    return Witness("stale-read", (earlier_row, later), chain, (link,), slack)


def clash(scene: Scene) -> Witness | None:
    """Two to four operations of two chains that must each precede the other."""
    clashes = scene.judged.clashes
    if not len(clashes):
        return None
    initial = scene.values.initial[scene.judged.value[scene.judged.chains.value[scene.judged.chains.first]]]
    fewest = np.flatnonzero(initial[clashes.one] | initial[clashes.other])
    among = fewest if len(fewest) else np.arange(len(clashes))
    worst = among[np.argmax(clashes.slack_ns[among])]
    chains = [scene.chain(int(pair[worst])) for pair in (clashes.one, clashes.other)]
    chains.sort(key=lambda chain: not scene.values.initial[chain[0]])
    one, other = (scene.actors(chain) for chain in chains)
    if len(fewest):  # the initial value was seen after another one had been shown: two operations say so
        links: tuple[Link, ...] = (_link(other, int(np.argmin(other.end)), one, int(np.argmax(one.moment))),)
    elif between := max(_between(one, other), _between(other, one), key=lambda found: found[0])[1]:
        links = between
    else:  # four operations
        a, b = (int(np.argmin(cast.end)) for cast in (one, other))
        a_late, b_late = (int(np.argmax(cast.moment)) for cast in (one, other))
        links = (_link(one, a, other, b_late), _link(other, b, one, a_late))
    rows = tuple(dict.fromkeys(row for link in links for row in (link.earlier, link.later)))
    links = tuple(sorted(links, key=lambda link: int(scene.history.end[link.earlier])))
    slack = min(scene.apart(link.earlier, link.asked) for link in links)
    return Witness("order" if len(rows) == 4 else "stale-read", rows, np.concatenate(chains), links, slack)


def _between(one: Actors, other: Actors) -> tuple[tuple[int, int], tuple[Link, Link] | None]:
    """An operation of `one` that must lie between two of `other`: of those with the largest slack, the three operations
    that fit into the shortest time.

    Returns (slack, minus the time that the three take) and the two links; (0, 0) and None where there is none.
    """
    slack = np.minimum(differences(one.moment, other.end.min()), differences(other.moment.max(), one.end))
    most = int(slack.max())
    if most <= 0:
        return (0, 0), None
    found = []
    for place in np.flatnonzero(slack == most)[:_TRIED].tolist():
        before = np.flatnonzero(other.end <= one.moment[place] - most)
        after = np.flatnonzero(other.moment >= one.end[place] + most)
        early = int(before[np.argmax(other.start[before])])
        late = int(after[np.argmin(other.end[after])])
        took = int(other.end[late]) - int(min(other.start[early], one.start[place]))
        found.append(((most, -took), place, early, late))
    size, place, early, late = max(found)
    return size, (_link(one, place, other, late), _link(other, early, one, place))


def _link(before: Actors, place: int, after: Actors, at: int) -> Link:
    return Link(int(before.row[place]), int(after.row[at]), int(after.asked[at]))


def smallest(scene: Scene, forked_keys: Integers) -> Witness | None:
    """A witness with the fewest operations; of one kind the one with the largest slack."""
    ways = (unmade, circular, future, lambda scene: fork(scene, forked_keys), replaced, clash)
    return next(filter(None, (way(scene) for way in ways)), None)


def of_failed_cas(scene: Scene, given: FailedCas) -> Witness | None:
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
    value, before = int(chain[-1]), list[Link]()
    if not scene.values.initial[value]:  # the first operation to show that the value was there before the miss started
        shows = scene.actors(chain[-1:])
        before = [Link(int(shows.row[np.argmin(shows.end)]), miss, miss)]
    # The last operation to show that the value was there after the miss had ended, and the value that it showed.
    next_values = np.flatnonzero((scene.values.before == value) & scene.values.live)
    seers = np.append(scene.seers(value), scene.values.maker[next_values])
    last = int(seers[np.argmax(scene.history.start[seers])])
    row, shown = (last, value) if scene.history.status[last] == OK else scene.sure(int(next_values[0]))
    after = Link(miss, row, last)
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


def _replacing(scene: Scene, miss: int, chain: Integers) -> Integers:
    """The requests for the same key that would have replaced the last value of a chain."""
    history, value = scene.history, chain[-1:]
    number = None if scene.values.initial[value[0]] else int(scene.numbers(value)[0])
    writes = history.is_op("write") & ~has_value(history, "value", number, scene.initial)
    idle = same_value(history, "expected", "value", scene.initial)
    swaps = history.is_op("cas") & has_value(history, "expected", number, scene.initial) & ~idle
    return np.flatnonzero((writes | swaps) & (history.key == history.key[miss]) & (history.status != FAIL))

"""Where a witness is looked for: the values of a register, their chains, and who did what to them."""

from dataclasses import dataclass

import numpy as np

from statelab.check.models.register.blocks import Blocks
from statelab.check.models.register.sightings import Role
from statelab.check.models.register.sightings import Sightings
from statelab.check.models.register.sightings import cas_answer
from statelab.check.models.register.sightings import column
from statelab.check.models.register.values import Values
from statelab.record.columns import History
from statelab.record.columns import Integers


@dataclass(frozen=True, slots=True, eq=False)
class Actors:
    """The answered operations of a chain: row, its times, and the moment before
    which it cannot have taken effect: its start, or that of the last maker (`asked`) up to its value."""

    row: Integers
    start: Integers
    end: Integers
    moment: Integers
    asked: Integers


class Scene:
    """What a witness is looked for in."""

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
        """Who is who in a chain."""
        row, place = self._acting(chain)
        moment, maker = _last_maker(self.values, chain)
        own = self.history.start[row] >= moment[place]
        return Actors(
            row=row,
            start=self.history.start[row],
            end=self.history.end[row],
            moment=np.where(own, self.history.start[row], moment[place]),
            asked=np.where(own, row, maker[place]),
        )

    def _acting(self, chain: Integers) -> tuple[Integers, Integers]:
        """The answered operations of a chain, each once, at the place of the value that it left."""
        size = np.diff(np.append(self.given.first, len(self.given.row)))[chain]
        offset = np.cumsum(size) - size
        positions = np.arange(size.sum()) + np.repeat(self.given.first[chain] - offset, size)
        acting = np.isin(self.given.role[positions], (Role.WROTE, Role.SWAPPED, Role.SAW))
        return self.given.row[positions][acting], np.repeat(np.arange(len(chain)), size)[acting]


def _last_maker(values: Values, chain: Integers) -> tuple[Integers, Integers]:
    """For each place of a chain, the latest start among the makers up to it, and that maker's row."""
    start = values.made_start[chain]
    latest = np.maximum.accumulate(start)
    here = np.maximum.accumulate(np.where(start == latest, np.arange(len(chain)), 0))
    return latest, values.maker[chain[here]].astype(np.int64)

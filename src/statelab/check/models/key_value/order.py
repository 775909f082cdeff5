"""The order that the texts shown force on one key's operations, where they can be told apart.

A text that a get showed was put by someone (or is the initial one) and grew by appends. Where there is only one way to
read it like that, it tells which operations made it, and in which order. `forced` reads all texts of a key.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from heapq import heappop
from heapq import heappush

from statelab.check.models.key_value.texts import GET
from statelab.check.models.key_value.texts import Calls
from statelab.record.columns import INF

Ways = dict[int, tuple[int, int, int]]
"""How a text can have come about: length of a beginning of it -> (number of ways, up to 2; the last call; the length
before that call, -1 for a put or the initial text)."""


@dataclass(frozen=True, slots=True)
class Forced:
    """By call, `block` is the put that its text began with (the number of calls stands for the initial text), `rank`
    its place in the block: 2i for the write that makes the i-th text of the block, 2i + 1 for a get of it. A write that
    no get shows is a block of its own; block -1 says nothing: a write of unknown outcome that no get shows.

    `alone` are gets that no requests can explain: (`phantom`, `repeated-append` or `future-read`, get, slack); `forks`
    are pairs of gets whose texts need one write in two places, or two in one.
    """

    block: list[int]
    rank: list[int]
    alone: list[tuple[str, int, int | None]] = field(default_factory=list)
    forks: list[tuple[int, int]] = field(default_factory=list)


def forced(calls: Calls, initial: str) -> Forced | None:
    """What the texts force; None where one can be read in several ways. O(total text) where tokens differ clearly."""
    reading = _Reading(calls, initial)
    for family in _families(sorted(reading.gets)):
        if not reading.take(family):
            return None
    return reading.conclude()


class Writes:
    """The puts and appends of a key by what they write, and its gets by what they show."""

    def __init__(self, calls: Calls, initial: str) -> None:
        self._initial = initial
        self._puts, self._appends, self.gets = _by_text(calls)
        self._bases = sorted({len(text) for text in self._puts})
        self._lengths = sorted({len(text) for text in self._appends})

    def ways(self, text: str) -> Ways:
        """In how many ways the calls can make each beginning of the text, each call any number of times."""
        found: Ways = {}
        if text.startswith(self._initial):
            found[len(self._initial)] = (1, -1, -1)
        for length in self._bases:
            same = self._puts.get(text[:length])
            if same is not None and length <= len(text):
                found[length] = (min(2, len(same) + (length in found)), same[0], -1)
        self._grow(text, found)
        return found

    def _grow(self, text: str, found: Ways) -> None:
        todo, appends = sorted(found), self._appends
        while todo:
            place = heappop(todo)
            ways = found[place][0]
            for length in self._lengths:
                after = place + length
                same = appends.get(text[place:after])
                if same is None or after > len(text):
                    continue
                if after not in found:
                    heappush(todo, after)
                    found[after] = (min(2, ways * len(same)), same[0], place)
                else:
                    found[after] = (min(2, found[after][0] + ways * len(same)), same[0], place)


def _families(texts: list[str]) -> Iterator[list[str]]:
    """Runs of sorted texts each of which begins with the one before."""
    family: list[str] = []
    for text in texts:
        if family and not text.startswith(family[-1]):
            yield family
            family = []
        family.append(text)
    if family:
        yield family


class _Reading:
    """What is known so far: which write comes after which, and which get says so."""

    def __init__(self, calls: Calls, initial: str) -> None:
        self._calls = calls
        self._writes = Writes(calls, initial)
        self.gets = self._writes.gets
        self._before: dict[int, tuple[int, int]] = {}
        self._after: dict[int, tuple[int, int]] = {}
        self._forced = Forced([-1] * len(calls), [0] * len(calls))

    def take(self, family: list[str]) -> bool:
        """Reads a text and its beginnings; whether there is only one way to."""
        found = self._writes.ways(family[-1])
        known = [text for text in family if len(text) in found]
        for text in family:
            if len(text) not in found:
                self._forced.alone.extend(("phantom", get, None) for get in self.gets[text])
        if any(found[len(text)][0] > 1 for text in known):
            return False
        self._follow_all(found, {len(text): self.gets[text] for text in known})
        return True

    def _follow_all(self, found: Ways, shown: dict[int, list[int]]) -> None:
        """Follows the longest text, and those of the shorter ones that it did not grow from; `shown` are gets by the
        length of what they show."""
        while shown:
            path = _path(found, max(shown), len(self._calls))
            lengths = {length for length, _ in path}
            self._follow(path, {length: gets for length, gets in shown.items() if length in lengths})
            shown = {length: gets for length, gets in shown.items() if length not in lengths}

    def _follow(self, path: list[tuple[int, int]], shown: dict[int, list[int]]) -> None:
        """Places the calls of a path (length of the text, call that made it) and the gets that showed its texts."""
        start, block, rank, initial = self._calls.start, self._forced.block, self._forced.rank, len(self._calls)
        longest, base = shown[path[-1][0]][0], path[0][1]
        seen, before, latest = set[int](), -1, -INF
        for i, (length, call) in enumerate(path):
            if call in seen:
                repeated = (get for at, gets in shown.items() if at >= length for get in gets)
                self._forced.alone.extend(("repeated-append", get, None) for get in repeated)
                return
            seen.add(call)
            if call != initial:
                block[call], rank[call] = base, 2 * i
                latest = max(latest, start[call])
            if i:
                self._link(before, call, longest)
            before = call
            for get in shown.get(length, ()):
                block[get], rank[get] = base, 2 * i + 1
                self._in_time(get, latest)

    def _in_time(self, get: int, latest: int) -> None:
        """Notes a get that ended before the last of the writes it shows had started."""
        if latest > self._calls.end[get]:
            self._forced.alone.append(("future-read", get, latest - self._calls.end[get]))

    def _link(self, one: int, other: int, get: int) -> None:
        """`get` says that `other` came right after `one`."""
        said, by = self._after.setdefault(one, (other, get))
        if said != other:
            self._forced.forks.append((by, get))
        said, by = self._before.setdefault(other, (one, get))
        if said != one:
            self._forced.forks.append((by, get))

    def conclude(self) -> Forced:
        calls, block = self._calls, self._forced.block
        for call, kind in enumerate(calls.kind):
            if kind != GET and block[call] < 0 and calls.end[call] != INF:
                block[call] = call
        return self._forced


def _by_text(calls: Calls) -> tuple[dict[str, list[int]], ...]:
    """The calls of each kind by text."""
    found = dict[str, list[int]](), dict[str, list[int]](), dict[str, list[int]]()
    for call, (kind, text) in enumerate(zip(calls.kind, calls.text, strict=True)):
        found[kind].setdefault(text, []).append(call)
    return found


def _path(found: Ways, length: int, initial: int) -> list[tuple[int, int]]:
    path = []
    while length >= 0:
        _, call, before = found[length]
        path.append((length, initial if call < 0 else call))
        length = before
    return path[::-1]

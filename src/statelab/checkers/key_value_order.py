"""The order that the texts shown force on one key's operations, where they can be told apart.

A text that a get showed was put by someone (or is the initial one) and grew by appends. Where there is only one way to
read it like that, it tells which operations made it, and in which order. `forced` reads all texts of a key.
"""

from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from heapq import heappop
from heapq import heappush

from statelab.checkers.key_value_texts import APPEND
from statelab.checkers.key_value_texts import GET
from statelab.checkers.key_value_texts import PUT
from statelab.checkers.key_value_texts import Calls
from statelab.columns import INF

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
    """The puts and appends of a key by what they write."""

    def __init__(self, calls: Calls, initial: str) -> None:
        self._initial = initial
        self._puts, self._appends = by_text(calls, PUT), by_text(calls, APPEND)
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
        todo = sorted(found)
        while todo:
            place = heappop(todo)
            for length in self._lengths:
                same = self._appends.get(text[place : place + length])
                if same is None or place + length > len(text):
                    continue
                if place + length not in found:
                    heappush(todo, place + length)
                known = found.get(place + length, (0, 0, 0))[0]
                found[place + length] = (min(2, known + found[place][0] * len(same)), same[0], place)


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
        self._writes, self.gets = Writes(calls, initial), by_text(calls, GET)
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
        self._follow_all(found, {len(text): text for text in known})
        return True

    def _follow_all(self, found: Ways, texts: dict[int, str]) -> None:
        """Follows the longest text, and those of the shorter ones that it did not grow from."""
        while texts:
            path = _path(found, max(texts), len(self._calls))
            lengths = {length for length, _ in path}
            self._follow(path, {length: text for length, text in texts.items() if length in lengths})
            texts = {length: text for length, text in texts.items() if length not in lengths}

    def _follow(self, path: list[tuple[int, int]], texts: dict[int, str]) -> None:
        """Places the calls of a path (length of the text, call that made it) and the gets that showed its texts."""
        longest = self.gets[texts[path[-1][0]]][0]
        base, seen, latest = path[0][1], set[int](), -INF
        for i, (length, call) in enumerate(path):
            again = call in seen
            seen.add(call)
            if call < len(self._calls):
                self._forced.block[call], self._forced.rank[call] = base, 2 * i
                latest = max(latest, self._calls.start[call])
            if i and not again:
                self._link(path[i - 1][1], call, longest)
            if again:
                self._repeated(text for at, text in texts.items() if at >= length)
                return
            for get in self.gets[texts[length]] if length in texts else ():
                self._place(get, base, 2 * i + 1, latest)

    def _repeated(self, texts: Iterable[str]) -> None:
        self._forced.alone.extend(("repeated-append", get, None) for text in texts for get in self.gets[text])

    def _place(self, get: int, base: int, rank: int, latest: int) -> None:
        self._forced.block[get], self._forced.rank[get] = base, rank
        if latest > self._calls.end[get]:
            self._forced.alone.append(("future-read", get, latest - self._calls.end[get]))

    def _link(self, one: int, other: int, get: int) -> None:
        """`get` says that `other` came right after `one`."""
        for known, call, told in ((self._after, one, other), (self._before, other, one)):
            said, by = known.setdefault(call, (told, get))
            if said != told:
                self._forced.forks.append((by, get))

    def conclude(self) -> Forced:
        calls, block = self._calls, self._forced.block
        for call, kind in enumerate(calls.kind):
            if kind != GET and block[call] < 0 and calls.end[call] != INF:
                block[call] = call
        return self._forced


def by_text(calls: Calls, kind: int) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for call, text in enumerate(calls.text):
        if calls.kind[call] == kind:
            found.setdefault(text, []).append(call)
    return found


def _path(found: Ways, length: int, initial: int) -> list[tuple[int, int]]:
    path = []
    while length >= 0:
        _, call, before = found[length]
        path.append((length, initial if call < 0 else call))
        length = before
    return path[::-1]

"""The order that the texts shown force on one key's operations, where they can be told apart.

A text that a get showed was put by someone (or is the initial one) and grew by appends. Where there is only one way to
read it like that, it tells which operations made it, and in which order. `forced` reads all texts of a key.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush

from statelab.check.models.key_value.texts import GET, Calls
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
        by_text = dict[str, list[int]](), dict[str, list[int]](), dict[str, list[int]]()
        for call, (kind, text) in enumerate(zip(calls.kind, calls.text, strict=True)):
            by_text[kind].setdefault(text, []).append(call)
        self._puts, self._appends, self.gets = by_text
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
        # Each beginning grows by every append that fits after it, the shortest beginning first.
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
        return found


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
        # The longest text is followed first, then the longest of those that it did not grow from, and so on.
        shown = {len(text): self.gets[text] for text in known}
        while shown:
            path, length = list[tuple[int, int]](), max(shown)
            while length >= 0:
                _, call, before = found[length]
                path.append((length, len(self._calls) if call < 0 else call))
                length = before
            lengths = {length for length, _ in path}
            self._follow(path[::-1], {length: gets for length, gets in shown.items() if length in lengths})
            shown = {length: gets for length, gets in shown.items() if length not in lengths}
        return True

    def _follow(self, path: list[tuple[int, int]], shown: dict[int, list[int]]) -> None:
        """Places the calls of a path (length of the text, call that made it) and the gets that showed its texts."""
        start, end, initial = self._calls.start, self._calls.end, len(self._calls)  # see Forced
        block, rank, alone, forks = self._forced.block, self._forced.rank, self._forced.alone, self._forced.forks
        longest, base = shown[path[-1][0]][0], path[0][1]
        seen, before, latest = set[int](), -1, -INF
        for i, (length, call) in enumerate(path):
            if call in seen:
                repeated = (get for at, gets in shown.items() if at >= length for get in gets)
                alone.extend(("repeated-append", get, None) for get in repeated)
                return
            seen.add(call)
            if call != initial:
                block[call], rank[call] = base, 2 * i
                latest = max(latest, start[call])
            if i:  # the longest text says that `call` came right after `before`
                for one, other, known in ((before, call, self._after), (call, before, self._before)):
                    said, by = known.setdefault(one, (other, longest))
                    if said != other:
                        forks.append((by, longest))
            before = call
            for get in shown.get(length, ()):
                block[get], rank[get] = base, 2 * i + 1
                if latest > end[get]:  # it ended before the last of the writes that it shows had started
                    alone.append(("future-read", get, latest - end[get]))

    def conclude(self) -> Forced:
        calls, block = self._calls, self._forced.block
        for call, kind in enumerate(calls.kind):
            if kind != GET and block[call] < 0 and calls.end[call] != INF:
                block[call] = call
        return self._forced

"""Proofs in words: why a few operations contradict each other, for a reader who does not know the algorithm."""

import string
from collections.abc import Sequence
from dataclasses import dataclass

from statelab.check.models.counter.race_events import RaceEvent
from statelab.check.models.counter.verdict import CounterVerdict
from statelab.check.models.counter.witness import Smallest
from statelab.core.operation import ServedBy
from statelab.record.columns import INF
from statelab.record.columns import History


def milliseconds(duration_ns: int) -> str:
    return f"{duration_ns / 1e6:,.3f} ms"


def plural(count: int, thing: str) -> str:
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


class Cast:
    """The operations of a proof by name: A, B, ... in order of their start, times relative to the first one's start."""

    def __init__(self, history: History, rows: Sequence[int]) -> None:
        self.rows = sorted(rows, key=lambda row: (int(history.start[row]), int(history.end[row])))
        self._history = history
        self._zero = int(history.start[self.rows[0]])
        self._servers = [server for server in (history.servers[history.served_by[row]] for row in self.rows) if server]

    def name(self, row: int) -> str:
        place = self.rows.index(row)
        return string.ascii_uppercase[place] if place < 26 else f"operation {place + 1}"

    def is_read(self, row: int) -> bool:
        return bool(self._history.is_op("read")[row])

    def value(self, row: int) -> int:
        return int(self._history.result[row])

    def showed(self, row: int) -> str:
        """`was told 17`, `read 17` or `read nothing`."""
        value = f"{self.value(row):,}" if self._history.has_result[row] else "nothing"
        return f"{'read' if self.is_read(row) else 'was told'} {value}"

    def told(self, row: int) -> str:
        """`A was told 17`."""
        return f"{self.name(row)} {self.showed(row)}"

    def facts(self, row: int) -> str:
        """`pid 12, thread 3, from 0.000 to 2.310 ms`: who served it and when, of any row of the history."""
        server = self._history.servers[self._history.served_by[row]]
        who = _who(server, self._servers) if server else "server unknown"
        key = f", key {self._history.keys[self._history.key[row]]}" if len(self._history.keys) > 1 else ""
        start, end = int(self._history.start[row]) - self._zero, int(self._history.end[row])
        if end == INF:
            return f"{who}{key}, from {milliseconds(start)} on, without an answer"
        return f"{who}{key}, from {start / 1e6:,.3f} to {milliseconds(end - self._zero)}"

    def introductions(self) -> str:
        """`A: pid 12, thread 3, from 0.000 to 2.310 ms. B: ...`."""
        return " ".join(f"{self.name(row)}: {self.facts(row)}." for row in self.rows)

    def overlap(self, one: int, other: int) -> bool:
        start, end = self._history.start, self._history.end
        return bool(max(start[one], start[other]) <= min(end[one], end[other]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """The words for a counter that goes one way."""

    step: str
    by: int
    changes: str
    bound: str
    further: str
    more: str
    on: str
    alone: str
    rule: str


UP = Way(
    step="increment",
    by=1,
    changes="adds one",
    bound="least",
    further="higher",
    more="more",
    on="up",
    alone="it never goes down",
    rule="a counter never goes down",
)
DOWN = Way(
    step="decrement",
    by=-1,
    changes="takes one away",
    bound="most",
    further="lower",
    more="less",
    on="down",
    alone="it is never incremented",
    rule="a counter that is never incremented does not go up",
)


def _who(server: ServedBy, others: Sequence[ServedBy]) -> str:
    parts = [f"pid {server.pid}", f"thread {server.thread}"]
    if any(other.host != server.host for other in others):
        parts.insert(0, f"host {server.host}")
    if server.greenlet:
        parts.append(f"greenlet …{server.greenlet % 1_000_000:06}")  # an address: its end tells greenlets apart
    return ", ".join(parts)


def proof(history: History, verdict: CounterVerdict, *, initial: int = 0, way: Way = UP) -> str:
    """Why a violated verdict's witness contradicts a counter that goes one way, by one for each request."""
    if verdict.witness is None:
        return "every answer fits one counter"
    if verdict.witness.kind == "duplicate":
        pairs = {(event.original, event.culprit): event for event in verdict.race_events}
        event = pairs[verdict.witness.rows[0], verdict.witness.rows[1]]
        return duplicate(history, event, lossy=verdict.lost is None or verdict.lost.max > 0, way=way)
    return contradiction(history, verdict.witness, initial, way)


def contradiction(history: History, witness: Smallest, initial: int = 0, way: Way = UP) -> str:
    """The proof of a witness that is not a duplicate."""
    cast = Cast(history, witness.rows)
    if witness.kind == "too-low":
        return _too_low(cast, initial, way)
    if witness.kind == "gap":
        return _gap(cast, witness, way)
    return _inversion(cast, witness, way)


def _too_low(cast: Cast, initial: int, way: Way) -> str:
    (row,) = cast.rows
    first = f"each {way.step} {way.changes}, so {initial + way.by:,} is the {way.bound}"
    rule = way.alone if cast.is_read(row) else first
    return f"{cast.told(row)}. The counter starts at {initial:,} and {rule}. {cast.introductions()}"


def _gap(cast: Cast, witness: Smallest, way: Way) -> str:
    x, needed, asked = witness.rows[0], witness.needed or 0, witness.asked or 0
    name, others = cast.name(x), [row for row in cast.rows if row != x]
    text = f"{cast.told(x)}, which takes {plural(needed, way.step)}; {asked:,} had been asked for when {name} ended"
    if others:
        higher = ", ".join(cast.told(row) for row in others)
        left = plural(asked - len(others), way.step)
        text += f". But {higher}: {way.more} than {name} shows, and so after {name}. That leaves {left}"
    return f"{text}. Nobody can have produced {cast.value(x):,}. {cast.introductions()}"


def _inversion(cast: Cast, witness: Smallest, way: Way) -> str:
    first, second = cast.rows
    apart = f"{cast.name(first)} had ended {milliseconds(witness.slack_ns or 0)} before {cast.name(second)} started"
    if cast.value(first) == cast.value(second):
        claim = f"{apart}, which {cast.showed(second)}: a number cannot be seen before it is made"
    else:
        claim = f"{apart}, yet {cast.told(second)}: {way.rule}"
    return f"{cast.told(first)}. {claim}. {cast.introductions()}"


def duplicate(history: History, event: RaceEvent, *, lossy: bool, way: Way = UP) -> str:
    """The pair of a race event: two requests told one number and, where updates are `lossy`, what was rolled back."""
    cast = Cast(history, (event.original, event.culprit))
    first, second = (cast.name(row) for row in cast.rows)
    number = f"{event.first:,}"
    text = (
        f"{first} and {second} were both told {number}. A counter that {way.changes} for each request can hand out "
        f"{number} only once. {cast.introductions()}"
    )
    if not cast.overlap(event.original, event.culprit):
        return f"{text} {second} started after {first} had ended and was told nothing {way.further}."
    if not lossy:
        return text
    return f"{text} {_set_back(cast, event, way)}"


def _set_back(cast: Cast, event: RaceEvent, way: Way) -> str:
    before, late = f"{event.first - way.by:,}", cast.name(event.culprit)
    most = "" if event.alone else "up to "
    if event.rolled_back == 1 or event.reissue is None:
        return f"Each found {before} and made it {event.first:,}: one of the two updates is lost."
    return (
        f"{late} found {before} early and wrote {event.first:,} late: before {late} ended, the numbers {way.on} to "
        f"{event.first + (event.rolled_back - 1) * way.by:,} had been handed out, and {event.first + way.by:,} was "
        f"handed out again ({cast.facts(event.reissue)}). {late} rolled back {most}{event.rolled_back:,} updates."
    )

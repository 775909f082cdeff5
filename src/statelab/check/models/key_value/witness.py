"""A minimal witness of a violated key-value history, by how much its clocks would have to be wrong, and in words."""

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from statelab.check.kernels.forgetting import minimal, refutes
from statelab.check.kernels.model import Deadline
from statelab.check.kernels.pairs import apart
from statelab.check.kernels.search import slack_of
from statelab.check.kernels.words import Cast
from statelab.check.models.key_value.judge import Judged, judge
from statelab.check.models.key_value.order import Writes, forced
from statelab.check.models.key_value.texts import by_key
from statelab.core.errors import counted, listed
from statelab.record.columns import FAIL, INF, OK, History

CHANGES = ("put", "append")

TRIED = 8
"""Of the keys that only a search could decide, how many are looked at for the smallest witness, shortest first."""

_MOST = 20_000
"""How many configurations a search keeps while a witness is made smaller: fewer than for a verdict (`search.MOST`)."""

Violated = Callable[[History], bool]


@dataclass(frozen=True, slots=True)
class Witness:
    """Rows by start; by how many ns the clocks would have to be wrong for it to vanish, None: it needs no clock."""

    rows: tuple[int, ...]
    slack_ns: int | None
    cut_short: bool = False


def witness(history: History, judged: Judged, initial: str, deadline: Deadline) -> Witness:
    """The smallest of the witnesses found; of several the one with the largest slack, then with the shortest span."""

    def size(found: Witness) -> tuple[int, float, int]:
        rows = list(found.rows)
        span = int(history.end[rows].max()) - int(history.start[rows].min())
        return len(rows), -INF if found.slack_ns is None else -found.slack_ns, span

    if judged.alone:
        return min((Witness((get,), slack) for _, get, slack in judged.alone), key=size)
    if judged.forks:
        found = [min((Witness(pair, None) for pair in judged.forks), key=size)]
    else:
        found = [_within(history, rows, initial, deadline) for rows in judged.contradictions]
    for key, _ in sorted(judged.searched, key=lambda found: found[1])[:TRIED]:
        own = np.flatnonzero((history.key == key) & (history.status != FAIL))
        early = _earliest(history.take(own), _violated(initial, deadline))
        found.append(_within(history, own[early].tolist(), initial, deadline))
    best = min(found, key=size)
    return replace(best, rows=tuple(sorted(best.rows, key=lambda row: (int(history.start[row]), row))))


def _earliest(history: History, violated: Violated) -> list[int]:
    """The fewest answered operations that are a violation if they are taken by start. A bisection: log n checks."""
    answered = np.flatnonzero(history.status == OK)
    rows: list[int] = answered[np.argsort(history.start[answered], kind="stable")].tolist()
    sizes = range(1, len(rows))
    return rows[: 1 + bisect_left(sizes, True, key=lambda size: refutes(history, rows[:size], CHANGES, violated))]


def _within(history: History, candidates: Sequence[int], initial: str, deadline: Deadline) -> Witness:
    """A minimal witness among the candidates, rows of one key that together are a violation."""
    rows = np.flatnonzero((history.key == history.key[candidates[0]]) & (history.status != FAIL))
    part, violated = history.take(rows), _violated(initial, deadline)
    small = minimal(part, np.searchsorted(rows, sorted(candidates)).tolist(), CHANGES, violated, deadline)
    slack = slack_of(part, small, CHANGES, violated, deadline)
    return Witness(tuple(rows[list(small)].tolist()), slack, deadline.passed)


def _violated(initial: str, deadline: Deadline) -> Violated:
    return lambda history: bool(judge(history, initial, deadline, _MOST).keys)


_LONGEST = 60
"""How many characters of a text are written out."""

_FACTS = 6
"""Up to how many operations of a witness, and how many facts about their order, a proof names."""


def kind(history: History, found: Witness, initial: str) -> str:
    """The name of the contradiction."""
    story = _Story(history, found, initial)
    if len(found.rows) == 1:
        if story.reach[1] < len(story.text(found.rows[0])):
            return "phantom"
        return "repeated-append" if found.slack_ns is None else "future-read"
    if not story.writes:
        return "fork" if found.slack_ns is None else "stale-read"
    for row in story.writes:
        if not any(story.has(shown, row) for shown in story.shown):
            return f"lost-{story.op(row)}"
    last = found.rows[-1]
    return "stale-read" if story.op(last) == "get" and not story.holds_all(story.text(last)) else "order"


def proof(history: History, found: Witness, name: str, initial: str) -> str:
    """The proof of a witness: what its operations did, which came before which, and why that cannot be."""
    story = _Story(history, found, initial)
    told = [f"{story.did(row)}." for row in found.rows] if len(found.rows) <= _FACTS else [story.many()]
    told += [f"{fact}." for fact in story.precedence()[:_FACTS]]
    return f"{' '.join(told)} {story.why(name)}. {story.cast.introductions()}"


class _Story:
    """The operations of a witness, and what else is known of their key."""

    def __init__(self, history: History, found: Witness, initial: str) -> None:
        rows = np.flatnonzero(history.key == history.key[found.rows[0]])
        part = history.take(rows)
        _, calls = next(by_key(part, initial))
        self._history, self._found, self._initial = history, found, initial
        self.cast = Cast(history, found.rows)
        self._text = {int(rows[row]): text for row, text in zip(calls.row, calls.text, strict=True)}
        self.writes = [row for row in found.rows if self.op(row) != "get"]
        self.shown = {self._text[int(row)] for row in rows[part.is_op("get") & (part.status == OK)]}
        # The first row of the witness, and how much of its text writes of this key can make.
        first = found.rows[0]
        self.reach = first, max(Writes(calls, initial).ways(self.text(first)), default=0)
        self.plain = forced(calls, initial) is not None

    def op(self, row: int) -> str:
        return str(self._history.ops[self._history.op[row]])

    def text(self, row: int) -> str:
        return self._text.get(row, "")  # an append of nothing is none of the calls

    def has(self, shown: str, row: int) -> bool:
        """Whether a text shown may hold what the row wrote."""
        return shown.startswith(self.text(row)) if self.op(row) == "put" else self.text(row) in shown

    def holds_all(self, shown: str) -> bool:
        """Whether a text shown may hold what all writes of the witness wrote, equal ones as often as they are."""
        written = Counter(self.text(row) for row in self.writes if self.op(row) == "append")
        puts = (row for row in self.writes if self.op(row) == "put")
        return all(self.has(shown, row) for row in puts) and all(shown.count(t) >= n for t, n in written.items())

    def did(self, row: int) -> str:
        """`A appended "x 1 y"`, `B put "v"`, `C got nothing`."""
        verb = {"append": "appended", "put": "put", "get": "got"}[self.op(row)]
        return f"{self.cast.name(row)} {verb} {_quoted(self.text(row))}"

    def many(self) -> str:
        counts = {op: sum(self.op(row) == op for row in self._found.rows) for op in ("put", "append", "get")}
        parts = ", ".join(counted(count, op) for op, count in counts.items() if count)
        return (
            f"These are {len(self._found.rows):,} operations: {parts}; the last is a {self.did(self._found.rows[-1])}."
        )

    def precedence(self) -> list[str]:
        """`A had ended 1.000 ms before B started`, without what follows from the others."""
        start, end, rows = self._history.start, self._history.end, self._found.rows
        pairs = [(a, b) for a in rows for b in rows if end[a] < start[b]]
        direct = [(a, b) for a, b in pairs if not any((a, c) in pairs and (c, b) in pairs for c in rows)]
        return [apart(self._history, self.cast, a, b) for a, b in direct]

    def why(self, name: str) -> str:
        names = [self.cast.name(row) for row in self._found.rows]
        slack = self.cast.span(self._found.slack_ns or 0)
        if name == "phantom":
            row, reach = self.reach
            if not reach:
                return f"The text was {_quoted(self._initial)} at first, and nobody put one that begins like this"
            made, rest = self.text(row)[:reach], self.text(row)[reach:]
            return f"Nobody wrote anything that leads from {_quoted(made)} on to {_quoted(rest)}"
        if name == "future-read":
            return f"That takes a write which was asked for only {slack} after {names[0]} had ended"
        if name == "fork":
            texts = [self.text(row) for row in self._found.rows]
            pairs = enumerate(zip(*texts, strict=False))
            same = next((at for at, (a, b) in pairs if a != b), min(map(len, texts)))
            one, other = (_quoted(text[same:]) for text in texts)
            return (
                f"After {_quoted(texts[0][:same])} one goes on with {one} and the other with {other}: "
                "each write took effect once, and no order of them leads to both texts"
            )
        if name == "order" and len(names) == 2 and self.plain:
            write, get = names
            return (
                f"In the text that {get} got, something stands before what {write} wrote that was asked for only "
                f"{slack} after {write} had ended"
            )
        unseen = listed([self.cast.name(r) for r in self.writes if not any(self.has(s, r) for s in self.shown)], "and")
        return {
            "repeated-append": "That takes an append more often than it was asked for",
            "lost-append": f"What was appended stays until the next put, and no put fits in: the text has to show what "
            f"{unseen} wrote, but no get ever did",
            "lost-put": f"What was put is the text until the next put, and no put fits in: the text has to begin with "
            f"what {unseen} wrote, but no get ever showed it",
            "stale-read": f"The text that {names[-1]} got was not the current one any more, "
            "and no put that was asked for can have brought it back",
            "order": "No order of what was asked for fits both the texts and the clock",
        }[name]


def _quoted(text: str) -> str:
    if not text:
        return "nothing"
    if len(text) <= _LONGEST:
        return json.dumps(text, ensure_ascii=False)
    short = f"{text[: _LONGEST // 3]} … {text[-_LONGEST // 2 :]}"
    return f"{json.dumps(short, ensure_ascii=False)} ({len(text):,} characters)"

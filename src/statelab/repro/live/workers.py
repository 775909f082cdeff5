"""What the workers of a run recorded, on the master's clock, in intervals as wide as the clocks are uncertain
(clocks.py), and what is to be said of them: whose clock stepped, and who vanished with which requests open."""

import numpy as np

from statelab.check.kernels.words import milliseconds
from statelab.core.clocks import Exchange
from statelab.core.errors import counted
from statelab.core.live import Begin, Part
from statelab.core.operation import Operation, decode_lines
from statelab.repro.live.clocks import Clock, place

MOST_NAMED = 8
"""The most operations of a vanished worker, asked for and not answered, that are named."""


class Recorder:
    """What one worker recorded, by its own clock (`exchanges` is None if that is the master's)."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] | None = None
        self.operations: list[Operation] = []
        self.until = 0
        self.last_words: list[Operation] | None = None
        """Where it vanished: what it had asked for and had no answer to."""


class Workers:
    """What the workers recorded, on the master's clock, and what is to be said of them."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin
        self._recorders: dict[str, Recorder] = {}
        self.likely: list[Operation] = []
        """The operations with the middle of what the clocks leave open; so are the `widened` ones, of `place`."""
        self.widened: list[Operation] = []
        self.last_words: list[Operation] = []
        self.most_ns = self.unplaced = 0
        self.until: int | None = None
        """Before this moment, by the master's clock, nothing is missing of any worker; None: there are none."""
        self.gone_at: int | None = None
        """The same, for the vanished workers only."""
        self.notes: list[str] = []

    @property
    def several_clocks(self) -> bool:
        return any(each.exchanges is not None for each in self._recorders.values())

    def take(self, part: Part, lines: bytes, *, keep: bool) -> list[Operation]:
        """The operations of a part; they are kept, or only told."""
        recorder = self._recorders.setdefault(part.worker, Recorder())
        operations = [*decode_lines(lines[: part.size].split(b"\n"))]
        if keep:
            recorder.operations += operations
            recorder.until = part.until
        if part.exchanges is not None:
            recorder.exchanges = [*(recorder.exchanges or []), *part.exchanges]
        if part.gone:
            recorder.last_words = [*decode_lines(lines[part.size :].split(b"\n"))]
        return operations

    def place(self) -> None:
        """Puts all on the master's clock, with all that was exchanged so far: what comes later may show that a clock
        had stepped before."""
        self.widened, self.likely, self.last_words, self.notes = [], [], [], []
        self.most_ns = self.unplaced = 0
        self.until = self.gone_at = None
        for name, recorder in self._recorders.items():
            until = self._place(name, recorder)
            self.until = until if self.until is None else min(until, self.until)
            if recorder.last_words is not None:
                self.gone_at = until if self.gone_at is None else min(until, self.gone_at)
                self.notes.append(_vanished(name, recorder.last_words))
        if self.several_clocks:
            self.notes.append(
                f"the workers' clocks are not the master's: intervals are widened by up to {milliseconds(self.most_ns)}"
            )

    def _place(self, name: str, recorder: Recorder) -> int:
        """Places one worker's operations; until when, by the master's clock, nothing is missing of it."""
        last_words = recorder.last_words or []
        if recorder.exchanges is None:
            self.widened += recorder.operations
            self.likely += recorder.operations
            self.last_words += last_words
            return recorder.until
        clock, changes = Clock(recorder.exchanges), frozenset(self._begin.changes)
        found = place(recorder.operations, clock, changes, self._begin.since)
        self.widened += found.widened
        self.likely += found.likely
        self.last_words += place(last_words, clock, changes, self._begin.since).widened
        self.most_ns, self.unplaced = max(self.most_ns, found.most_ns), self.unplaced + found.unplaced
        if clock.bound_ns is None or clock.stepped:
            self.notes.append(
                f"the clock of {name} stepped during the run, or was never told: it is not known when "
                f"{counted(found.unplaced, 'operation')} of it were, so they count as unanswered"
            )
        if clock.bound_ns is None:
            return self._begin.since
        until = recorder.until if clock.until is None else min(recorder.until, clock.until)
        return int(clock.earliest(np.array([until]))[0])


def _vanished(name: str, last_words: list[Operation]) -> str:
    which = ", ".join(f"{one.op} {one.op_id or one.key}" for one in last_words[:MOST_NAMED])
    more = f" and {len(last_words) - MOST_NAMED:,} more" if len(last_words) > MOST_NAMED else ""
    return (
        f"the worker {name} vanished: {counted(len(last_words), 'operation')} that it had asked for had no answer"
        f"{f' ({which}{more})' if last_words else ''} and count as unknown outcomes"
    )

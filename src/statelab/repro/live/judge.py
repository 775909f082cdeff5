"""The judge beside Locust: recordings come in on standard input while the load runs, what they mean goes out.

It runs in a process of its own, because Locust's is busy, and takes at most LOAD of a core: a judgement that took long
is followed by a long pause. Nothing is judged by other means than in a report: each time the lab's own judge of the
workload has the whole history as it was at one moment.

That moment is `until`, before which nothing is missing. Operations that started later are left out. Those that were
under way may have taken effect, but their answers may rest on what is left out: a change among them has an unknown
outcome, a read is no evidence. So what is found is a violation of the whole history too, whatever else comes.

What workers of other machines recorded is put on the master's clock, in intervals that are as wide as the clocks are
uncertain (repro/live/clocks.py). Where a worker vanished, the whole history is judged as it was when it sent its last
words; what it had asked for and had no answer to has an unknown outcome.
"""

import os
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue

import msgspec

from statelab.check.judges import judge_of, several_clocks
from statelab.check.judges.counter.anomalies import diagnose
from statelab.check.judges.judgement import Expectation, Judgement
from statelab.check.kernels.levels import LEVELS
from statelab.check.models.counter.ranked import answers
from statelab.core.errors import counted
from statelab.core.live import MOST_JUDGED, Batch, Begin, Line, Proof, Seen, Shown
from statelab.core.operation import Operation, decode_lines
from statelab.core.results import ANOMALIES, Bounds
from statelab.record import parquet
from statelab.record.columns import History
from statelab.report.content.text import shortened
from statelab.report.timeline.picture import GREY, PALETTE
from statelab.report.timeline.svg import timeline
from statelab.repro.live.workers import Workers

LOAD = 0.05
"""The share of one core that judging may take."""

MOST_SHOWN = 8
"""The most processes that are shown: those that answered last."""

RECENT_NS = 2_000_000_000
"""An answer older than this, at the last moment, does not say what its process has now."""

MOST_POINTS = 240

NUMBERS = "counter"
"""The workload whose answers count what was acknowledged: a chart can compare the two."""


def as_of(operations: list[Operation], until: int, changes: frozenset[str], drop: bool = True) -> list[Operation]:
    """The history as it was at `until`: without the answers of what was under way, and without what started later (if
    that is not dropped, it counts as under way)."""
    known = []
    for operation in operations:
        if operation.start >= until and drop:
            continue
        if operation.end is not None and operation.end >= until:
            under_way = operation.op in changes
            operation = msgspec.structs.replace(
                operation,
                status="info" if under_way else "fail",
                end=None if under_way else operation.end,
                result=None,
            )
        known.append(operation)
    return known


def with_last_answers(operations: list[Operation], until: int, changes: frozenset[str]) -> list[Operation]:
    """The same for a counter, with what each process said last as a read after everything else, so that what is lost
    can be counted before the end. An increment that was told 7 says that the counter was 7 at a moment inside it; what
    was not over when it began then has an unknown outcome, itself included."""
    last: dict[str, Operation] = {}
    for one in operations:
        told = one.op in changes and one.served_by and isinstance(one.result, int)
        if told and one.served_by and until - RECENT_NS <= (one.end or 0) < until:
            last[one.served_by.boot] = max(last.get(one.served_by.boot, one), one, key=lambda each: each.start)
    if not last:
        return as_of(operations, until, changes)
    since, end = min(one.start for one in last.values()), max(one.end or 0 for one in last.values())
    reads = [
        msgspec.structs.replace(one, process=f"last of {boot}", op="read", op_id=None) for boot, one in last.items()
    ]
    return [*as_of([one for one in operations if one.start < end], since, changes, drop=False), *reads]


def lost_so_far(history: History) -> Bounds | None:
    """Bounds of a counter's lost updates before the end, where it is not known yet whether all answers come from one
    copy of it: from the split that the judge takes for the copies to the finest in which no counter is higher than its
    own increments can make it. None where nothing can be counted."""
    diagnosis = diagnose(answers(history, 0))
    if diagnosis.home is None:
        return None
    home = LEVELS.index(diagnosis.home.level)
    splits = [split for split in diagnosis.levels if split.level != "request" and LEVELS.index(split.level) >= home]
    possible = [split.lost for split in splits if split.level == diagnosis.home.level or not split.found.gap.any()]
    found = [bounds for bounds in possible if bounds]
    return Bounds(min=min(each.min for each in found), max=max(each.max for each in found)) if found else None


class Run:
    """One run of the load: its operations so far, and what was found in them."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin
        self._judge = judge_of(begin.workload)
        self._changes = frozenset(begin.changes)
        self._expectation = Expectation(
            expected_processes=begin.expected_processes,
            spread=frozenset(begin.spread),
            in_turn=frozenset(begin.in_turn),
        )
        self._started = time.monotonic_ns()
        self._workers = Workers(begin)
        self._own: list[Operation] = []
        self._kept = self._left_out = 0
        self._full = False
        self._counted: Counter[tuple[str, str]] = Counter()
        self._last: dict[str, Operation] = {}
        self._colours: dict[str, str] = {}
        self._points: dict[str, list[tuple[float, int]]] = {"": [(0.0, 0)]}
        self._ended = False
        self._trouble = ""
        self._until = 0
        self._judged = 0
        self._judgement: Judgement | None = None
        self._proof: Proof | None = None
        self._next = 0.0

    def take(self, batch: Batch, lines: bytes) -> None:
        """Counts what has come, and judges the whole if that is due."""
        content = lines[: batch.bytes_that_follow]
        self._full = self._full or self._kept + content.count(b"\n") > MOST_JUDGED
        own = [*decode_lines(content[: batch.size].split(b"\n"))]
        self._note(own)
        first = batch.size
        for part in batch.parts:
            end = first + part.size + part.unanswered
            self._note(self._workers.take(part, content[first:end], keep=not self._full))
            first = end
        self._trouble = batch.trouble
        self._ended = batch.until is None
        if not self._full:
            self._own += own
            self._kept += content.count(b"\n")
            self._until = max(self._until, batch.until or 0)
        self._draw()
        if self._ended or (self._begin.meanwhile and time.monotonic() >= self._next):
            self._look()

    def _note(self, operations: list[Operation]) -> None:
        for operation in operations:
            self._counted[operation.op, operation.status] += 1
            if operation.served_by and operation.status == "ok" and operation.result is not None:
                boot = operation.served_by.boot
                self._colours.setdefault(boot, PALETTE[len(self._colours) % len(PALETTE)])
                before = self._last.pop(boot, operation)  # to the end of the dict: it has answered last
                same = before.process == operation.process or not self._workers.several_clocks
                self._last[boot] = max(before, operation, key=lambda one: one.end or 0) if same else operation

    def _whole(self) -> Judgement:
        """The verdict at the end."""
        both = [[*self._own, *self._workers.widened], [*self._own, *self._workers.likely]]
        until = self._known_until() if self._full else None
        at = min((each for each in (self._workers.gone_at, until) if each is not None), default=None)
        known, last_words = both, self._workers.last_words
        if at is not None:
            known = [[*as_of(each, at, self._changes), *last_words] for each in both]
            self._left_out = len(both[0]) + len(last_words) - len(known[0])
        if self._begin.folder:
            folder = Path(self._begin.folder)
            folder.mkdir(parents=True, exist_ok=True)
            written = replace(History.from_operations(known[0]), widened=self._workers.several_clocks)
            parquet.write(written, folder / "history.parquet")
        self._judged = len(known[0])
        judged = self._judged_with_clocks(*known)
        if at is not None and judged.verdict == "not-exercised" and self._begin.workload == NUMBERS:
            # the last reads are left out, but what each process said last before that moment says as much
            told = [[*with_last_answers(each, at, self._changes), *last_words] for each in both]
            by_answers = self._judged_with_clocks(*told)
            judged = by_answers if by_answers.verdict == "held" else judged
        return judged

    def _judged_with_clocks(self, widened: list[Operation], likely: list[Operation]) -> Judgement:
        history = History.from_operations(widened)
        if not self._workers.several_clocks:
            return self._judge(history, self._expectation)
        return several_clocks.judge(
            self._begin.workload,
            history,
            History.from_operations(likely),
            self._expectation,
            self._workers.most_ns,
            self._workers.unplaced,
        )

    def _known_until(self) -> int:
        """The moment before which no operation is missing among those that are kept."""
        return self._until if self._workers.until is None else min(self._until, self._workers.until)

    def _look(self) -> None:
        began = time.process_time()
        self._workers.place()
        if self._ended:
            self._judgement = judged = self._whole()
        else:
            operations, until = [*self._own, *self._workers.widened], self._known_until()
            known = as_of(operations, until, self._changes)
            self._judgement = judged = self._judge(History.from_operations(known), self._expectation)
            self._judged = len(known)
        if not self._ended and self._begin.workload == NUMBERS:
            counted = History.from_operations(with_last_answers(operations, until, self._changes))
            self._judgement = msgspec.structs.replace(
                self._judge(counted, self._expectation), lost=lost_so_far(counted)
            )
        # a proof is made of what was recorded, and of nothing else
        witness = next((judged.witnesses[name] for name in self._judgement.anomalies if name in judged.witnesses), None)
        if witness and (self._proof is None or self._proof.text != witness.text):
            self._proof = Proof(anomaly=witness.anomaly, text=witness.text, svg=timeline(witness))
        self._next = time.monotonic() + (time.process_time() - began) / LOAD

    def _notes(self) -> list[str]:
        """What is to be said of the workers and their clocks."""
        notes = [*self._workers.notes]
        if self._full:
            notes.append(f"only the first of the operations are judged, {MOST_JUDGED:,} at most")
        elif self._left_out:
            notes.append(
                "what came after the last words of a worker that vanished is not judged: "
                f"{counted(self._left_out, 'operation')}"
            )
        return notes

    def _draw(self) -> None:
        """A point for what was acknowledged, and one for what each process says. Half of them go when there are many,
        every second one."""
        at = (time.monotonic_ns() - self._started) / 1e9
        self._points[""].append((at, sum(self._acknowledged().values())))
        if self._begin.workload == NUMBERS:
            for boot in [*self._last][-MOST_SHOWN:]:
                value = self._last[boot].result
                if isinstance(value, int):
                    self._points.setdefault(boot, []).append((at, value))
        if len(self._points[""]) > MOST_POINTS:
            self._points = {name: [*points[:-1:2], points[-1]] for name, points in self._points.items()}

    def _acknowledged(self) -> dict[str, int]:
        return {op: count for (op, status), count in self._counted.items() if status == "ok" and op in self._changes}

    def _ended_as(self, status: str) -> int:
        return sum(count for (_, how), count in self._counted.items() if how == status)

    def _name(self, boot: str) -> str:
        server = self._last[boot].served_by
        return f"pid {server.pid}" if server else ""

    def _says(self) -> tuple[str, str]:
        """The verdict so far in a word, and its reason."""
        judged = self._judgement
        if self._trouble:
            return "unknown", self._trouble
        if judged is None:
            return "nothing seen so far", "not judged yet"
        if self._ended or judged.verdict in ("violated", "unknown"):
            return judged.verdict, judged.reason
        return "nothing seen so far", judged.reason

    def seen(self) -> Seen:
        verdict, reason = self._says()
        judged = None if self._trouble else self._judgement
        shown = [*self._last][-MOST_SHOWN:]
        lines = {"": ("acknowledged", GREY)} | {boot: (self._name(boot), self._colours[boot]) for boot in shown}
        return Seen(
            key=self._begin.key,
            ended=self._ended,
            acknowledged=self._acknowledged(),
            failed=self._ended_as("fail"),
            unknown=self._ended_as("info"),
            shown=[
                Shown(
                    name=self._name(boot),
                    colour=self._colours[boot],
                    value=shortened(str(self._last[boot].result), 40),
                )
                for boot in sorted(shown, key=self._name)
            ],
            further=len(self._last) - len(shown),
            verdict=verdict,
            reason=reason,
            anomalies={name: ANOMALIES[name] for name in judged.anomalies} if judged else {},
            lost=(judged.lost.min, judged.lost.max) if judged and judged.lost else None,
            judged=self._judged,
            recorded=sum(self._counted.values()),
            proof=self._proof if judged else None,
            chart=[
                Line(name=name, colour=colour, points=self._points[boot])
                for boot, (name, colour) in lines.items()
                if boot in self._points
            ],
            notes=self._notes(),
        )


Message = tuple[Begin | Batch, bytes]


def _read(inbox: "SimpleQueue[Message | None]") -> None:
    """Reads at once whatever comes, so that Locust never waits for the judge; None at the end."""
    decoder = msgspec.json.Decoder(Begin | Batch)
    while header := sys.stdin.buffer.readline():
        message = decoder.decode(header)
        inbox.put((message, sys.stdin.buffer.read(message.bytes_that_follow) if isinstance(message, Batch) else b""))
    inbox.put(None)


def main() -> None:
    os.nice(10)  # what is measured goes first
    inbox: SimpleQueue[Message | None] = SimpleQueue()
    threading.Thread(target=_read, args=[inbox], daemon=True).start()
    run: Run | None = None
    while (found := inbox.get()) is not None:
        message, lines = found
        if isinstance(message, Begin):
            run = Run(message)
        elif run:
            run.take(message, lines)
        if run:
            sys.stdout.buffer.write(msgspec.json.encode(run.seen()) + b"\n")
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()

"""The judge beside Locust where workers on other machines record: three clocks an hour apart, of which two drift."""

import random
import re
from pathlib import Path

import msgspec
import pytest

from clocks import APART, Machine
from repro.test_live_judge import BEGIN, counted, recorded_at
from statelab.check.dataset import Limits, check_dataset
from statelab.check.file import check_file, details
from statelab.check.parts import look_at
from statelab.check.workers import InThisProcess
from statelab.core.live import Batch, Part, Seen
from statelab.core.operation import Operation, encode_line
from statelab.repro.live.judge import Run

EVERY, DELAY = 500, 20


class Machines:
    """Workers of the load `counted`: client n is of worker n % 3, the last reads are the master's own, 1 us later."""

    def __init__(self, operations: list[Operation], machines: list[Machine], seed: int) -> None:
        self.of = [[one for one in operations if one.op != "read" and int(one.process) % 3 == n] for n in range(3)]
        self.own = [
            msgspec.structs.replace(one, start=one.start + 1000, end=(one.end or 0) + 1000)
            for one in operations
            if one.op == "read"
        ]
        self.machines, self._rng = machines, random.Random(seed)
        self.sent = [0, 0, 0]

    def part(self, worker: int, now: int) -> tuple[Part, bytes]:
        """What a worker sends at a moment, with exchanges before and after."""
        machine, rng = self.machines[worker], self._rng
        recorded, until = recorded_at(self.of[worker], now)
        lines = b"".join(encode_line(machine.recorded(one)) for one in recorded[self.sent[worker] :])
        self.sent[worker] = len(recorded)
        exchanges = machine.exchanges(range(now - EVERY + 100, now + 1, 100), rng, DELAY)
        return Part(worker=f"w{worker}", size=len(lines), until=machine.shows(until), exchanges=exchanges), lines

    def last_words(self, worker: int, now: int) -> tuple[Part, bytes]:
        """What is known of a worker that vanished after a moment."""
        machine = self.machines[worker]
        asked = [one for one in self.of[worker] if one.start < now <= (one.end or now)]
        lines = b"".join(
            encode_line(
                machine.recorded(
                    Operation(
                        process=one.process, op=one.op, key=one.key, start=one.start, end=None, status="info",
                        op_id=one.op_id,
                    )
                )
            )
            for one in asked
        )  # fmt: skip
        return Part(
            worker=f"w{worker}", size=0, until=machine.shows(now), exchanges=[], gone=True, unanswered=len(lines)
        ), lines


def run(machines: Machines, run: Run, ends: int, vanishes: int | None = None, says_so: bool = True) -> Seen:
    """All batches; the second worker may vanish, after its part of a moment, of which the judge is told or not."""
    for now in range(EVERY, ends + 2 * EVERY, EVERY):
        workers = [n for n in range(3) if n != 1 or vanishes is None or now <= vanishes]
        found = [machines.part(worker, now) for worker in workers]
        run.take(Batch(until=now, size=0, parts=[part for part, _ in found]), b"".join(lines for _, lines in found))
    own = b"".join(map(encode_line, machines.own))
    found = [] if vanishes is None or not says_so else [machines.last_words(1, vanishes)]
    batch = Batch(until=None, size=len(own), parts=[part for part, _ in found])
    run.take(batch, own + b"".join(lines for _, lines in found))
    return run.seen()


def end_of(operations: list[Operation]) -> int:
    return max(one.end or 0 for one in operations)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("lost", [0.0, 0.2])
def test_the_verdict_is_that_of_one_clock(
    seed: int, lost: float, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What loses updates is violated, what does not is held, at the end; meanwhile nothing false is said. The history
    that is written, with the widened intervals, has the same verdict."""
    monkeypatch.setattr("statelab.repro.live.judge.LOAD", 1e9)  # every batch is judged
    operations = counted(seed, lost=lost)
    judge = Run(msgspec.structs.replace(BEGIN, folder=str(tmp_path)))
    seen = run(Machines(operations, APART, seed), judge, end_of(operations))
    assert seen.verdict == ("violated" if lost else "held"), seen.reason
    assert seen.acknowledged == {"increment": len(operations) - 1}
    (tmp_path / "shuffle").mkdir()
    dataset = check_dataset(
        look_at(tmp_path / "history.parquet"),
        InThisProcess(),
        tmp_path / "shuffle",
        model="counter",
        limits=Limits(memory=2**30),
        progress=lambda items, text, total: iter(items),
    )
    assert (dataset.verdict, dataset.widened) == (seen.verdict, True)
    assert any("intervals are widened by up to" in note for note in seen.notes)
    checked = check_file(str(tmp_path / "history.parquet"), "counter", None, None)
    assert (checked.verdict, checked.widened) == (seen.verdict, True)
    if checked.slack is not None:
        assert any(line.startswith("slack: beyond the bounds by which the int") for line in details(checked))


@pytest.mark.parametrize("seed", range(4))
def test_a_worker_that_vanishes_makes_no_violation(seed: int) -> None:
    """Whenever it vanishes: what it did later is in no recording, and the others were told of it. Judging what there is
    would be wrong, and the test would see it."""
    operations, naive, held = counted(seed, lost=0.0), 0, 0
    for vanishes in range(2 * EVERY, end_of(operations) - EVERY, EVERY):
        seen = run(Machines(operations, APART, seed), Run(BEGIN), end_of(operations), vanishes)
        assert seen.verdict not in ("violated", "unknown"), seen.reason
        assert any(note.startswith("the worker w1 vanished: ") for note in seen.notes)
        unsaid = run(Machines(operations, APART, seed), Run(BEGIN), end_of(operations), vanishes, says_so=False)
        naive += unsaid.verdict == "violated"
        held += seen.verdict == "held"
    assert naive
    assert held


def test_violations_are_found_although_a_worker_vanished() -> None:
    """With how many of its requests had no answer, and how much is not judged."""
    operations = counted(3, lost=0.2)
    seen = run(Machines(operations, APART, 3), Run(BEGIN), end_of(operations), vanishes=4 * EVERY)
    assert seen.verdict == "violated"
    assert "3 operations that it had asked for had no answer (increment o" in seen.notes[0]
    assert "what came after the last words of a worker that vanished is not judged: " in seen.notes[-1]


@pytest.mark.parametrize("most", [40, 90, 130])
def test_the_first_operations_of_a_long_run_are_judged_as_they_were_at_one_moment(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes later is not judged, and not taken for something that did not happen."""
    monkeypatch.setattr("statelab.repro.live.judge.MOST_JUDGED", most)
    for seed in range(4):
        operations = counted(seed, lost=0.0)
        seen = run(Machines(operations, APART, seed), Run(BEGIN), end_of(operations))
        assert seen.verdict not in ("violated", "unknown"), seen.reason
        assert f"only the first of the operations are judged, {most} at most" in seen.notes
        assert seen.judged <= most < seen.recorded == len(operations)
    broken = counted(3, lost=0.4)
    assert run(Machines(broken, APART, 3), Run(BEGIN), end_of(broken)).verdict == "violated"


@pytest.mark.parametrize("seed", range(4))
def test_a_clock_that_steps_is_noticed_and_makes_no_violation(seed: int) -> None:
    """The second worker's clock steps by 300 ns: nothing is known of what it recorded from then on."""
    operations = counted(seed, lost=0.0)
    stepping = [APART[0], Machine(zero=17, steps_at=end_of(operations) // 2, step=300), APART[2]]
    seen = run(Machines(operations, stepping, seed), Run(BEGIN), end_of(operations))
    assert seen.verdict != "violated", seen.reason
    assert any(note.startswith("the clock of w1 stepped during the run") for note in seen.notes)
    assert any(re.search(r"not known when \d\d operations of it were", note) for note in seen.notes)

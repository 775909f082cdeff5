"""What a worker and its master say to each other, without Locust: nothing is lost, doubled or without bounds."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gevent
import pytest

import collecting
import reporting
from collecting import Collection
from recording import Recorder
from reporting import Outgoing, Reporter, pieces
from statelab.core.live import Part
from statelab.core.operation import Operation, decode_lines


class Wire:
    """One side's runner: what it sends is heard by the other side in a greenlet of its own. `loses` says which messages
    are lost on the way."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.heard: dict[str, Callable[..., None]] = {}
        self.other: Wire | None = None
        self.sent: list[tuple[str, Any]] = []
        self.loses: Callable[[str], bool] = lambda message: False
        self.clients: Any = SimpleClients()
        self.quits = 0
        listeners = SimpleNamespace(add_listener=lambda listener: self.heard.setdefault("connected", listener))
        self.environment = SimpleNamespace(runner=self, events=SimpleNamespace(worker_connect=listeners))
        self.environment.stop_timeout = 2.0

    def register_message(self, message: str, heard: Callable[..., None]) -> None:
        self.heard[message] = heard

    def send_message(self, message: str, data: Any = None, worker: str | None = None) -> None:
        self.sent.append((message, data))
        if worker is None and self.name == "master":
            for name in self.clients:
                self.send_message(message, data, name)
            return
        if self.other and message in self.other.heard and not self.loses(message):
            said = SimpleNamespace(type=message, data=data, node_id=worker or self.name)
            gevent.spawn(self.other.heard[message], environment=None, msg=said)

    def quit(self) -> None:
        self.quits += 1


class SimpleClients(dict[str, Any]):
    @property
    def all(self) -> list[Any]:
        return list(self.values())


class Pair:
    """A master and a worker called w."""

    def __init__(self, folder: Path) -> None:
        self.master, self.worker = Wire("master"), Wire("w")
        self.master.other, self.worker.other = self.worker, self.master
        self.collection = Collection(self.master, folder / "master")
        self.master.clients["w"] = SimpleNamespace(id="w", state="ready")
        self.outgoing = Outgoing(Recorder(folder / "worker", lambda operation, line: self.outgoing.add(line)))
        self.recorder = self.outgoing._recorder
        self.reporter = Reporter(self.worker.environment, self.outgoing)
        until(lambda: self.reporter.welcome.is_set())

    def record(self, count: int) -> None:
        for _ in range(count):
            now = time.monotonic_ns()
            self.recorder.write(
                Operation(process=1, op="increment", start=now, end=now + 1, status="ok", result=1, op_id=f"{now}")
            )

    def arrived(self) -> tuple[list[Operation], list[Part]]:
        _, ready = self.collection.taken()
        return [one for _, lines in ready for one in decode_lines(lines.split(b"\n"))], [part for part, _ in ready]

    def close(self) -> None:
        self.reporter.end()
        if self.recorder._file:
            self.recorder._file[1].close()


@pytest.fixture
def one_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    """Both on one machine."""
    monkeypatch.setattr("reporting.TICK_S", 0.001)
    pair = Pair(tmp_path)
    yield pair
    pair.close()


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    monkeypatch.setattr("reporting.TICK_S", 0.001)
    monkeypatch.setattr("reporting.machine", lambda: "another machine")
    pair = Pair(tmp_path)
    yield pair
    pair.close()


def until(so: Callable[[], bool]) -> None:
    """Lets the greenlets run until it is so."""
    with gevent.Timeout(20):
        while not so():
            gevent.sleep(0.005)


def run(pair: Pair, batches: int = 3) -> None:
    pair.collection.begin("run")
    pair.reporter.begin("run")
    for _ in range(batches):
        pair.record(100)
        before = pair.collection.workers["w"].number
        until(lambda before=before: pair.collection.workers["w"].number > before)
    pair.record(50)
    pair.reporter.end()
    pair.collection.settle()


def test_all_that_was_recorded_arrives_once(pair: Pair, tmp_path: Path) -> None:
    """In the judge's hands and in the master's file, the same as in the worker's own."""
    run(pair)
    operations, parts = pair.arrived()
    own = b"".join(path.read_bytes() for path in (tmp_path / "worker").iterdir())
    assert len(operations) == len({one.op_id for one in operations}) == 350
    assert (tmp_path / "master/run/history-w.jsonl").read_bytes() == own
    assert pair.collection.gone() == []
    assert len(parts) > 1
    assert pair.arrived() == ([], [])


def test_every_part_lies_between_exchanges(pair: Pair) -> None:
    """There is an exchange before the first operation, and one after the last of each part."""
    run(pair)
    _, ready = pair.collection.taken()
    exchanges = [each for part, _ in ready for each in part.exchanges or ()]
    assert len(exchanges) >= reporting.AT_FIRST
    assert [each.sent for each in exchanges] == sorted(each.sent for each in exchanges)
    for part, lines in ready:
        ends = [one.end or 0 for one in decode_lines(lines.split(b"\n"))]
        assert part.exchanges
        assert part.exchanges[-1].sent >= max(ends, default=0)
    assert pair.collection.bounds()[0].startswith("the clock of w is known within")


def test_one_clock_needs_no_bounds(one_clock: Pair) -> None:
    """A worker on the master's machine; its exchanges are only told."""
    run(one_clock, batches=1)
    assert {part.exchanges is None for part in one_clock.arrived()[1]} == {True}
    assert one_clock.collection.bounds()[0].endswith("it is the master's own, so nothing is widened")


def test_no_message_is_larger_than_a_piece(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines are not cut in two; a piece is sent when the one before has arrived."""
    monkeypatch.setattr("reporting.PIECE", 1000)
    run(pair)
    sizes = [len(data["lines"]) for message, data in pair.worker.sent if message == reporting.RECORDED]
    assert max(sizes) <= 1000
    assert len(sizes) > 30
    assert len(pair.arrived()[0]) == 350
    assert [*pieces([b"1\n", b"22\n", b"x" * 2000, b"3\n"])] == [b"1\n22\n", b"x" * 2000, b"3\n"]
    assert [*pieces([])] == [b""]


def test_what_is_lost_on_the_way_is_sent_again(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every third piece, and every third word that one has arrived."""
    monkeypatch.setattr("reporting.ANSWER_S", 0.2)
    count = defaultdict[str, int](int)

    def every_third(message: str) -> bool:
        count[message] += 1
        return message in (reporting.RECORDED, reporting.TAKEN) and count[message] % 3 == 0

    pair.worker.loses = pair.master.loses = every_third
    run(pair)
    operations, _ = pair.arrived()
    assert count[reporting.RECORDED] > count[reporting.TAKEN] // 2
    assert len(operations) == len({one.op_id for one in operations}) == 350


def test_a_worker_that_vanishes_leaves_what_it_had_asked_for(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two requests under way one changes something. The last words name it; what was recorded later is not there."""
    monkeypatch.setattr("collecting.WAIT_S", 0.2)
    monkeypatch.setattr("reporting.ANSWER_S", 0.2)
    asked = SimpleNamespace(op="increment", key="k", reads=False, fields={"op_id": "asked"})
    read = SimpleNamespace(op="read", key="k", reads=True, fields={})
    pair.collection.begin("run")
    pair.reporter.begin("run")
    pair.recorder.under_way.update({1: (time.monotonic_ns(), 7, asked), 2: (time.monotonic_ns(), 8, read)})
    pair.record(100)
    until(lambda: pair.collection.workers["w"].number > 0)
    pair.worker.loses = lambda message: True
    pair.record(10)
    pair.collection.settle()
    operations, parts = pair.arrived()
    [(gone, lines)] = pair.collection.gone()
    [unanswered] = decode_lines(lines.split(b"\n"))
    assert len(operations) == 100
    assert (unanswered.op_id, unanswered.status, unanswered.end, unanswered.process) == ("asked", "info", None, 7)
    assert gone.gone
    assert gone.until >= max(one.end or 0 for one in operations)
    assert max(part.until for part in parts) <= unanswered.start  # so far nothing is missing, not even the unanswered


def test_a_worker_of_another_version_is_refused_and_both_are_named(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the master, which goes on without it, and by the worker, which ends."""
    monkeypatch.setattr("reporting.version", lambda: "0.1.0-older")
    monkeypatch.setattr("collecting.version", lambda: "0.2.0-newer")
    refused = Reporter(pair.worker.environment, pair.outgoing)
    until(lambda: pair.worker.quits > 0)
    assert not refused.welcome.is_set()  # its users have asked for nothing
    said = capsys.readouterr().err
    assert "the worker w has State Lab 0.1.0-older, the master has 0.2.0-newer" in said
    assert "this worker has State Lab 0.1.0-older, the master has 0.2.0-newer" in said
    assert pair.worker.quits == 1
    assert pair.worker.environment.process_exit_code == 2
    assert "w" not in pair.master.clients


def test_a_worker_that_says_nothing_is_refused_when_a_run_begins(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An older lab has nothing to say."""
    monkeypatch.setattr("collecting.HELLO_S", 0.05)
    pair.master.clients["old"] = SimpleNamespace(id="old", state="ready")
    pair.collection.begin("run")
    assert f"the worker old has State Lab {collecting.UNNAMED}" in capsys.readouterr().err
    assert [*pair.master.clients] == ["w"]
    assert ("quit", None) in pair.master.sent


def test_a_worker_that_was_given_nothing_to_do_is_not_gone(pair: Pair) -> None:
    """It was there when the run began, and began nothing."""
    pair.collection.begin("run")
    pair.collection.settle()
    assert pair.collection.gone() == []
    assert pair.arrived()[0] == []


def test_what_belongs_to_a_run_before_is_left_out(pair: Pair) -> None:
    """A second run begins while the first one's last piece is still on its way."""
    run(pair, batches=1)
    pair.collection.begin("another")
    pair.master.other = None
    last = next(data for message, data in reversed(pair.worker.sent) if message == reporting.RECORDED)
    pair.master.heard[reporting.RECORDED](environment=None, msg=SimpleNamespace(data=last, node_id="w"))
    assert pair.arrived() == ([], [])

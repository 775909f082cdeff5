"""What the judge beside Locust is told, over a pipe that takes little at a time."""

import time
from pathlib import Path
from types import SimpleNamespace

import gevent
import msgspec
import pytest

import live
from recording import Recorder
from reporting import Outgoing
from statelab.core.live import Batch, Begin

LINE = b"x" * 99 + b"\n"


class Slow:
    """A pipe whose reader takes its time: others run in the middle of a message."""

    def __init__(self) -> None:
        self.got = b""

    def write(self, message: bytes) -> None:
        for place in range(0, len(message), 500):
            self.got += message[place : place + 500]
            gevent.sleep(0.005)

    def flush(self) -> None:
        pass


def test_the_end_of_a_run_cuts_no_message_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run ends while the judge is told what was recorded before."""
    monkeypatch.setattr(live, "EVERY_S", 0.01)
    outgoing, pipe = Outgoing(Recorder(tmp_path)), Slow()
    one = live.Live(outgoing, None, lambda lines: None)
    one._judge = SimpleNamespace(stdin=pipe)
    begin = Begin(
        key="k", workload="counter", changes=[], expected_processes=1, spread=[], in_turn=[],
        since=time.monotonic_ns(), meanwhile=True, folder="",
    )  # fmt: skip
    one.begin(begin)
    for _ in range(200):
        outgoing.add(LINE)
    while len(pipe.got) < 3_000:
        gevent.sleep(0.001)
    outgoing.add(LINE)
    one.end()
    _, _, rest = pipe.got.partition(b"\n")
    lines, ended = b"", False
    while rest:
        header, _, rest = rest.partition(b"\n")
        batch = msgspec.json.decode(header, type=Batch)
        lines, rest, ended = lines + rest[: batch.size], rest[batch.size :], batch.until is None
    assert lines == 201 * LINE
    assert ended

"""The same request by Locust's client as it is and by the recording client, as BENCH_RECORD says."""

import os
import time
from pathlib import Path
from typing import Any

from locust import FastHttpUser, events, task

from recording import Recorder, RecordingClient

URL = os.environ["BENCH_URL"]
RECORD = os.environ.get("BENCH_RECORD")
SECONDS = float(os.environ["BENCH_SECONDS"])

answered = 0
window: list[float] = []


@events.request.add_listener
def count(**_: Any) -> None:
    global answered
    answered += 1


@events.spawning_complete.add_listener
def begin(**_: Any) -> None:
    window.extend((time.monotonic(), float(answered)))


@events.test_stop.add_listener
def end(**_: Any) -> None:
    seconds = time.monotonic() - window[0]
    print(f"RATE {(answered - window[1]) / seconds:.1f}", flush=True)


class BenchUser(FastHttpUser):
    host = URL

    def on_start(self) -> None:
        self.recording = RecordingClient(self.client, Recorder(Path(RECORD or ".")), 0, reuse=True)

    @task
    def read(self) -> None:
        if RECORD:
            self.recording.read(URL, key="bench")
        else:
            self.client.get(f"{URL}?key=bench", name=URL)

"""Runs cells one after the other on the same Locust users, as the instrument asks for them on standard input.

One JSON line in (Cell), one JSON line out (Done). Starting Locust costs seconds, a cell less than one.
"""

import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

import msgspec
from gevent.fileobject import FileObject
from gevent.queue import JoinableQueue

from progress import Progress
from recording import RecordingClient
from statelab.core.load import Cell
from statelab.core.load import Done
from workloads import load_of

Job = Callable[[RecordingClient], object]

AUDIT_ROUNDS = 20
"""At most this many reads for each process that is expected: enough to meet every one, if they answer at all."""


class Conductor:
    """Hands jobs to the users. A user takes the next one when it has ended its last."""

    def __init__(self, users: int) -> None:
        self._users = users
        self._jobs: Any = JoinableQueue()

    def follow(self, client: RecordingClient) -> None:
        """What a user does: takes one job and does it. A job that fails ends Locust: half a cell is no cell."""
        job = self._jobs.get()
        try:
            job(client)
        except Exception:
            traceback.print_exc()
            os._exit(70)
        finally:
            self._jobs.task_done()

    def _together(self, job: Job) -> None:
        for _ in range(self._users):
            self._jobs.put(job)
        self._jobs.join()

    def _once(self, job: Job) -> None:
        self._jobs.put(job)
        self._jobs.join()

    def _load(self, cell: Cell) -> Progress:
        act = load_of(cell.workload).act
        progress = Progress(cell)

        def job(client: RecordingClient) -> None:
            while not progress.over():
                progress.note(act(client, cell))

        self._together(job)
        return progress

    def _audit(self, cell: Cell, reads: int) -> None:
        """At least so many reads, and more by everybody where several may serve them, until every process has answered
        one; none where there is no final state."""
        audit = getattr(load_of(cell.workload), "audit", None)
        if audit is None:
            return
        boots: set[str] = set()
        done = 0
        expected = cell.processes or 1
        several = max(expected, cell.servers) > 1

        def job(client: RecordingClient) -> None:
            nonlocal done
            while done < reads or (several and len(boots) < expected and done < expected * AUDIT_ROUNDS):
                done += 1
                server = audit(client, cell).served_by
                if server is None:
                    return
                boots.add(server.boot)

        self._together(job)

    def _alone(self, name: str, cell: Cell) -> None:
        step = getattr(load_of(cell.workload), name, None)
        if step:
            self._once(lambda client: step(client, cell))

    def run(self, cell: Cell) -> Done:
        """Prepare, audit, load, audit, one operation alone, audit, finish; after a time-out the server may answer
        nobody any more.

        The first audit shows that the cell starts from nothing, and opens what a process opens at its first request.
        The operation alone sets copies apart that ended at the same value by chance.
        """
        self._alone("prepare", cell)
        self._audit(cell, reads=1)
        progress = self._load(cell)
        seconds = progress.seconds
        if not progress.timed_out:
            self._audit(cell, cell.audits)
            self._once(lambda client: load_of(cell.workload).act(client, cell))
            self._audit(cell, cell.audits)
            self._alone("finish", cell)
        return Done(key=cell.key, seconds=seconds, answered=progress.answered, timed_out=progress.timed_out)

    def serve(self) -> None:
        """Runs the cells of standard input until it ends."""
        decoder = msgspec.json.Decoder(Cell)
        for line in FileObject(sys.stdin.fileno(), "rb"):
            done = self.run(decoder.decode(line))
            sys.stdout.write(msgspec.json.encode(done).decode() + "\n")
            sys.stdout.flush()

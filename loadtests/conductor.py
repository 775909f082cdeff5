"""Runs cells one after the other on the same Locust users, as `statelab` sends them on standard input.

One JSON line in (Cell), one JSON line out (Done). Locust is started once, because that takes seconds and a cell less
than one.
"""

import os
import sys
import traceback
from collections.abc import Callable
from threading import Barrier, BrokenBarrierError
from typing import Any

import msgspec
from gevent.fileobject import FileObject
from gevent.queue import JoinableQueue

from progress import Progress
from recording import RecordingClient
from statelab.core.load import Cell, Done
from workloads import load_of

Job = Callable[[RecordingClient], object]
"""What a client does; the conductor has told it of the cell."""

AUDIT_ROUNDS = 20
"""The most reads for each expected process: enough to reach every process, if all of them answer."""


class Conductor:
    """Gives jobs to the users. A user takes the next job when its last one has ended."""

    def __init__(self, users: int) -> None:
        self._users = users
        self._jobs: Any = JoinableQueue()
        self._cell: Cell | None = None

    def follow(self, client: RecordingClient) -> None:
        """Takes one job and does it. A job that fails ends Locust, because half a cell proves nothing."""
        job = self._jobs.get()
        try:
            assert self._cell
            client.meet(self._cell)
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
        together = Barrier(self._users)

        def job(client: RecordingClient) -> None:
            while not progress.over():
                try:
                    if cell.times > 1:
                        together.wait()
                except BrokenBarrierError:
                    return
                progress.note(act(client, cell))
            together.abort()  # the others shall not wait for one that has ended

        self._together(job)
        return progress

    def _audit(self, cell: Cell, reads: int) -> None:
        """At least `reads` reads; more if several servers may answer, until every process has answered one. None if the
        workload has no final state."""
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
                read = audit(client, cell)
                if read is None or read.served_by is None:
                    return
                boots.add(read.served_by.boot)

        self._together(job)

    def _alone(self, name: str, cell: Cell) -> None:
        step = getattr(load_of(cell.workload), name, None)
        if step:
            self._once(lambda client: step(client, cell))

    def run(self, cell: Cell) -> Done:
        """Prepare, audit, load, audit, one operation alone, audit, finish. After a time-out the rest is left out,
        because the server may not answer any more.

        The first audit shows that the cell starts without state, and makes each process open its connections. The
        operation alone makes copies differ that had the same value by chance.
        """
        self._cell = cell
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

"""The load: a cell is picked in the form of the web UI, or (`--cells`) sent by `statelab`.

locust -f loadtests/locustfile.py
locust -f loadtests/locustfile.py --headless -u 8 -t 10s --deployment gthread --mechanism module-global --window io
"""

import secrets
import signal
import sys
from itertools import count
from pathlib import Path
from typing import Any

import gevent
from locust import FastHttpUser
from locust import events
from locust import task
from locust.contrib.fasthttp import FastHttpSession

from conductor import Conductor
from recording import Recorder
from recording import RecordingClient
from state_tab import StateTab
from statelab.core.errors import BadInput
from statelab.core.load import Cell
from targets import catalogue
from targets import targets
from workloads import load_of

TARGETS = targets()
AUDITS = 16
PROCESSES_PER_WORKER = 1_000_000
_numbers = count()


@events.init_command_line_parser.add_listener
def add_options(parser: Any) -> None:
    cells = "--cells" in sys.argv
    known = {} if cells else catalogue(TARGETS)
    workloads = known.get("workloads", {"counter": {"mechanisms": {"module-global": {}}}})
    try:
        for name in workloads:
            load_of(name)
    except BadInput as error:
        sys.exit(str(error))
    mechanisms = list(dict.fromkeys(name for workload in workloads.values() for name in workload["mechanisms"]))
    parser.add_argument("--deployment", choices=list(TARGETS), default=next(iter(TARGETS), None), help="who answers")
    parser.add_argument(
        "--workload", choices=list(workloads), default=next(iter(workloads)), help="what the app does with state"
    )
    parser.add_argument("--mechanism", choices=mechanisms, default=mechanisms[0], help="where the state is kept")
    parser.add_argument("--window", choices=known.get("windows", ["io"]), default="io", help="between read and write")
    parser.add_argument("--reuse", action="store_true", help="keep connections: then a user stays with one process")
    parser.add_argument("--record", default="recordings", help="folder of the histories", include_in_web_ui=False)
    parser.add_argument("--request-timeout", type=float, default=2.0, help="s", include_in_web_ui=False)
    parser.add_argument("--cells", action="store_true", help="take cells from standard input", include_in_web_ui=False)


def _chosen_cell(options: Any) -> Cell:
    return Cell(
        url=TARGETS[options.deployment],
        workload=options.workload,
        mechanism=options.mechanism,
        window=options.window,
        key=f"ui-{secrets.token_hex(6)}",
        processes=None,
        servers=1,
        min_seconds=0.0,
        max_seconds=float("inf"),
        min_operations=0,
        audits=AUDITS,
    )


@events.init.add_listener
def prepare(environment: Any, **_: Any) -> None:
    # Python raises Ctrl-C anywhere, even in a user between a request and its record; gevent delivers it to the main
    # greenlet, which then ends the users
    gevent.signal_handler(signal.SIGINT, gevent.kill, gevent.getcurrent(), KeyboardInterrupt)
    options = environment.parsed_options
    StateUser.network_timeout = StateUser.connection_timeout = options.request_timeout
    environment.state_tab = StateTab(environment.web_ui)
    environment.recorder = Recorder(Path(options.record), environment.state_tab.note)
    if options.cells:
        environment.conductor = Conductor(options.num_users)
    else:
        # else Locust ends users between a request and its answer, and the outcome is unknown
        environment.stop_timeout = options.request_timeout


@events.test_start.add_listener
def begin(environment: Any, **_: Any) -> None:
    if environment.parsed_options.cells:
        gevent.spawn(_conduct, environment)
    elif TARGETS:
        environment.cell = _chosen_cell(environment.parsed_options)
        environment.state_tab.begin(environment.parsed_options)
        prepare_cell = getattr(load_of(environment.cell.workload), "prepare", None)
        if prepare_cell:
            prepare_cell(_client(environment), environment.cell)


def _client(environment: Any) -> RecordingClient:
    """A client that is none of the users."""
    session = FastHttpSession(
        base_url=environment.cell.url, request_event=environment.events.request, user=None, network_timeout=2.0
    )
    return RecordingClient(session, environment.recorder, next(_numbers), reuse=False)


def _conduct(environment: Any) -> None:
    try:
        environment.conductor.serve()
    finally:
        environment.runner.quit()


@events.test_stop.add_listener
def audit(environment: Any, **_: Any) -> None:
    """Reads the final state once all changes have ended; without one, the tab shows what was answered."""
    cell = getattr(environment, "cell", None)
    try:
        if cell and environment.state_tab.anything:
            _read_back(environment, cell)
    finally:
        environment.state_tab.settle()


def _read_back(environment: Any, cell: Cell) -> None:
    audit_one = getattr(load_of(cell.workload), "audit", None)
    reader = _client(environment)
    reads = [audit_one(reader, cell) for _ in range(cell.audits)] if audit_one else []
    environment.state_tab.end([read.result for read in reads if read.result is not None])


class StateUser(FastHttpUser):
    """A client of the app, which does one operation at a time."""

    host = "http://127.0.0.1"  # required by Locust; every request has its full address

    def on_start(self) -> None:
        reuse = self.environment.parsed_options.reuse
        worker = max(0, getattr(self.environment.runner, "worker_index", 0))
        number = worker * PROCESSES_PER_WORKER + next(_numbers)
        self.recording = RecordingClient(self.client, self.environment.recorder, number, reuse=reuse)

    @task
    def work(self) -> None:
        if self.environment.parsed_options.cells:
            self.environment.conductor.follow(self.recording)
        else:
            cell = self.environment.cell
            load_of(cell.workload).act(self.recording, cell)

"""The load: a cell is picked in the form of the web UI, or (`--cells`) sent by `statelab`.

locust -f loadtests/locustfile.py
locust -f loadtests/locustfile.py --headless -u 8 -t 10s --deployment gthread --mechanism counter/module-global
"""

import secrets
import signal
import socket
import sys
import time
from itertools import count
from pathlib import Path
from typing import Any

import gevent
import msgspec
from locust import FastHttpUser, events, runners, task
from locust.contrib.fasthttp import FastHttpSession
from locust.runners import MasterRunner, WorkerRunner

from collecting import Collection
from conductor import Conductor
from console import FIRST, FIRST_CELL, first, install
from live import Live
from pace import Pace
from recording import OF_A_WORKER, Recorder, RecordingClient
from reporting import Outgoing, Reporter
from state_tab import StateTab
from statelab.core.access import Access
from statelab.core.errors import BadInput
from statelab.core.live import Begin
from statelab.core.load import Cell
from statelab.core.operation import Operation, decode_lines
from statelab.repro.live.prediction import Foretold, foretell, known_deployment
from targets import catalogue, targets
from workloads import load_of

TARGETS = targets()
AUDITS = 16
runners.HEARTBEAT_LIVENESS = 15  # s; a worker that a busy machine keeps from running for three is not gone
_numbers = count()


def _spaced(text: str) -> str:
    return " / ".join(part.strip() for part in text.split("/"))


@events.init_command_line_parser.add_listener
def add_options(parser: Any) -> None:
    cells = "--cells" in sys.argv
    told = cells or "--worker" in sys.argv  # which cell it is comes from somebody else
    known = None if told else catalogue(TARGETS)
    workloads = {name: [*about.mechanisms] for name, about in known.workloads.items()} if known else {}
    try:
        for name in workloads:
            load_of(name)
    except BadInput as error:
        sys.exit(str(error))
    # one field of the form for both, so that no wrong pair can be picked
    pairs = [f"{name} / {mechanism}" for name, mechanisms in workloads.items() for mechanism in mechanisms]
    pairs = pairs or [FIRST_CELL["mechanism"]]  # nobody has answered yet, or not with a catalogue of this version
    windows = known.windows if known else ["io"]
    parser.add_argument("--deployment", choices=[*TARGETS], default=first("deployment", [*TARGETS]), help="who answers")
    parser.add_argument(
        "--mechanism",
        type=_spaced,
        choices=pairs,
        default=first("mechanism", pairs),
        help="what the app does with state / where it is kept",
    )
    parser.add_argument("--window", choices=windows, default=first("window", windows), help="between read and write")
    parser.add_argument("--reuse", action="store_true", help="keep connections: then a user stays with one process")
    parser.add_argument("--record", default="recordings", help="folder of the histories", include_in_web_ui=False)
    parser.add_argument("--request-timeout", type=float, default=2.0, help="s", include_in_web_ui=False)
    parser.add_argument("--cells", action="store_true", help="take cells from standard input", include_in_web_ui=False)
    parser.add_argument("--not-live", action="store_true", help="judge nothing meanwhile", include_in_web_ui=False)
    parser.add_argument("--rate", type=int, default=0, help="requests a second; 0: any", include_in_web_ui=False)
    for name in ("--token-header", "--token-variable", "--ca"):
        parser.add_argument(name, default="", help="see statelab/core/access.py", include_in_web_ui=False)
    parser.add_argument("--cell-key", default="", help="chosen by the master", include_in_web_ui=False)
    parser.add_argument("--cell-url", default="", help="chosen by the master", include_in_web_ui=False)
    if not cells and "--headless" not in sys.argv:
        parser.set_defaults(**FIRST)
    if not {"--master", "--worker"} & {*sys.argv}:
        # The workers that `--processes` forks join whoever has the port. If all Locusts had the same port, they might
        # join another Locust of this machine.
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        parser.set_defaults(master_bind_host="127.0.0.1", master_bind_port=port, master_port=port)


def _chosen_cell(options: Any) -> Cell:
    workload, _, mechanism = options.mechanism.partition(" / ")
    return Cell(
        url=options.cell_url,
        workload=workload,
        mechanism=mechanism,
        window=options.window,
        key=options.cell_key,
        processes=None,
        servers=1,
        min_seconds=0.0,
        max_seconds=float("inf"),
        min_operations=0,
        audits=AUDITS,
    )


def _foretell(mechanism: str, deployment: str, window: str) -> Foretold:
    workload, _, name = mechanism.partition(" / ")
    own = {deployment: TARGETS[deployment]} if deployment in TARGETS else TARGETS  # not every server offers everything
    return foretell(catalogue(own) or catalogue(TARGETS), workload, name, deployment, window)


@events.init.add_listener
def prepare(environment: Any, **_: Any) -> None:
    # Python raises Ctrl-C anywhere, even in a user between a request and its record; gevent delivers it to the main
    # greenlet, which then ends the users
    gevent.signal_handler(signal.SIGINT, gevent.kill, gevent.getcurrent(), KeyboardInterrupt)
    options = environment.parsed_options
    StateUser.network_timeout = StateUser.connection_timeout = options.request_timeout
    environment.access = Access(header=options.token_header, variable=options.token_variable, ca=options.ca)
    environment.pace = Pace(options.rate, options.num_users)
    StateUser.insecure = False  # Locust would take any certificate
    StateUser.ssl_context_factory = lambda *_, **__: environment.access.context()
    tab = environment.state_tab = StateTab(environment.web_ui)
    environment.reporter = environment.live = environment.collection = None

    def note(operation: Operation, line: bytes) -> None:
        tab.note(operation)
        if environment.reporter or environment.live:
            outgoing.add(line)

    environment.recorder = Recorder(Path(options.record), note)
    outgoing = Outgoing(environment.recorder)
    if options.cells:
        environment.conductor = Conductor(options.num_users)
        return
    # otherwise Locust ends users between a request and its answer, and the outcome is unknown
    environment.stop_timeout = options.request_timeout
    if isinstance(environment.runner, WorkerRunner):
        environment.reporter = Reporter(environment, outgoing)
        return
    if isinstance(environment.runner, MasterRunner):
        environment.collection = Collection(environment.runner, Path(options.record))
    # The processes of one Locust without a page are a load of this machine, which is judged from its recordings.
    judged = environment.web_ui or (environment.collection and not options.processes)
    if judged and not options.not_live:
        environment.live = Live(outgoing, environment.collection, lambda lines: _note_all(tab, lines))
        if environment.web_ui:
            install(environment.web_ui, _foretell, lambda: _seen(environment), environment.live.start)


def _note_all(tab: StateTab, lines: bytes) -> None:
    if tab.keeps:
        for operation in decode_lines(lines.split(b"\n")):
            tab.note(operation)


def _seen(environment: Any) -> bytes:
    """What the tab shows, as JSON: the cell, its prediction, and what the judge has seen."""
    options = environment.parsed_options
    found = {"mechanism": options.mechanism, "deployment": options.deployment, "predicted": None}
    try:
        found["predicted"] = _foretell(options.mechanism, options.deployment, options.window)
    except BadInput:
        pass  # no deployment has answered yet
    return msgspec.json.encode({**found, "seen": msgspec.Raw(environment.live.seen)})


@events.quitting.add_listener
def close(environment: Any, **_: Any) -> None:
    if environment.live:
        environment.live.close()


@events.test_start.add_listener
def begin(environment: Any, **_: Any) -> None:
    options = environment.parsed_options
    if options.cells:
        gevent.spawn(_conduct, environment)
        return
    if environment.reporter:
        environment.cell = _chosen_cell(options)
        environment.reporter.begin(options.cell_key)
        return
    if not TARGETS:
        return
    options.cell_key = f"ui-{secrets.token_hex(6)}"  # workers are sent the master's options
    options.cell_url = TARGETS[options.deployment]
    cell = environment.cell = _chosen_cell(options)
    environment.state_tab.begin(cell, options.deployment)
    if environment.collection:
        environment.collection.begin(cell.key)
    if environment.live:
        environment.live.begin(_told(environment, cell))
    prepare_cell = getattr(load_of(cell.workload), "prepare", None)
    if prepare_cell:
        prepare_cell(_client(environment), cell)


def _told(environment: Any, cell: Cell) -> Begin:
    """What the judge has to know of a cell."""
    known, served = catalogue(TARGETS), known_deployment(environment.parsed_options.deployment)
    operations = known.workloads[cell.workload].operations if known else {}
    return Begin(
        key=cell.key,
        workload=cell.workload,
        changes=[name for name, method in operations.items() if method == "POST"],
        expected_processes=served.expected_processes if served else 1,
        spread=sorted(served.spread) if served else [],
        in_turn=sorted(served.in_turn) if served else [],
        since=time.monotonic_ns(),
        meanwhile=bool(environment.web_ui),
        folder=str(environment.collection.folder) if environment.collection else "",
    )


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
    if getattr(environment, "reporter", None):
        environment.reporter.end()
        return
    cell = getattr(environment, "cell", None)
    collection = getattr(environment, "collection", None)
    try:
        if cell and collection:
            if not environment.web_ui:
                environment.runner.send_message("stop")  # without a page Locust says this only after `test_stop`
            collection.settle()
        if cell and (collection or environment.state_tab.anything):
            _read_back(environment, cell)
    finally:
        if cell and environment.live:
            environment.live.end()
        environment.state_tab.settle()
    if cell and collection and not environment.web_ui:
        _conclude(environment, cell)


def _conclude(environment: Any, cell: Cell) -> None:
    """Says what came of a run without a page."""
    seen: dict[str, Any] = {"gone": "nothing was judged (--not-live)"}
    if environment.live:
        seen = environment.live.verdict()
    about = f"{cell.workload}, {cell.mechanism}, {environment.parsed_options.deployment}, {cell.window}"
    if "gone" in seen:
        print(f"State Lab: {about}: {seen['gone']}")
    else:
        print(f"State Lab: {about}: {seen['verdict']}: {seen['reason']} ({seen['judged']:,} operations)")
        if seen["proof"]:
            print(f"  proof: {seen['proof']['text']}")
    for line in [*seen.get("notes", []), *environment.collection.bounds()]:
        print(f"  {line}")
    print(f"  recorded in {environment.collection.folder}", flush=True)


def _read_back(environment: Any, cell: Cell) -> None:
    audit_one = getattr(load_of(cell.workload), "audit", None)
    reader = _client(environment)
    reads = [audit_one(reader, cell) for _ in range(cell.audits)] if audit_one else []
    if environment.state_tab.anything:
        environment.state_tab.end([read.result for read in reads if read.result is not None])


class StateUser(FastHttpUser):
    """A client of the app, which does one operation at a time."""

    host = "http://127.0.0.1"  # required by Locust; every request has its full address

    def on_start(self) -> None:
        if self.environment.reporter:
            self.environment.reporter.welcome.wait()
        reuse = self.environment.parsed_options.reuse
        runner = self.environment.runner
        worker = 1 + runner.worker_index if isinstance(runner, WorkerRunner) else 0
        number = worker * OF_A_WORKER + next(_numbers)
        self.recording = RecordingClient(
            self.client,
            self.environment.recorder,
            number,
            reuse=reuse,
            access=self.environment.access,
            pace=self.environment.pace,
        )

    @task
    def work(self) -> None:
        if self.environment.parsed_options.cells:
            self.environment.conductor.follow(self.recording)
        else:
            cell = self.environment.cell
            load_of(cell.workload).act(self.recording, cell)

"""What the commands do, each a few calls of the parts."""

import json
import os
import random
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn
from rich.progress import MofNCompleteColumn
from rich.progress import Progress
from rich.progress import TextColumn
from rich.progress import TimeElapsedColumn
from rich.progress import TimeRemainingColumn

from statelab.check.assess import assess
from statelab.check.assess import exit_code
from statelab.check.judges import judge_of
from statelab.core.errors import BadInput
from statelab.core.errors import EngineFailed
from statelab.core.errors import require_known
from statelab.core.paths import DEPLOYMENTS
from statelab.core.paths import LOADTESTS
from statelab.core.results import CellKey
from statelab.deploy import programs
from statelab.deploy import running
from statelab.deploy.choose import choose
from statelab.deploy.choose import docker_answers
from statelab.deploy.compose import ComposeEngine
from statelab.deploy.engine import Engine
from statelab.drive import survival
from statelab.drive.campaign import Campaign
from statelab.plan import catalogue as app_catalogue
from statelab.plan import machine
from statelab.plan.app import App
from statelab.plan.deployments import ON_REQUEST
from statelab.plan.deployments import load_all
from statelab.plan.matrix import Selection
from statelab.plan.matrix import select
from statelab.plan.profiles import PROFILES
from statelab.plan.profiles import Profile
from statelab.record.run_folder import Manifest
from statelab.record.run_folder import RunFolder
from statelab.report.formats.files import write_report
from statelab.report.formats.terminal import print_report


class Tracker:
    """Shows how far a loop is, with what is left, on a terminal; one line a tenth otherwise."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __call__(self, items: Iterable[Any], text: str) -> Iterator[Any]:
        listed = list(items)
        if self._console.is_terminal:
            columns = (TextColumn(text), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("left:"))
            with Progress(*columns, TimeRemainingColumn(), console=self._console, transient=True) as progress:
                yield from progress.track(listed)
        else:
            yield from self._in_lines(listed, text)

    def _in_lines(self, listed: list[Any], text: str) -> Iterator[Any]:
        start = time.monotonic()
        step = max(1, len(listed) // 10)
        for done, item in enumerate(listed):
            if done and done % step == 0:
                left = (time.monotonic() - start) / done * (len(listed) - done)
                self._console.print(f"{text}: {done} of {len(listed)} cells, about {left:.0f} s left", highlight=False)
            yield item


@contextmanager
def undisturbed() -> Iterator[None]:
    """Stopping is not interrupted by another Ctrl-C."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _app(options: dict[str, Any]) -> App:
    given = {
        "name": options["app_name"],
        "folder": options["app_dir"] and options["app_dir"].resolve(),
        "interpreter": options["interpreter"],
    }
    return App(**{name: value for name, value in given.items() if value})


def _plan(options: dict[str, Any], app: App) -> Manifest:
    """Everything that can be refused is refused here, before anything is started."""
    require_known("profile", [options["profile"]], list(PROFILES))
    profile = PROFILES[options["profile"]]
    on_request = load_all(DEPLOYMENTS / ON_REQUEST)
    require_known("deployment", options["deployment"], [*load_all(DEPLOYMENTS), *on_request])
    deployments = load_all(DEPLOYMENTS, options["deployment"])
    catalogue = app_catalogue.of_app(app)
    names = ("workload", "mechanism", "deployment", "window")
    selection = Selection(**{f"{name}s": options[name] for name in names})
    cells = select(catalogue, deployments, profile, selection)
    for workload in {cell.workload for cell in cells}:
        judge_of(workload)
    if not cells:
        raise BadInput(f"the profile {profile.name} has no such cell; try PROFILE=standard")
    return Manifest(
        started=time.strftime("%Y-%m-%d %H:%M:%S %z"),
        profile=profile,
        engine="",
        engine_reason="",
        seed=random.SystemRandom().randrange(2**32) if options["seed"] is None else options["seed"],
        token=secrets.token_hex(4),
        runs=options["runs"] or profile.runs,
        cells=cells,
        survivors=_survivors(cells, selection, profile),
        catalogue=catalogue,
        deployments=list(deployments.values()),
        machine=machine.describe(),
        versions=machine.library_versions(),
    )


def _survivors(cells: list[CellKey], selection: Selection, profile: Profile) -> list[str]:
    """Whose state is tried for what it outlives: not where deployments were picked, for it needs one of its own."""
    if selection.deployments or not profile.survival:
        return []
    return list(dict.fromkeys(cell.mechanism for cell in cells if cell.workload == survival.WORKLOAD))


def run(console: Console, *, engine: str, **options: Any) -> int:
    """Measures, judges, reports; returns the exit code. Stopped half-way it reports what it has."""
    app = _app(options)
    manifest = _plan(options, app)
    chosen, manifest.engine_reason = choose(engine, app)
    manifest.engine = chosen.name
    folder = RunFolder.create()
    console.print(
        f"{len(manifest.cells)} cells x {manifest.runs} run(s), profile {manifest.profile.name}, "
        f"engine {chosen.name} ({manifest.engine_reason})",
        highlight=False,
    )
    started = time.monotonic()
    ended = _measure(console, manifest, folder, chosen)
    code = _judge_and_report(console, folder)
    manifest.durations_s["total"] = time.monotonic() - started
    folder.write_manifest(manifest)
    return ended or code


def _measure(console: Console, manifest: Manifest, folder: RunFolder, engine: Engine) -> int:
    """0, or the exit code of a run that ended early: 130 stopped, 2 an engine or the load failed half-way.

    Raises EngineFailed where nothing was measured; then no run folder is left.
    """
    try:
        Campaign(manifest, folder, engine, Tracker(console)).measure()
    except KeyboardInterrupt:
        console.print("stopping what was started, keeping what was measured")
        return 130
    except EngineFailed as error:
        if not manifest.measured:
            folder.remove()
            raise
        console.print(f"{error}\nkeeping what was measured", highlight=False, markup=False)
        return 2
    finally:
        with undisturbed():
            engine.down()
    return 0


def _judge_and_report(console: Console, folder: RunFolder) -> int:
    results = assess(folder)
    write_report(results, folder.path)
    folder.point_latest()
    print_report(results, console, folder.path)
    return exit_code(results)


def report(console: Console, path: Path) -> int:
    """Judges and renders a saved run again."""
    folder = RunFolder.open(path)
    results = assess(folder)
    write_report(results, folder.path)
    print_report(results, console, folder.path)
    return exit_code(results)


def list_everything(console: Console) -> None:
    """Prints the names that the other commands take."""
    catalogue = app_catalogue.of_app(App())
    for name, workload in catalogue.workloads.items():
        console.print(f"[bold]{name}[/]: {workload.promise}")
        for mechanism, about in workload.mechanisms.items():
            console.print(f"  {mechanism:26} {app_catalogue.group(about.claims):8} {about.summary}", highlight=False)
    console.print("[bold]deployments[/]")
    for deployment in load_all(DEPLOYMENTS).values():
        console.print(f"  {deployment.name:26} {deployment.description}", highlight=False)
    console.print("[bold]deployments on request only[/]")
    for deployment in load_all(DEPLOYMENTS / ON_REQUEST).values():
        console.print(f"  {deployment.name:26} {deployment.description}", highlight=False)
    console.print(f"[bold]windows[/]: {', '.join(catalogue.windows)}")
    console.print("[bold]profiles[/]")
    for profile in PROFILES.values():
        console.print(f"  {profile.name:26} {profile.description}", highlight=False)


def _print_addresses(console: Console, engine: Engine) -> None:
    for name, address in engine.addresses().items():
        console.print(f"  {name:16} {address}", highlight=False, soft_wrap=True)
    for name, reason in engine.reasons().items():
        console.print(f"  {name:16} unavailable: {reason}", highlight=False, soft_wrap=True)


def up(console: Console, name: str, app: dict[str, Any]) -> None:
    """Brings everything up; the local engine stays in the foreground until Ctrl-C or SIGTERM."""
    engine, reason = choose(name, _app(app))
    console.print(f"engine {engine.name} ({reason})", highlight=False)
    deployments = list(load_all(DEPLOYMENTS).values())
    if isinstance(engine, ComposeEngine):
        engine.up(deployments, console=True)
        _print_addresses(console, engine)
        console.print("`make load` names the Locust web UI, `make down` stops it all")
        return
    try:
        engine.up(deployments)
        _print_addresses(console, engine)
        console.print("`make load` in another terminal opens Locust on it; Ctrl-C stops it all")
        with running.announced(engine.addresses()):
            signal.pause()
    finally:
        with undisturbed():
            engine.down()


def down(console: Console) -> None:
    """Stops the lab, of whichever engine."""
    pid = running.pid()
    if pid:
        os.kill(pid, signal.SIGTERM)
        running.wait_for_end()
        console.print("stopped the local lab")
    elif docker_answers():
        ComposeEngine().remove()
        console.print("stopped the containers")
    else:
        console.print("nothing is up")


def load(console: Console) -> None:
    """The Locust web UI against what is up: Compose's own, or one started here for the local engine."""
    addresses = running.addresses()
    if addresses is None:
        console.print(f"Locust: {running.compose_console()}", highlight=False)
        return
    port = _free_port(int(os.environ.get("LAB_WEB_PORT", "8089")))
    targets = {name: address for name, address in addresses.items() if address.startswith("http")}
    command = [sys.executable, "-m", "locust", "-f", str(LOADTESTS / "locustfile.py"), "--web-host", "127.0.0.1"]
    environment = {**os.environ, "LAB_TARGETS": json.dumps(targets)}
    console.print(f"Locust: http://127.0.0.1:{port} (Ctrl-C ends it)", highlight=False)
    subprocess.run([*command, "--web-port", str(port)], env=environment, stdin=subprocess.DEVNULL, check=False)


def _free_port(port: int) -> int:
    """The port; raises EngineFailed where somebody else listens on it."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        raise EngineFailed(f"port {port} is taken: end what listens on it, or set LAB_WEB_PORT") from None
    return port


def setup(console: Console) -> None:
    """Gets memcached and PostgreSQL where they are missing."""
    programs.set_up(lambda text: console.print(text, highlight=False, soft_wrap=True))

"""`statelab up`: starts everything and prints the addresses."""

from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from statelab.cli import options as shared
from statelab.cli.progress import undisturbed, until_stopped
from statelab.core.calls import called
from statelab.core.errors import require_known
from statelab.core.paths import DEPLOYMENTS, REPORTS
from statelab.deploy import running
from statelab.deploy.choose import choose
from statelab.deploy.compose import ComposeEngine
from statelab.deploy.engine import Engine
from statelab.deploy.local import LocalEngine
from statelab.plan.app import App
from statelab.plan.catalogue import any_offers, served_over_http
from statelab.plan.deployments import ON_REQUEST, Deployment, load_all
from statelab.repro.live import front

NO_LOAD = f"the lab has no load for this app: it has no GET /catalogue, {called('load')} says what to do"
GUNICORN = "gunicorn"
CONFIG = "gunicorn.conf.py"
"""The file that gunicorn itself looks for in the folder where it is started."""


@click.command("up")
@shared.engine
@click.option("--deployment", callback=shared.several, metavar="NAMES", help="only these, by comma (default: standard)")
@shared.app
def command(engine: str, deployment: list[str], **app: Any) -> None:
    """Bring the lab up, or another app; with the local engine it runs until Ctrl-C."""
    standard, served = load_all(DEPLOYMENTS, deployment), shared.app_of(**app)
    require_known("deployment", deployment, [*standard, *load_all(DEPLOYMENTS / ON_REQUEST)])
    logs = REPORTS / "up" / datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    console = Console(soft_wrap=True, highlight=False)
    number = front.port()
    chosen, reason = choose(engine, served, logs=logs)
    console.print(f"engine {chosen.name} ({reason})")
    if served.name is None and not (isinstance(chosen, ComposeEngine) and chosen.has_front()):
        front.require_free(number)
    _up(console, chosen, [standard[name] for name in deployment or standard], logs, served)


def _up(console: Console, engine: Engine, deployments: list[Deployment], logs: Path, app: App) -> None:
    if isinstance(engine, ComposeEngine):
        engine.up(deployments, console=True)
        _print_addresses(console, engine)
        console.print(f"{called('load')} names the Locust web UI, {called('down')} stops it all")
        console.print(f"the front page: http://127.0.0.1:{front.port()}/")
        return
    try:
        if isinstance(engine, LocalEngine) and app.name is None:
            engine.front = f"http://127.0.0.1:{front.port()}/"
        engine.up(deployments)
        _print_addresses(console, engine)
        for line in [*about_gunicorn(app, deployments, logs), f"logs, which stay: {logs}/"]:
            console.print(line, markup=False)
        offered = app.name is None or any_offers(engine.addresses().values())
        load = f"{called('load')} in another terminal opens Locust on it"
        page: AbstractContextManager[str] = nullcontext("")
        if app.name is None:  # the front page is about the lab's own app
            lab = front.Lab(lambda: served_over_http(engine.addresses()), engine.reasons)
            page = front.serving(front.port(), lab)
        with until_stopped() as wait:
            console.print(f"{load if offered else NO_LOAD}; Ctrl-C stops it all")
            with running.announced(engine.addresses(), str(logs)), page as address:
                if address:
                    console.print(f"the front page: {address}")
                wait()
        raise KeyboardInterrupt
    finally:
        with undisturbed():
            engine.down()


def about_gunicorn(app: App, deployments: list[Deployment], logs: Path) -> list[str]:
    """Notes for the user about the app's own gunicorn.conf.py."""
    if app.gunicorn_config is None:
        own = app.folder / CONFIG
        return [f"{own} is not used; `--gunicorn-config {own}` runs its hooks"] if app.name and own.is_file() else []
    served = [deployment.name for deployment in deployments if deployment.server == GUNICORN]
    if not served:
        return [f"{app.gunicorn_config} is not used: none of these deployments is one of gunicorn"]
    said = [line for name in served for line in (logs / f"{name}.log").read_text(errors="replace").splitlines()]
    return list(dict.fromkeys(line for line in said if line.startswith(f"{app.gunicorn_config.name}: ")))


def _print_addresses(console: Console, engine: Engine) -> None:
    for name, address in engine.addresses().items():
        console.print(f"  {name:16} {address}")
    for name, reason in engine.reasons().items():
        console.print(f"  {name:16} unavailable: {reason}", markup=False)

"""`statelab up`: brings everything up and says where it is."""

import signal
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from statelab.cli import options as shared
from statelab.cli.progress import undisturbed
from statelab.core.errors import require_known
from statelab.core.paths import DEPLOYMENTS
from statelab.core.paths import REPORTS
from statelab.deploy import running
from statelab.deploy.choose import choose
from statelab.deploy.compose import ComposeEngine
from statelab.deploy.engine import Engine
from statelab.plan.app import App
from statelab.plan.catalogue import any_offers
from statelab.plan.deployments import ON_REQUEST
from statelab.plan.deployments import Deployment
from statelab.plan.deployments import load_all

NO_LOAD = "the lab has no load for this app: it has no GET /catalogue, `make load` says what to do"
GUNICORN = "gunicorn"
CONFIG = "gunicorn.conf.py"
"""What gunicorn itself looks for in the folder where it is started."""


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
    chosen, reason = choose(engine, served, logs=logs)
    console.print(f"engine {chosen.name} ({reason})")
    _up(console, chosen, [standard[name] for name in deployment or standard], logs, served)


def _up(console: Console, engine: Engine, deployments: list[Deployment], logs: Path, app: App) -> None:
    if isinstance(engine, ComposeEngine):
        engine.up(deployments, console=True)
        _print_addresses(console, engine)
        console.print("`make load` names the Locust web UI, `make down` stops it all")
        return
    try:
        engine.up(deployments)
        _print_addresses(console, engine)
        for line in [*about_gunicorn(app, deployments, logs), f"logs, which stay: {logs}/"]:
            console.print(line, markup=False)
        offered = app.name is None or any_offers(engine.addresses().values())
        load = "`make load` in another terminal opens Locust on it"
        console.print(f"{load if offered else NO_LOAD}; Ctrl-C stops it all")
        with running.announced(engine.addresses(), str(logs)):
            signal.pause()
    finally:
        with undisturbed():
            engine.down()


def about_gunicorn(app: App, deployments: list[Deployment], logs: Path) -> list[str]:
    """What the person should know of the app's own gunicorn.conf.py."""
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

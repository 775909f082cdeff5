"""`statelab up`: brings everything up and says where it is."""

import signal
from typing import Any

import click
from rich.console import Console

from statelab.cli import options as shared
from statelab.cli.progress import undisturbed
from statelab.core.paths import DEPLOYMENTS
from statelab.deploy import running
from statelab.deploy.choose import choose
from statelab.deploy.compose import ComposeEngine
from statelab.deploy.engine import Engine
from statelab.plan.deployments import load_all


@click.command("up")
@shared.engine
@shared.app
def command(engine: str, **app: Any) -> None:
    """Bring the whole lab up; with the local engine it runs until Ctrl-C."""
    _up(Console(), *choose(engine, shared.app_of(**app)))


def _up(console: Console, engine: Engine, reason: str) -> None:
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


def _print_addresses(console: Console, engine: Engine) -> None:
    for name, address in engine.addresses().items():
        console.print(f"  {name:16} {address}", highlight=False, soft_wrap=True)
    for name, reason in engine.reasons().items():
        console.print(f"  {name:16} unavailable: {reason}", highlight=False, soft_wrap=True)

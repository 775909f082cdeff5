"""`statelab down`: stops everything that `up` started."""

import os
import signal

import click
from rich.console import Console

from statelab.deploy import running
from statelab.deploy.choose import docker_answers
from statelab.deploy.compose import ComposeEngine


@click.command("down")
def command() -> None:
    """Stop the lab that `up` started, of whichever engine."""
    console = Console()
    up = running.lab()
    if up:
        os.kill(up.pid, signal.SIGTERM)
        running.wait_for_end()
        logs = f"; its logs stay in {up.logs}" if up.logs else ""
        console.print(f"stopped the local lab{logs}", highlight=False, soft_wrap=True)
    elif docker_answers():
        ComposeEngine().remove()
        console.print("stopped the containers")
    else:
        console.print("nothing is up")

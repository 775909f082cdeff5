"""`statelab down`: stops what `up` started."""

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

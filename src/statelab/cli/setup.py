"""`statelab setup`: gets memcached and PostgreSQL where they are missing."""

import click
from rich.console import Console

from statelab.deploy import programs


@click.command("setup")
def command() -> None:
    """Get the store programs that are missing on this machine, without installing anything."""
    console = Console()
    programs.set_up(lambda text: console.print(text, highlight=False, soft_wrap=True))

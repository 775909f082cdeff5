"""`statelab setup`: gets memcached and PostgreSQL where they are missing."""

import click
from rich.console import Console

from statelab.deploy import programs


@click.command("setup")
@click.option("--servers", is_flag=True, help="the programs of servers too, which a run gets when it needs them")
def command(servers: bool) -> None:
    """Get the store programs that are missing on this machine, without installing anything."""
    console = Console()
    wanted = programs.STORES | (programs.SERVERS if servers else {})
    programs.get(wanted, lambda text: console.print(text, highlight=False, soft_wrap=True))

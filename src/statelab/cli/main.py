"""The command line: finds the file of a command, and turns errors into one clear sentence and an exit code."""

import errno
import signal
import sys
from importlib import import_module

import click

from statelab import __version__
from statelab.core.errors import BadInput, EngineFailed, Unavailable

EXIT_BAD_INPUT = 2
EXIT_STOPPED = 130

COMMANDS = {
    "run": "Measure the selected cells, judge them, and write and print the report.",
    "audit": "Find what one's own app keeps in the wrong place.",
    "report": "Render a saved run again, from its histories alone.",
    "check": "Judge histories that anybody recorded.",
    "convert": "Write a history of another tool in the lab's own form.",
    "compare": "Name the cells that changed between two saved runs.",
    "history": "Put the runs of weeks side by side.",
    "repro": "Show a predicted violation on demand, without load.",
    "survive": "End the worker, the server, the store, everything, and see what state is left.",
    "list": "Name every workload, mechanism, deployment, window and profile.",
    "up": "Bring the whole lab up.",
    "down": "Stop the lab that `up` started.",
    "load": "Open the Locust web UI on what is up.",
    "setup": "Get the store programs that are missing on this machine, without installing anything.",
}
"""Each name is a module beside this one; its function `command` is the command. It is loaded when it is called."""


class _Commands(click.Group):
    """Loads only the command that is called: most need neither numpy nor pyarrow, which take half a second to load."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = import_module(f"statelab.cli.{name}").command
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="statelab")
def cli() -> None:
    """Where may a Flask app keep its state, and what happens to it under each way of deploying the app?"""


def _stop(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """The program `statelab`. Ctrl-C and SIGTERM alike end everything that was started."""
    signal.signal(signal.SIGTERM, _stop)
    try:
        cli(standalone_mode=False)
    except (BadInput, EngineFailed, Unavailable) as error:
        _end(str(error), EXIT_BAD_INPUT)
    except click.ClickException as error:
        _end(error.format_message(), EXIT_BAD_INPUT)
    except OSError as error:
        _end(in_words(error), EXIT_BAD_INPUT)
    except (KeyboardInterrupt, click.Abort):
        _end("stopped", EXIT_STOPPED)


def in_words(error: OSError) -> str:
    """Says what the system refused, and, where known, what to do."""
    what = f"{error.filename or 'the system'}: {error.strerror or error}"
    return f"{what}: the disk is full, make room and try again" if error.errno == errno.ENOSPC else what


def _end(message: str, code: int) -> None:
    print(f"statelab: {message}", file=sys.stderr)
    sys.exit(code)

"""The command line: parses, calls, and turns errors into one clear sentence and an exit code."""

import errno
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from statelab.cli import lab
from statelab.cli import survive as survival
from statelab.check.models import MODELS
from statelab.core.errors import BadInput
from statelab.core.errors import EngineFailed
from statelab.core.errors import Unavailable
from statelab.cli import repro as reproduction

EXIT_BAD_INPUT = 2
EXIT_STOPPED = 130


def _several(context: click.Context, parameter: click.Parameter, value: str | None) -> list[str]:
    """`a,b c` and an empty text alike, as Make passes variables on."""
    return (value or "").replace(",", " ").split()


def _selection(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that pick cells."""
    for name in ("workload", "mechanism", "deployment", "window"):
        text = f"only these {name}s, by comma (default: what the profile says)"
        command = click.option(f"--{name}", callback=_several, metavar="NAMES", help=text)(command)
    return command


def _app(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that put another app in the place of the lab's own."""
    folder = click.Path(exists=True, file_okay=False, path_type=Path)
    for option in (
        click.option("--app", "app_name", metavar="MODULE:APP", help="another WSGI app (local engine)"),
        click.option("--app-dir", type=folder, help="where that app is"),
        click.option("--python", "interpreter", help="the interpreter that runs it"),
    ):
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="statelab")
def cli() -> None:
    """Where may a Flask app keep its state, and what happens to it under each way of deploying the app?"""


@cli.command()
@click.option("--profile", default="standard", show_default=True, help="quick, standard or thorough")
@click.option(
    "--engine", default="auto", show_default=True, help="compose, local, or auto: Compose where Docker answers"
)
@_selection
@click.option("--runs", type=click.IntRange(1, 1000), help="measure everything this many times on fresh servers")
@click.option("--seed", type=int, help="order of the cells (default: drawn, and written down)")
@_app
def run(**options: Any) -> None:
    """Measure the selected cells, judge them, and write and print the report."""
    sys.exit(lab.run(Console(), **options))


@cli.command()
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
def report(folder: Path) -> None:
    """Render a saved run again, from its histories alone."""
    sys.exit(lab.report(Console(), folder))


@cli.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--model", "model_name", metavar="MODEL", required=True, help=f"one of {', '.join(MODELS)}")
@click.option("--initial", metavar="V", help="the value before the first operation")
@click.option(
    "--time-limit", "limit_s", metavar="S", type=click.FloatRange(min=0, min_open=True), help="for each file, in s"
)
@click.option("--json", "as_json", is_flag=True, help="one JSON object per file")
def check(**options: Any) -> None:
    """Judge histories that anybody recorded: JSON Lines or Parquet, plain, gzip or zstd; - is standard input.

    Ends with 0 held, 1 violated, 3 unknown, 2 bad input; of several files with that of the worst.
    """
    from statelab.cli import check  # pyarrow takes 0.15 s to import and most commands never need it

    sys.exit(check.check(**options))


@cli.command()
@click.option("--mechanism", callback=_several, metavar="NAMES", help="only these, by comma (default: all)")
def survive(mechanism: list[str]) -> None:
    """Count up, end the worker, the server, the store, everything; start it again, and see what is left."""
    sys.exit(survival.survive(Console(), mechanism))


@cli.command("list")
def list_everything() -> None:
    """What there is: workloads, mechanisms, deployments, windows, profiles."""
    lab.list_everything(Console())


@cli.command()
@click.option("--engine", default="auto", show_default=True, help="compose, local, or auto")
@_app
def up(engine: str, **app: Any) -> None:
    """Bring the whole lab up; with the local engine it runs until Ctrl-C."""
    lab.up(Console(), engine, app)


@cli.command()
def down() -> None:
    """Stop the lab that `up` started."""
    lab.down(Console())


@cli.command()
def load() -> None:
    """Open the Locust web UI on what is up."""
    lab.load(Console())


@cli.command()
def setup() -> None:
    """Get the store programs that are missing on this machine, without installing anything."""
    lab.setup(Console())


@cli.command()
@click.argument("cell", metavar="[WORKLOAD/MECHANISM]", default="")
@click.option("--deployment", callback=_several, metavar="NAMES", help="under this one (with --all: under these)")
@click.option("--engine", default="auto", show_default=True, help="compose, local, or auto")
@click.option("--all", "everything", is_flag=True, help="every cell that requests which meet must break")
@click.option("--runs", type=click.IntRange(1, 1000), default=1, show_default=True, help="play each so many times")
def repro(**options: Any) -> None:
    """Show a predicted violation on demand: two requests in the one order that breaks the promise, no load."""
    sys.exit(reproduction.repro(Console(), **options))


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
    """What the system refused, and what to do where that is known."""
    what = f"{error.filename or 'the system'}: {error.strerror or error}"
    return f"{what}: the disk is full, make room and try again" if error.errno == errno.ENOSPC else what


def _end(message: str, code: int) -> None:
    print(f"statelab: {message}", file=sys.stderr)
    sys.exit(code)

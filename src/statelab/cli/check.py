"""The command `check`: one verdict line or JSON object for each file or dataset, and the exit code of the worst."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click
import msgspec
from rich.console import Console

from statelab.check.file import (
    BAD_INPUT,
    EXIT_CODES,
    PROOF_S,
    Verdict,
    check_file,
    details,
    find_model,
    initial_of,
    line,
    worst,
)
from statelab.check.models import MODELS
from statelab.cli.progress import Tracker
from statelab.core.errors import BadInput
from statelab.core.operation import Unit
from statelab.foreign.source import name_of

if TYPE_CHECKING:  # the imports for datasets are loaded only for a dataset
    from statelab.check.dataset import Tasks

UNIT = click.option("--unit", type=click.Choice(["ns", "us", "ms", "s"]), help="what the stamps of the files count")


@click.command("check")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--model",
    "model_name",
    metavar="MODEL",
    help=f"one of {', '.join(MODELS)}; left out, it is the one whose operations the file has",
)
@click.option("--initial", metavar="V", help="the value before the first operation")
@click.option(
    "--time-limit",
    "limit_s",
    metavar="S",
    type=click.FloatRange(min=0, min_open=True),
    help="for each file, or each partition of a dataset, in s",
)
@click.option(
    "--proof-time",
    "proof_s",
    metavar="S",
    type=click.FloatRange(min=0),
    default=PROOF_S,
    show_default=True,
    help="how long a proof is made smaller, in s",
)
@UNIT
@click.option("--workers", metavar="N", type=click.IntRange(min=1), help="so many processes judge a dataset")
@click.option("--scheduler", metavar="tcp://HOST:PORT", help="the Dask scheduler whose workers judge a dataset")
@click.option(
    "--memory",
    metavar="SIZE",
    default="1GiB",
    show_default=True,
    callback=lambda context, parameter, value: _bytes(value),
    help="the most that one worker takes for a dataset",
)
@click.option(
    "--temporary",
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="where a dataset is shuffled; with --scheduler a folder that all machines share",
)
@click.option("--together", is_flag=True, help="the Parquet files that are named are one dataset")
@click.option("--json", "as_json", is_flag=True, help="one JSON object per file")
def command(files: tuple[str, ...], **options: Any) -> None:
    """Judge histories that anybody recorded: our JSON Lines or Parquet, or those of Jepsen, elle-cli and Porcupine.

    Plain, gzip or zstd; - is standard input. The format is told by the content. A folder is a dataset: the Parquet
    files in it are one history, which need not fit into memory. So are files with --together.

    Ends with 0 held, 1 violated, 3 unknown, 2 bad input; of several files with that of the worst.
    """
    sys.exit(check(files, Wanted(**options)))


_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}


def _bytes(text: str) -> int:
    """The bytes in a size such as `512MiB` or `1.5GiB`, whose units are powers of 1,024."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?) *([kmgt]?)(?:i?b)?", text.strip().lower())
    if not found:
        raise BadInput(f"--memory {text!r} is not a size such as 512MiB or 2GiB")
    return int(float(found[1]) * _UNITS[found[2]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How each file is to be judged: the options of the command."""

    model_name: str | None = None
    initial: str | None = None
    limit_s: float | None = None
    proof_s: float = PROOF_S
    unit: Unit | None = None
    workers: int | None = None
    scheduler: str | None = None
    memory: int = 2**30
    temporary: Path | None = None
    together: bool = False
    as_json: bool = False


def check(files: tuple[str, ...], wanted: Wanted) -> int:
    """Judges the files in the order given; one that cannot be read does not stop the others. Returns the exit code of
    the worst."""
    if wanted.model_name is not None:
        initial_of(find_model(wanted.model_name), wanted.initial)
    if files.count("-") > 1:
        raise BadInput("standard input can be read once only: name - once")
    if wanted.workers and wanted.scheduler:
        raise BadInput("--workers starts workers here, --scheduler takes those of a cluster: name one of them")
    if wanted.together and "-" in files:
        raise BadInput("--together: the parts of a dataset are files, which standard input is not")
    histories = [files] if wanted.together else [(source,) for source in files]
    return worst([_one(sources, wanted, alone=len(histories) == 1) for sources in histories])


def _one(sources: tuple[str, ...], wanted: Wanted, *, alone: bool) -> int:
    """Judges one history (a file, or the parts of a dataset) and prints the verdict, or why there is none. Returns its
    exit code."""
    source = sources[0]
    try:
        if source != "-" and (wanted.together or wanted.workers or wanted.scheduler or Path(source).is_dir()):
            verdict = _dataset([*map(Path, sources)], wanted)
        else:
            verdict = check_file(source, wanted.model_name, wanted.initial, wanted.limit_s, wanted.proof_s, wanted.unit)
    except BadInput as error:
        print(f"statelab: {error}", file=sys.stderr, flush=True)
        if wanted.as_json:
            record = {"file": name_of(source), "model": wanted.model_name, "error": str(error)}
            print(msgspec.json.encode(record).decode(), flush=True)
        return BAD_INPUT
    if wanted.as_json:
        print(msgspec.json.encode(verdict).decode(), flush=True)
    else:
        print(line(verdict), flush=True)
        for text in details(verdict) if alone else ():
            print(f"  {text}", flush=True)
    return EXIT_CODES[verdict.verdict]


def _dataset(sources: list[Path], wanted: Wanted) -> Verdict:
    """The verdict on a dataset. When it returns or raises, the workers have ended and the shuffle is removed."""
    from statelab.check.dataset import LEAST, Limits, check_dataset, size_in_words
    from statelab.check.parts import look_at

    if wanted.memory < LEAST:
        raise BadInput(f"--memory {size_in_words(wanted.memory)}: a worker needs {size_in_words(LEAST)} at least")
    sources = [source.absolute() for source in sources] if wanted.scheduler else sources
    dataset = look_at(*sources)
    with (
        TemporaryDirectory(prefix="statelab-check-", dir=wanted.temporary) as folder,
        _tasks(sources, Path(folder), wanted) as tasks,
    ):
        (shuffle := Path(folder) / "shuffle").mkdir()
        return check_dataset(
            dataset,
            tasks,
            shuffle,
            model=wanted.model_name,
            initial=wanted.initial,
            unit=wanted.unit,
            limits=Limits(memory=wanted.memory, limit_s=wanted.limit_s, proof_s=wanted.proof_s),
            progress=Tracker(Console(stderr=True), "tasks"),
        )


@contextmanager
def _tasks(sources: list[Path], folder: Path, wanted: Wanted) -> "Iterator[Tasks]":
    from statelab.check import workers

    if wanted.scheduler:
        with workers.of_scheduler(wanted.scheduler, [*sources, folder.absolute()]) as tasks:
            yield tasks
    elif (wanted.workers or 1) > 1:
        with workers.on_this_machine(wanted.workers or 1, wanted.memory, folder) as tasks:
            yield tasks
    else:
        yield workers.InThisProcess()

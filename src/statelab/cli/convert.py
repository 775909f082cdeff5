"""The command `convert`: any history that `check` reads, written in our own form."""

from pathlib import Path

import click

from statelab.check.json_lines import as_file
from statelab.check.models import MODELS
from statelab.cli.check import UNIT
from statelab.core.errors import BadInput, counted
from statelab.core.operation import Unit
from statelab.foreign.read import read
from statelab.foreign.source import name_of
from statelab.record import parquet


@click.command("convert")
@click.argument("file", metavar="FILE")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="a .parquet or .jsonl file")
@click.option("--model", "model_name", metavar="MODEL", help="whose operations they are, if that is not plain")
@UNIT
def command(file: str, output: Path, model_name: str | None, unit: Unit | None) -> None:
    """Write a history that `check` reads as Parquet or JSON Lines of our own form; - is standard input."""
    if output.suffix not in (".parquet", ".jsonl"):
        raise BadInput(f"{output}: name a .parquet or a .jsonl file")
    reading = read(file, MODELS, model_name, unit)
    if output.suffix == ".parquet":
        parquet.write(reading.history, output)
    else:
        with output.open("wb") as lines:
            lines.writelines(as_file(reading.history))
    how = f", read as {reading.how}" if reading.how else ""
    size = counted(len(reading.history), "operation")
    click.echo(f"{output}: {size} of the model {reading.model}, from {name_of(file)}{how}")

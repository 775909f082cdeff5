"""The two worker processes of the checker bench: `make MODEL N FORM FOLDER` and `judge MODEL FILE`; they print JSON."""

import json
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.checking import generator, initial
from statelab.check.kernels.model import Deadline, Finding, Model
from statelab.check.models import MODELS
from statelab.foreign.source import read
from statelab.record import parquet
from statelab.record.columns import History

WARM = 5_000
TIMES, MOST_TIMES = 3, 9
ENOUGH_S = 1.5
"""A file is judged again until this time has passed: at first the process still takes new memory pages."""


def _write(history: History, form: str, path: Path) -> None:
    if form == "parquet":
        parquet.write(history, path)
    else:
        from statelab.check.json_lines import as_lines

        with path.open("wb") as file:
            file.writelines(as_lines(history))


def make(model: str, operations: int, form: str, folder: Path) -> dict[str, str]:
    """Writes a valid and a spoiled history and returns their paths."""
    source = generator(model)
    valid = source.history(operations, np.random.default_rng(operations))
    paths = {kind: str(folder / f"{model}-{operations}-{kind}.{form}") for kind in ("valid", "spoiled")}
    _write(valid, form, Path(paths["valid"]))
    _write(source.spoil(valid), form, Path(paths["spoiled"]))
    return paths


def _judge(model: Model, path: Path) -> Finding:
    return model.check(read(path, model), initial=initial(model.name), deadline=Deadline())


def judge(name: str, path: Path) -> dict[str, object]:
    """Judges small histories first, then the file three to nine times: median of the seconds, and the process's peak
    memory."""
    model = MODELS[name]
    with tempfile.TemporaryDirectory() as folder:
        for small in make(name, WARM, path.suffix[1:], Path(folder)).values():
            _judge(model, Path(small))
    seconds = list[float]()
    while len(seconds) < TIMES or (sum(seconds) < ENOUGH_S and len(seconds) < MOST_TIMES):
        start = time.perf_counter()
        finding = _judge(model, path)
        seconds.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": statistics.median(seconds), "peak": peak, "verdict": finding.verdict}


def main() -> None:
    command, model, *rest = sys.argv[1:]
    answer = make(model, int(rest[0]), rest[1], Path(rest[2])) if command == "make" else judge(model, Path(rest[0]))
    print(json.dumps(answer))


if __name__ == "__main__":
    main()

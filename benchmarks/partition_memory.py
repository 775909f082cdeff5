"""How much memory a partition takes for each of its bytes, model by model: what `FACTOR` of a check must be."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.checking import generator, initial
from statelab.check.dataset import ranges_of
from statelab.check.models import MODELS
from statelab.check.partition import Partition, Question, judge, read_pieces
from statelab.check.parts import look_at
from statelab.core.paths import ROOT
from statelab.record import parquet

OPERATIONS = 2_000_000


def memory_of_each_model() -> dict[str, float]:
    """For each local model, the most bytes of memory that reading or judging took for a byte of the partition."""
    return {model: _factor(model) for model in MODELS if MODELS[model].whole is None}


def _factor(model: str) -> float:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for step in ("make", "read", "judge"):
            command = [sys.executable, "-m", "benchmarks.partition_memory", step, model, folder]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT)
            (place / f"{step}.json").write_text(done.stdout)
        read, judged = (json.loads((place / f"{step}.json").read_text()) for step in ("read", "judge"))
        return float(max(read["taken"], judged["taken"]) / read["bytes"])


def _peak() -> int:
    """The most memory of this process so far, in bytes. (`ru_maxrss` begins with that of who started it.)"""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) * 1024


def main() -> None:
    """One step in a process of its own, whose peak memory is that of the step; prints it as JSON."""
    step, model, folder = sys.argv[1:]
    place = Path(folder)
    question = Question(name=model, model=model, folder=place / "shuffle", most=2**62, initial=initial(model))
    if step == "make":
        history = generator(model).history(OPERATIONS, np.random.default_rng(1))
        (place / "data").mkdir()
        (place / "shuffle").mkdir()
        parquet.write(history, place / "data" / "part.parquet")
        return
    before = _peak()
    if step == "read":
        (pieces,) = look_at(place / "data").pieces(2**62)
        sizes = read_pieces(question, (0, pieces))["key"]
        print(json.dumps({"taken": _peak() - before, "bytes": int(sizes.sum()), "ranges": ranges_of(sizes, 2**62)}))
    else:
        (low, high), *_ = json.loads((place / "read.json").read_text())["ranges"]
        judge(question, Partition(low, high))
        print(json.dumps({"taken": _peak() - before}))


if __name__ == "__main__":
    main()

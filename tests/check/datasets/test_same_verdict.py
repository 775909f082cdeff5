"""A dataset is judged as the same history in one file, however its rows are split into parts and partitions."""

import importlib
import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from agreement import columns, side_by_side
from models.known import Known, Operations
from statelab.check.dataset import FACTOR, LIBRARIES, Limits, Tasks, check_dataset
from statelab.check.file import Verdict, check_file
from statelab.check.kernels.model import Model
from statelab.check.models import MODELS
from statelab.check.parts import look_at
from statelab.check.workers import InThisProcess, on_this_machine
from statelab.core.errors import BadInput
from statelab.record import parquet
from statelab.record.columns import History

LOCAL = [name for name in MODELS if MODELS[name].whole is None]
HISTORIES, SPLITS, KEYS = 14, 6, (1, 1, 2, 4, 8)
"""Of each of the 12 models: so many histories, of one of so many keys, each split in so many ways. 1,008 splits."""


BY_CLIENT = ("session", "mutex")
"""The models whose verdict depends on which client did what."""


def known(model: str) -> Known:
    found: Known = importlib.import_module(f"models.{model.replace('-', '_')}").KNOWN
    return found


def key_of(model: str, rng: random.Random) -> Operations:
    """A random history of one key that can be a file: a client does one thing at a time, an op_id is used once."""
    while True:
        operations = known(model).small(rng)
        if model not in BY_CLIENT:
            operations = [msgspec.structs.replace(o, process=number) for number, o in enumerate(operations)]
        if model != "at-most-once":
            operations = [msgspec.structs.replace(o, op_id=None) for o in operations]
        if can_be_a_file(MODELS[model], operations):
            return operations


def can_be_a_file(model: Model, operations: Operations) -> bool:
    ended = sorted((o for o in operations if o.end is not None), key=lambda o: (str(o.process), o.start, o.end))
    ids = [o.op_id for o in operations if o.op_id is not None and o.op not in model.repeating]
    overlap = any(a.process == b.process and b.start < (a.end or 0) for a, b in pairwise(ended))
    return len(set(ids)) == len(ids) and not overlap


def split(history: History, folder: Path, rng: random.Random) -> Path:
    """The rows in a random order, in one to four parts."""
    folder.mkdir()
    rows = rng.sample(range(len(history)), len(history))
    cuts = sorted(rng.sample(range(1, len(rows)), min(rng.randrange(4), len(rows) - 1)))
    for number, (begin, end) in enumerate(zip([0, *cuts], [*cuts, len(rows)], strict=True)):
        parquet.write(history.take(np.array(rows[begin:end])), folder / f"{number}.parquet")
    return folder


def judged(folder: Path, shuffle: Path, tasks: Tasks, model: str, initial: str | None, most: int) -> Verdict:
    shuffle.mkdir()
    limits = Limits(memory=LIBRARIES + FACTOR * most)
    return check_dataset(
        look_at(folder),
        tasks,
        shuffle,
        model=model,
        initial=initial,
        limits=limits,
        progress=lambda items, text, total: iter(items),
    )


def told(verdict: Verdict) -> dict[str, Any]:
    """All that must be the same; of several smallest proofs another one may be told."""
    fields = ("model", "verdict", "operations", "keys", "violated", "counts", "undecided", "unit")
    parts = {name: (part["verdict"], part["reason"]) for name, part in verdict.parts.items()}
    return {**{name: getattr(verdict, name) for name in fields}, "parts": parts, "at": sorted(verdict.violated_keys)}


def initial_of(model: str) -> str | None:
    value = known(model).initial
    return None if MODELS[model].initial_kind is None or value is None else str(value)


def compared(model: str, seed: int, tmp_path: Path, tasks: Tasks, splits: int) -> set[str]:
    """Judges one random history as a file and as datasets; the verdicts that were met."""
    rng = random.Random(f"{model} {seed}")
    history = columns(MODELS[model], side_by_side([key_of(model, rng) for _ in range(rng.choice(KEYS))]))
    if not len(history):
        return set()
    alone = tmp_path / f"{model}-{seed}.parquet"
    parquet.write(history, alone)
    initial = initial_of(model)
    whole = check_file(str(alone), model, initial, None)
    for number in range(splits):
        name = f"{model}-{seed}-{number}"
        folder = split(history, tmp_path / name, rng)
        verdict = judged(folder, tmp_path / f"{name}.shuffle", tasks, model, initial, rng.choice((1_500, 3_000, 10**6)))
        assert told(verdict) == told(whole), name
        assert {operation.get("key") for operation in verdict.witness} <= set(verdict.violated_keys)
    return {whole.verdict}


@pytest.mark.parametrize("model", LOCAL)
def test_random_splits_in_one_process(model: str, tmp_path: Path) -> None:
    met = set[str]().union(*(compared(model, seed, tmp_path, InThisProcess(), SPLITS) for seed in range(HISTORIES)))
    assert met == {"held", "violated"}


@pytest.mark.process
def test_random_splits_on_workers(tmp_path: Path) -> None:
    """The same by real processes, for a few of them."""
    (tmp_path / "dask").mkdir()
    with on_this_machine(2, 2**30, tmp_path / "dask") as workers:
        for model in ("register", "session", "at-most-once"):
            compared(model, 1_000, tmp_path, workers, 2)


def test_a_model_that_looks_beyond_a_key_is_refused(tmp_path: Path) -> None:
    history = columns(MODELS["echo"], next(iter(known("echo").accepted.values())))
    with pytest.raises(BadInput, match="the model echo judges a history as a whole only, in one file: who sent what"):
        judged(split(history, tmp_path / "d", random.Random(1)), tmp_path / "s", InThisProcess(), "echo", None, 10**6)


def test_the_witness_is_a_violation_by_itself(tmp_path: Path) -> None:
    rng = random.Random(2)
    history = columns(MODELS["register"], side_by_side([key_of("register", rng) for _ in range(8)]))
    verdict = judged(split(history, tmp_path / "d", rng), tmp_path / "s", InThisProcess(), "register", None, 1_500)
    alone = tmp_path / "witness.jsonl"
    alone.write_bytes(b"".join(msgspec.json.encode(operation) + b"\n" for operation in verdict.witness))
    assert verdict.verdict == check_file(str(alone), "register", None, None).verdict == "violated"

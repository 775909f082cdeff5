"""What `statelab check` says of a dataset that need not fit into memory: shuffled by key, judged part by part.

Keys are objects of their own, and a history is linearizable iff that of each object is (locality: Herlihy & Wing 1990,
"Linearizability: A Correctness Condition for Concurrent Objects", section 3.3). The other promises of the models speak
of one key at a time as well. So partitions of whole keys are judged one by one, each by the model's own check, and the
history is violated if one of them is. A model whose check looks beyond a key says so (`Model.whole`), and is refused.

Steps: the footers of all parts; every row of all parts, on its way into the shuffle; what a file promises as a whole,
that a client does one thing at a time and that no op_id is used twice; only then are partitions judged.

Memory: a task has a partition in memory, or as much of the parts, and what the check makes of it, which is at most
`FACTOR` times as much; beside it the libraries, `LIBRARIES` bytes. Nothing grows with the dataset but the files of the
shuffle, and 128 KiB for each task that reads while its answer is added.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from statelab.check import shuffle
from statelab.check.file import MOST_KEYS, Verdict, find_model, initial_of
from statelab.check.models import MODELS
from statelab.check.partition import VIEWS, Partition, Question, View, judge, no_id_twice, one_at_a_time, read_pieces
from statelab.check.parts import Dataset, operations_in
from statelab.core.errors import BadInput, counted
from statelab.core.operation import Unit
from statelab.foreign.read import first_that_reads, fitting
from statelab.record.columns import INF
from statelab.record.reading.table import is_widened

T = TypeVar("T")
R = TypeVar("R")

MEMORY = 2**30
"""What a worker may take, in bytes, unless it is said otherwise."""

LIBRARIES = 256 * 2**20
FACTOR = 10
"""Measured by `make bench BENCH=scale`: the most that reading and judging took for each byte of a partition."""

LEAST = LIBRARIES + FACTOR * 2**20

_DISK = 100
"""About how many bytes of disk the shuffle takes for an operation."""


class Tasks(Protocol):
    """Who does the tasks."""

    def each(self, function: Callable[[T], R], work: Sequence[T]) -> Iterator[R]:
        """The function's result for each piece of work, as it is done; raises what a call raises."""
        ...


class Progress(Protocol):
    """Shows how far a loop is."""

    def __call__(self, items: Iterable[T], text: str, total: int) -> Iterator[T]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`memory` is that of a worker in bytes; the times are those of one partition, in s."""

    memory: int = MEMORY
    limit_s: float | None = None
    proof_s: float = 0.0

    @property
    def most(self) -> int:
        """How many bytes of operations a task may have."""
        return (self.memory - LIBRARIES) // FACTOR


@dataclass(frozen=True, slots=True)
class TooLarge:
    """A key that is too large to be judged, with its operations and bytes."""

    key: str
    operations: int
    bytes: int


def check_dataset(
    dataset: Dataset,
    tasks: Tasks,
    folder: Path,
    *,
    model: str | None = None,
    initial: str | None = None,
    unit: Unit | None = None,
    limits: Limits,
    progress: Progress,
) -> Verdict:
    """Judges a dataset as one history; what lies in `folder` afterwards may be removed.

    The verdict, the counts and the keys are those that the model's check would give for all in one piece. Of the proofs
    of the partitions it has the smallest. Raises BadInput that names the part, before anything is judged.
    """
    if model is not None:
        _require_local(model)
        initial_of(find_model(model), initial)
    _require_room(folder, dataset)
    if model is None:
        work = dataset.pieces(_rows(dataset, limits.most))
        found = progress(tasks.each(operations_in, work), "looking for the model", len(work))
        names = fitting(set[str]().union(*found), MODELS)
    else:
        names = [model]
    for name in names:
        _require_local(name)

    def shuffled(name: str) -> tuple[Question, dict[View, NDArray[np.int64]]]:
        (own := folder / name).mkdir()  # of a model before it a task may be under way, and write
        question = Question(
            name=dataset.name,
            model=name,
            folder=own,
            most=limits.most,
            initial=initial_of(MODELS[name], initial),
            unit=unit or dataset.unit,
            widened=any(map(is_widened, dataset.parts)),
            limit_s=float("inf") if limits.limit_s is None else limits.limit_s,
        )
        return question, _shuffled(question, dataset, tasks, progress)

    question, sizes = first_that_reads(names, dataset.name, shuffled, MODELS)
    _require_consistent(question, sizes, tasks, progress, limits)
    parts, too_large = _partitions(question, sizes["key"])
    verdicts = _judged(question, parts, tasks, progress, limits)
    return together(dataset, question, verdicts, too_large, limits)


def _require_local(name: str) -> None:
    if (why := find_model(name).whole) is not None:
        raise BadInput(f"the model {name} judges a history as a whole only, in one file: {why}")


def _require_room(folder: Path, dataset: Dataset) -> None:
    """Raises BadInput where the shuffle would fill the disk."""
    needed, free = len(dataset) * _DISK, shutil.disk_usage(folder).free
    if needed > free:
        raise BadInput(
            f"the shuffle needs about {size_in_words(needed)} of disk for a while, and the temporary folder has "
            f"{size_in_words(free)}; --temporary names another one"
        )


def _rows(dataset: Dataset, most: int) -> int:
    """How many rows a task reads."""
    return max(1, int(most / max(dataset.row_bytes, 64)))


def _shuffled(question: Question, dataset: Dataset, tasks: Tasks, progress: Progress) -> dict[View, NDArray[np.int64]]:
    """Writes all rows into the shuffle, after every one was tested; the bytes of each bucket by view."""
    question.write_names(dataset.parts)
    work = list(enumerate(dataset.pieces(_rows(dataset, question.most))))
    total = {view: np.zeros(shuffle.BUCKETS, np.int64) for view in VIEWS}
    done = tasks.each(partial(read_pieces, question), work)
    for sizes in progress(done, f"reading {counted(len(dataset.parts), 'part')}", len(work)):
        for view, each in sizes.items():
            total[view] += each
    return total


def _require_consistent(
    question: Question, sizes: dict[View, NDArray[np.int64]], tasks: Tasks, progress: Progress, limits: Limits
) -> None:
    """Raises BadInput for what no single operation shows."""
    looks: dict[View, tuple[Callable[[Question, Partition], None], str]] = {
        "process": (one_at_a_time, "looking at clients"),
        "op_id": (no_id_twice, "looking at op_ids"),
    }
    for view, (look, text) in looks.items():
        ranges = ranges_of(sizes[view], question.most)
        largest = max((int(sizes[view][low:high].sum()) for low, high in ranges), default=0)
        if largest > question.most * 2:
            needed = LIBRARIES + FACTOR * largest // 2
            raise BadInput(
                f"{question.name}: one {view} has so many operations that whether it did two things at once cannot be "
                f"looked at in {size_in_words(limits.memory)}; --memory {size_in_words(needed)} is enough"
            )
        work = [Partition(low, high) for low, high in ranges]
        for _ in progress(tasks.each(partial(look, question), work), text, len(work)):
            pass


def ranges_of(sizes: NDArray[np.int64], most: int) -> list[tuple[int, int]]:
    """Ranges of neighbouring buckets that have some bytes and not more than `most`; more only where one bucket has."""
    ranges, held = list[tuple[int, int]](), 0
    for bucket in np.flatnonzero(sizes).tolist():
        size = int(sizes[bucket])
        if held and held + size <= most:
            ranges[-1] = (ranges[-1][0], bucket + 1)
            held += size
        else:
            ranges.append((bucket, bucket + 1))
            held = size
    return ranges


def _partitions(question: Question, sizes: NDArray[np.int64]) -> tuple[list[Partition], list[TooLarge]]:
    """All keys that fit into a worker's memory, and those that do not."""
    parts, too_large = list[Partition](), list[TooLarge]()
    for low, high in ranges_of(sizes, question.most):
        if int(sizes[low:high].sum()) <= question.most:
            parts.append(Partition(low, high))
            continue
        keys, held = list[str](), 0
        for key, (rows, size) in shuffle.sizes_of_keys(question.files("key"), low).items():
            if size > question.most:
                too_large.append(TooLarge(key, rows, size))
                continue
            if keys and held + size > question.most:
                parts.append(Partition(low, high, tuple(keys)))
                keys, held = [], 0
            keys, held = [*keys, key], held + size
        if keys:
            parts.append(Partition(low, high, tuple(keys)))
    return parts, too_large


def _judged(
    question: Question, parts: list[Partition], tasks: Tasks, progress: Progress, limits: Limits
) -> list[Verdict]:
    """The verdicts on the partitions; only the proof that is shown is made small, in the time that there is for it."""
    text = f"judging {counted(len(parts), 'partition')}"
    done = tasks.each(partial(_numbered, question), list(enumerate(parts)))
    found = dict(progress(done, text, len(parts)))
    verdicts = [found[number] for number in range(len(parts))]
    violated = [number for number, each in enumerate(verdicts) if each.verdict == "violated"]
    shown = min(violated, key=lambda number: _by_size(verdicts[number].witness, verdicts[number].slack), default=None)
    if shown is not None and verdicts[shown].cut_short and limits.proof_s:
        again = replace(question, proof_s=limits.proof_s)
        verdicts[shown] = next(tasks.each(partial(judge, again), [parts[shown]]))
    return verdicts


def _numbered(question: Question, work: tuple[int, Partition]) -> tuple[int, Verdict]:
    return work[0], judge(question, work[1])


def together(
    dataset: Dataset, question: Question, verdicts: Sequence[Verdict], too_large: Sequence[TooLarge], limits: Limits
) -> Verdict:
    """The verdicts on all partitions as one.

    One key that is violated makes the history violated, whatever is not known of the others. A key that was too large
    to be judged is unknown. The proof is the one of fewest operations, then of the largest slack, then of the shortest
    span, as within one history.
    """
    violated = [each for each in verdicts if each.verdict == "violated"]
    unknown = [each for each in verdicts if each.verdict == "unknown"]
    large = _too_large(too_large, limits) if too_large else ""
    common: dict[str, Any] = {
        "operations": len(dataset),
        "keys": sum(each.keys for each in verdicts) + len(too_large),
        "read_as": f"{counted(len(dataset.parts), 'Parquet part')}, {counted(len(dataset), 'operation')}",
    }
    if not violated:
        if large or unknown:
            reason = "; ".join(filter(None, [large, *(each.reason for each in unknown[:1])]))
            judged = [*unknown, *verdicts]
            if not judged:  # every key was too large
                about = {"file": question.name, "model": question.model, "unit": question.unit, **common}
                return Verdict(verdict="unknown", reason=reason, **about)
            return msgspec.structs.replace(judged[0], verdict="unknown", reason=reason, **common)
        return msgspec.structs.replace(verdicts[0], parts=_parts(verdicts), **common)
    shown = min(violated, key=lambda each: _by_size(each.witness, each.slack))
    parts = _parts(verdicts)
    broken = [part["reason"] for part in parts.values() if part["verdict"] == "violated"]
    reason = "; ".join([*(broken or [shown.reason]), *([large] if large else [])])
    keys = sorted(key for each in violated for key in each.violated_keys)
    return msgspec.structs.replace(
        shown,
        reason=reason,
        counts=dict(sum((Counter(each.counts) for each in violated), Counter[str]())),
        violated=sum(each.violated for each in violated),
        violated_keys=keys[:MOST_KEYS],
        undecided=sum(each.undecided for each in violated) + len(unknown) + len(too_large),
        parts=parts,
        **common,
    )


def _by_size(witness: Sequence[dict[str, Any]], slack: int | None) -> tuple[int, float, int]:
    last = max((INF if operation["end"] is None else operation["end"] for operation in witness), default=0)
    first = min((operation["start"] for operation in witness), default=0)
    return len(witness), -float("inf") if slack is None else -slack, last - first


def _parts(verdicts: Sequence[Verdict]) -> dict[str, dict[str, Any]]:
    """The promises of which a model has several, each violated if it is in one of the partitions."""
    names = dict.fromkeys(name for each in verdicts for name in each.parts)
    found = {name: [each.parts[name] for each in verdicts if name in each.parts] for name in names}
    return {
        name: min(
            [part for part in parts if part["verdict"] == "violated"] or parts[:1],
            key=lambda part: _by_size(part["witness"], None),
        )
        for name, parts in found.items()
    }


def _too_large(keys: Sequence[TooLarge], limits: Limits) -> str:
    """Which key is too large, how large one may be, and what would be enough."""
    worst = max(keys, key=lambda each: each.bytes)
    fits = limits.most * worst.operations // worst.bytes
    needed = LIBRARIES + FACTOR * worst.bytes
    others = f" and {counted(len(keys) - 1, 'other key')}" if len(keys) > 1 else ""
    return (
        f"the key {worst.key!r}{others} alone is too large for a worker of {size_in_words(limits.memory)}: it has "
        f"{counted(worst.operations, 'operation')}, and about {fits:,} like these fit; --memory "
        f"{size_in_words(needed)} is enough"
    )


def size_in_words(count: int) -> str:
    """Bytes as `1.5GiB`, rounded up, in the form that `--memory` takes."""
    unit, name = (2**30, "GiB") if count >= 2**30 else (2**20, "MiB")
    return f"{-(-count * 10 // unit) / 10:g}{name}"

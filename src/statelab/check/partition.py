"""The tasks of a check of a dataset. Each needs only its arguments and the folder of the shuffle.

A task may be done again, because its worker was killed: then it writes and returns the same.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from statelab.check import shuffle
from statelab.check.file import Verdict, describe
from statelab.check.kernels.model import Deadline
from statelab.check.models import MODELS
from statelab.check.parts import Piece
from statelab.core.errors import BadInput
from statelab.core.memory import keep_freed
from statelab.core.operation import Unit, Value
from statelab.record.coding import code, pa
from statelab.record.columns import INF
from statelab.record.reading.consistency import at_once, id_twice, overlapping, require_forward, with_one_id
from statelab.record.reading.sheet import Sheet, merged
from statelab.record.reading.table import clients, row_number, sheets_of_table

View = Literal["key", "process", "op_id"]
"""The field by which rows are brought together: by key to be judged, by process to see that each does one thing at a
time, by op_id to see that none is used twice."""

VIEWS: tuple[View, ...] = ("key", "process", "op_id")

_PARTS = "parts.txt"
_ROW_BITS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of a dataset. `folder` is that of the shuffle, and no task has more than about `most` bytes of
    operations in memory. The limits are those of one partition, in s. `widened`: intervals are as wide as clocks were
    uncertain."""

    name: str
    model: str
    folder: Path
    most: int
    initial: Value | None = None
    unit: Unit | None = None
    limit_s: float = float("inf")
    proof_s: float = 0.0
    widened: bool = False

    def files(self, view: View) -> list[Path]:
        """What was written for a view, in the order of the parts."""
        return sorted(self.folder.glob(f"{view}-*.arrow"))

    def write_names(self, parts: Iterable[Path]) -> None:
        """Keeps the names of the parts for who has to name one."""
        (self.folder / _PARTS).write_text("".join(f"{part}\n" for part in parts))

    def place(self, number: int) -> str:
        """Where the row stands that has this number among all rows of all parts."""
        names = (self.folder / _PARTS).read_text().splitlines()
        return f"{names[number >> _ROW_BITS]}, {row_number(number & ((1 << _ROW_BITS) - 1))}"


@dataclass(frozen=True, slots=True)
class Partition:
    """The buckets from `low` up to but without `high`; with `keys` only these keys of them."""

    low: int
    high: int
    keys: tuple[str, ...] | None = None


def read_pieces(question: Question, work: tuple[int, Sequence[Piece]]) -> dict[View, NDArray[np.int64]]:
    """Tests every row of some pieces, and writes them into the shuffle; the bytes of each bucket by view.

    Raises BadInput that names the part and its first row that is wrong.
    """
    _alone()
    number, pieces = work
    sizes = {view: np.zeros(shuffle.BUCKETS, np.int64) for view in VIEWS}
    for chunk, (sheet, places) in enumerate(_chunks(question, pieces)):
        for view, rows in _views(question, sheet, places):
            path = question.folder / f"{view}-{number:08}-{chunk:04}.arrow"
            sizes[view] += shuffle.write(rows, view, path)
    return sizes


def _alone() -> None:
    """A worker is one core, and keeps its memory."""
    pa.set_cpu_count(1)
    keep_freed()


def _chunks(question: Question, pieces: Sequence[Piece]) -> Iterator[tuple[Sheet, NDArray[np.int64]]]:
    """The operations of the pieces, as many at a time as fit, and the number of each among all rows of all parts."""
    shapes = MODELS[question.model]
    sheets, places, held = list[Sheet](), list[NDArray[np.int64]](), 0
    for piece in pieces:
        for row, sheet in sheets_of_table(piece.path, str(piece.path), shapes, list(piece.groups)):
            first = row

            def place(row: int, first: int = first) -> str:
                return row_number(first + row)

            require_forward(sheet.arrays["start"], sheet.arrays["end"], str(piece.path), place)
            places.append(np.arange(first, first + len(sheet)) + (piece.part << _ROW_BITS))
            held += sheet.nbytes
            sheets.append(sheet)
            if held >= question.most:
                yield merged(sheets), np.concatenate(places)
                sheets, places, held = [], [], 0
    if sheets:
        yield merged(sheets), np.concatenate(places)


def _views(question: Question, sheet: Sheet, places: NDArray[np.int64]) -> Iterator[tuple[View, Sheet]]:
    """What each view has of some operations: all of each one for its key, and less for its client and its op_id."""
    arrays, columns = sheet.arrays, sheet.columns
    ended = arrays["end"] != INF
    stamps = {"start": arrays["start"][ended], "end": arrays["end"][ended], "place": places[ended]}
    yield "process", Sheet(sheet.ops, stamps, {"process": columns["process"].take(ended)})
    if "op_id" in columns:
        repeating = MODELS[question.model].repeating
        own = columns["op_id"].known & ~np.array([op in repeating for op in sheet.ops]).take(arrays["op"])
        if own.any():
            named = {"op": arrays["op"][own], "place": places[own]}
            yield "op_id", Sheet(sheet.ops, named, {"op_id": columns["op_id"].take(own)})
    said = arrays.get("timed_out")
    if said is not None and not said.any():
        arrays = {name: array for name, array in arrays.items() if name != "timed_out"}
    yield "key", Sheet(sheet.ops, arrays, columns, sheet.elements)


def _read(question: Question, view: View, partition: Partition) -> Sheet:
    _alone()
    ops = tuple(MODELS[question.model].operations)
    return shuffle.read(question.files(view), ops, partition.low, partition.high, partition.keys)


def one_at_a_time(question: Question, partition: Partition) -> None:
    """Raises BadInput if one of these clients did two things at once."""
    if question.widened:
        return
    sheet = _read(question, "process", partition)
    start, end, place = (sheet.arrays[name] for name in ("start", "end", "place"))
    (process,), processes = code([sheet.columns["process"]])
    pair = overlapping(process, start, end)
    if pair is not None:
        above, here = (question.place(int(place[row])) for row in pair)
        who = clients(processes)[process[pair[0]]]
        stamps = [(int(start[row]), int(end[row])) for row in pair]
        raise BadInput(at_once(here, above, who, stamps))


def no_id_twice(question: Question, partition: Partition) -> None:
    """Raises BadInput if one of these op_ids is that of two operations."""
    sheet = _read(question, "op_id", partition)
    pair = with_one_id(sheet, ())
    if pair is not None:
        first, here = (question.place(int(sheet.arrays["place"][row])) for row in pair)
        raise BadInput(id_twice(here, first, sheet.columns["op_id"].text[pair[1]].as_py()))


def judge(question: Question, partition: Partition) -> Verdict:
    """The verdict on some keys."""
    model = MODELS[question.model]
    history = _read(question, "key", partition).history(model.answers, ids_repeat=bool(model.repeating))
    history = replace(history, processes=clients(history.processes), unit=question.unit, widened=question.widened)
    deadline = Deadline.after(question.limit_s, question.proof_s)
    finding = model.check(history, initial=question.initial, deadline=deadline)
    return describe(question.name, history, model, finding)

"""Checks of whole columns: ends before starts, a process doing two things at once, an op_id used twice."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

import numpy as np

from statelab.core.errors import BadInput, shown
from statelab.core.memory import keep_freed
from statelab.record.coding import coded_text, plain
from statelab.record.columns import INF, Codes, History, Integers, Mask
from statelab.record.reading.sheet import Sheet
from statelab.record.shapes import Shapes

Place = Callable[[int], str]


def checked(sheet: Sheet, name: str, place: Place, shapes: Shapes, *, may_overlap: bool = False) -> History:
    """The history of a sheet; raises BadInput where its operations contradict each other. `place` says where a row
    stood. `may_overlap`: intervals were widened, so those of one process may overlap."""
    if (pair := with_one_id(sheet, shapes.repeating)) is not None:
        first, row = pair
        raise BadInput(id_twice(f"{name}, {place(row)}", place(first), sheet.columns["op_id"].text[row].as_py()))
    history = sheet.history(shapes.answers, ids_repeat=bool(shapes.repeating))
    process, start, end = history.process, history.start, history.end
    require_forward(start, end, name, place)
    if not may_overlap and (pair := overlapping(process, start, end)) is not None:
        above, row = pair
        stamps = [(int(start[each]), int(end[each])) for each in pair]
        raise BadInput(at_once(f"{name}, {place(row)}", place(above), history.processes[process[row]], stamps))
    keep_freed(large=len(history) <= 2**22)  # with more operations it is judged in as little memory as possible
    return history


def id_twice(place: str, first: str, op_id: str) -> str:
    """What is said of an op_id that two operations have."""
    return f"{place}: the op_id {shown(op_id)} is that of {first} already"


def with_one_id(sheet: Sheet, repeating: Collection[str]) -> tuple[int, int] | None:
    """The first row whose op_id another one above it has, and that one first; None if there is none.

    Operations of the names in `repeating` are left aside.
    """
    if "op_id" not in sheet.columns:
        return None
    column = sheet.columns["op_id"]
    ids = coded_text(column.text)
    if not repeating and len(ids.dictionary) == len(ids) - ids.null_count:
        return None
    sheet.columns["op_id"] = replace(column, text=ids)  # need not be coded again
    may_repeat = np.array([op in repeating for op in sheet.ops], np.bool_).take(sheet.arrays["op"])
    rows = np.flatnonzero(column.known & ~may_repeat)
    codes = plain(ids.indices, -1)[rows]
    if np.bincount(codes).max(initial=0) <= 1:
        return None
    _, firsts, inverse = np.unique(codes, return_index=True, return_inverse=True)
    again = int(np.flatnonzero(firsts[inverse] != np.arange(len(codes)))[0])
    return int(rows[firsts[inverse[again]]]), int(rows[again])


def require_forward(start: Integers, end: Integers, name: str, place: Place) -> None:
    """Raises BadInput if an operation ends before it starts."""
    backwards = end < start
    if backwards.any():
        row = int(backwards.argmax())
        raise BadInput(f'{name}, {place(row)}: "end" is {end[row]}, before "start", {start[row]}')


def at_once(place: str, above: str, process: int | str, stamps: Sequence[tuple[int, int]]) -> str:
    """What is said of two operations of one process that overlap; `stamps` are those of the first and the second."""
    first, second = (f"[{start}, {end}]" for start, end in stamps)
    return (
        f"{place}: process {shown(process)} was not done with its operation of {above}: {second} "
        f"overlaps with {first}, and a process does one operation at a time"
    )


def overlapping(process: Codes, start: Integers, end: Integers) -> tuple[int, int] | None:
    """The first row that overlaps with one of its process above it, and that one first; None if there is none.

    An operation of unknown outcome has no end, so what its process does next does not overlap with it.
    """

    def too_early(rows: Integers) -> Mask:
        """For each row but the first: whether it starts before the one ahead of it, of its process, has ended."""
        own, begins, ends = process[rows], start[rows], end[rows]
        found: Mask = (begins[1:] < ends[:-1]) & (own[1:] == own[:-1])
        return found

    ended = np.flatnonzero(end != INF)
    codes = process[ended]
    codes = codes.astype(np.uint16) if codes.max(initial=0) < 2**16 else codes  # sorts in O(n)
    if not too_early(ended[np.argsort(codes, kind="stable")]).any():
        return None  # each operation of a process starts at the end of the one above it or later
    # If two operations overlap, then so do, in the order of start and end, the earlier one and its next. O(n log n).
    rows = ended[np.lexsort((end[ended], start[ended], process[ended]))]
    wrong = too_early(rows)
    if not wrong.any():
        return None
    pairs = np.sort(np.stack((rows[:-1][wrong], rows[1:][wrong])), axis=0)
    first = int(pairs[1].argmin())
    return int(pairs[0, first]), int(pairs[1, first])

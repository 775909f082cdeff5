"""Checks of whole columns: ends before starts, a process doing two things at once, an op_id used twice."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

import numpy as np

from statelab.core.errors import BadInput, shown
from statelab.core.memory import keep_freed
from statelab.record.coding import coded_text, plain
from statelab.record.columns import INF, Codes, History, Integers
from statelab.record.reading.sheet import Sheet
from statelab.record.shapes import Shapes

Place = Callable[[int], str]


_BLOCK = 2**16
_ROOMY = 2**29
"""Bytes of a history up to which it is judged fast, and beyond in as little memory as possible."""


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
    keep_freed(large=sheet.nbytes <= _ROOMY)
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
    if _in_order(process, start, end):
        return None
    # If two operations overlap, then so do, in the order of start and end, the earlier one and its next. O(n log n).
    rows = np.flatnonzero(end != INF)
    rows = rows[np.lexsort((end[rows], start[rows], process[rows]))]
    before, after = rows[:-1], rows[1:]
    wrong = (start[after] < end[before]) & (process[after] == process[before])
    if not wrong.any():
        return None
    pairs = np.sort(np.stack((before[wrong], after[wrong])), axis=0)
    first = int(pairs[1].argmin())
    return int(pairs[0, first]), int(pairs[1, first])


def _in_order(process: Codes, start: Integers, end: Integers) -> bool:
    """Whether each operation of a process starts at the end of the one above it or later: then none overlap. O(n), in
    blocks that stay in the processor's cache."""
    codes = process.astype(np.uint16) if process.max(initial=0) < 2**16 else process  # sorts in O(n)
    latest = np.full(process.max(initial=-1) + 1, -INF - 1, np.int64)
    for begin in range(0, len(process), _BLOCK):
        block = slice(begin, begin + _BLOCK)
        ended = np.flatnonzero(end[block] != INF)
        if not len(ended):
            continue
        rows = begin + ended[np.argsort(codes[block][ended], kind="stable")]
        own, begins, ends = process[rows], start[rows], end[rows]
        last = np.append(own[1:] != own[:-1], True)  # of its process in this block
        first, own_last = np.roll(last, 1), own[last]
        if ((begins[1:] < ends[:-1]) & ~last[:-1]).any() or (begins[first] < latest[own_last]).any():
            return False
        latest[own_last] = ends[last]
    return True

"""What no single operation shows: ends before starts, a process doing two things at once, an op_id used twice."""

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from statelab.core.errors import BadInput
from statelab.core.errors import shown
from statelab.core.memory import keep_freed
from statelab.record.coding import coded_text
from statelab.record.coding import plain
from statelab.record.columns import INF
from statelab.record.columns import Codes
from statelab.record.columns import History
from statelab.record.columns import Integers
from statelab.record.reading.sheet import Sheet
from statelab.record.shapes import Shapes

Place = Callable[[int], str]

_ROOMY = 2**22
"""Up to so many operations a history is judged fast; with more, in as little memory as possible."""


def checked(sheet: Sheet, name: str, place: Place, shapes: Shapes, *, may_overlap: bool = False) -> History:
    """The history of a sheet; raises BadInput for what no single operation shows. `place` names where a row stood.
    `may_overlap`: intervals were widened, so those of one process may overlap."""
    require_own_ids(sheet, name, place, shapes.repeating)
    history = sheet.history(shapes.answers, ids_repeat=bool(shapes.repeating))
    require_times(history, name, place, may_overlap=may_overlap)
    keep_freed(large=len(history) <= _ROOMY)
    return history


def require_own_ids(sheet: Sheet, name: str, place: Place, repeating: Collection[str]) -> None:
    """Raises BadInput if an op_id stands in two operations, those of the names in `repeating` left aside."""
    pair = with_one_id(sheet, repeating)
    if pair is not None:
        first, row = pair
        raise BadInput(id_twice(f"{name}, {place(row)}", place(first), sheet.columns["op_id"].text[row].as_py()))


def id_twice(place: str, first: str, op_id: str) -> str:
    """What is said of an op_id that two operations have."""
    return f"{place}: the op_id {shown(op_id)} is that of {first} already"


def with_one_id(sheet: Sheet, repeating: Collection[str]) -> tuple[int, int] | None:
    """The first row whose op_id another one above it has, and that one first; None if there is none."""
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


def require_times(history: History, name: str, place: Place, *, may_overlap: bool = False) -> None:
    """Raises BadInput if an operation ends before it starts, or before its process has ended the one before (unless
    they may overlap).

    An operation of unknown outcome has no end, so what the process does next does not overlap with it.
    """
    require_forward(history.start, history.end, name, place)
    if may_overlap:
        return
    pair = overlapping(history.process, history.start, history.end)
    if pair is not None:
        above, row = pair
        stamps = [(int(history.start[each]), int(history.end[each])) for each in pair]
        raise BadInput(at_once(f"{name}, {place(row)}", place(above), history.processes[history.process[row]], stamps))


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
    """The first row that overlaps with one of its process above it, and such a one; None if there is none."""
    return None if _in_order(process, start, end) else _overlap(process, start, end)


def _in_order(process: Codes, start: Integers, end: Integers) -> bool:
    """Whether each operation of a process starts at the end of the one above it or later: then none overlap. O(n)."""
    ended = np.flatnonzero(end != INF)
    codes = process[ended]
    codes = codes.astype(np.uint16) if codes.max(initial=0) < 2**16 else codes  # sorts in O(n)
    rows = ended[np.argsort(codes, kind="stable")]
    process, start, end = process[rows], start[rows], end[rows]
    return not ((start[1:] < end[:-1]) & (process[1:] == process[:-1])).any()


def _overlap(process: Codes, start: Integers, end: Integers) -> tuple[int, int] | None:
    """The first row that overlaps with one above it, and such a one; None if there is none. O(n log n).

    If two operations overlap, then so do, by start and end, the earlier one and its next.
    """
    rows = np.flatnonzero(end != INF)
    rows = rows[np.lexsort((end[rows], start[rows], process[rows]))]
    before, after = rows[:-1], rows[1:]
    wrong = (process[before] == process[after]) & (start[after] < end[before])
    if not wrong.any():
        return None
    pairs = np.sort(np.stack((before[wrong], after[wrong])), axis=0)
    first = int(pairs[1].argmin())
    return int(pairs[0, first]), int(pairs[1, first])

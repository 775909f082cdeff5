"""A dataset: Parquet parts, mostly of one folder, that are one history together.

All parts are looked at before a row of any is read: each must be a whole Parquet file, and a field must be of one kind
in all of them. Files whose names begin with `_` or `.` are other tools' notes and no parts.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet

from statelab.core.errors import BadInput
from statelab.core.operation import Unit
from statelab.foreign.source import PARQUET
from statelab.record.coding import pa
from statelab.record.reading.rules import REQUIRED
from statelab.record.reading.table import unit_of_table

pq: Any = pyarrow.parquet

_ALIKE = ("process", "op", "key", "start", "end", "status", "op_id")
"""The columns that must be of one kind in all parts. (Values may be numbers in one part and texts in another.)"""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some groups of rows of one part, and how many rows these are; `part` is its number among all parts."""

    part: int
    path: Path
    groups: tuple[int, ...]
    rows: int


@dataclass(frozen=True, slots=True)
class Dataset:
    """`groups` holds the number of rows of each group of each part; `row_bytes` is about how many bytes a row takes in
    memory, from the parts' metadata."""

    name: str
    parts: tuple[Path, ...]
    groups: tuple[tuple[int, ...], ...]
    unit: Unit | None
    row_bytes: float

    def __len__(self) -> int:
        return sum(map(sum, self.groups))

    def pieces(self, rows: int) -> list[tuple[Piece, ...]]:
        """All rows as lists of pieces of about as many rows, more only where one group has more."""
        lists, taken = [list[Piece]()], 0
        for part, (path, groups) in enumerate(zip(self.parts, self.groups, strict=True)):
            for number, count in enumerate(groups):
                if not count:
                    continue
                if taken and taken + count > rows:
                    lists, taken = [*lists, []], 0
                last = lists[-1][-1] if lists[-1] else None
                if last is not None and last.part == part:
                    lists[-1][-1] = Piece(part, path, (*last.groups, number), last.rows + count)
                else:
                    lists[-1].append(Piece(part, path, (number,), count))
                taken += count
        return [tuple(pieces) for pieces in lists]


def look_at(*sources: Path) -> Dataset:
    """The parts of all folders that are named, and the files that are; raises BadInput that names the part that is
    wrong."""
    whole = str(sources[0]) if len(sources) == 1 else f"{sources[0]} and {len(sources) - 1} more"
    parts = tuple(part for source in sources for part in _parts(source))
    again = [part for part, times in Counter(map(Path.resolve, parts)).items() if times > 1]
    if again:
        raise BadInput(f"{again[0]} is named twice; it is one part of the history")
    kinds: dict[str, tuple[str, Path]] = {}
    units: dict[Unit | None, Path] = {}
    groups, loaded = list[tuple[int, ...]](), 0
    for path in parts:
        try:
            metadata, schema = pq.read_metadata(path), pq.read_schema(path)
        except (pa.ArrowException, OSError) as error:
            raise BadInput(f"{path}: not a whole Parquet file ({str(error).splitlines()[0]})") from None
        missing = [name for name in REQUIRED if name not in schema.names]
        if missing:
            raise BadInput(f'{path}: there is no column "{missing[0]}"')
        for name in _ALIKE:
            if name in schema.names and (kind := _kind(schema.field(name).type)):
                usual, first = kinds.setdefault(name, (kind, path))
                if kind != usual:
                    raise BadInput(f'"{name}" is {usual} in {first} and {kind} in {path}; it must be one in all parts')
        for name in ("start", "end"):
            if name in kinds and kinds[name][0] == "a fraction":
                raise BadInput(f"{path}: stamps with fractions; statelab convert writes each part with whole ns")
        units.setdefault(unit_of_table(path), path)
        if len(units) > 1:
            (one, first), (other, second) = units.items()
            raise BadInput(f"the stamps count {one or 'nothing known'} in {first} and {other or 'nothing known'} in "
                           f"{second}; they must be of one unit in all parts")  # fmt: skip
        sizes = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
        groups.append(tuple(size.num_rows for size in sizes))
        loaded += sum(size.total_byte_size for size in sizes)
    rows = sum(map(sum, groups))
    if not rows:
        raise BadInput(f"{whole}: no operations in it")
    return Dataset(whole, parts, tuple(groups), next(iter(units)), loaded / rows)


def _parts(source: Path) -> list[Path]:
    """The files of a folder, or the file; raises BadInput that names one that does not begin as Parquet does."""
    if not source.exists():
        raise BadInput(f"{source}: no such file or folder")
    found = [source] if source.is_file() else sorted(each for each in source.iterdir() if each.name[0] not in "._")
    if not found:
        raise BadInput(f"{source}: no Parquet parts in it")
    wrong = [path for path in found if not path.is_file() or _head(path) != PARQUET]
    if not wrong:
        return found
    if wrong[0].is_dir():
        raise BadInput(f"{wrong[0]} is a folder inside of a dataset; its parts must be side by side")
    right = next((path for path in found if path not in wrong), None)
    beside = f", and {right.name} beside it is" if right else ""
    raise BadInput(
        f"{wrong[0]} is not Parquet{beside}; all parts of a dataset must be Parquet: "
        "statelab convert FILE -o part.parquet"
    )


def _head(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(len(PARQUET))


def _kind(type_: Any) -> str:
    """What a column holds, in words; empty where it holds nothing at all."""
    types = pa.types
    held = type_.value_type if types.is_dictionary(type_) else type_
    if types.is_null(held):
        return ""
    if types.is_integer(held):
        return "an integer"
    if types.is_floating(held):
        return "a fraction"
    return "a text" if types.is_string(held) or types.is_large_string(held) or types.is_string_view(held) else str(held)


def operations_in(pieces: Sequence[Piece]) -> set[str]:
    """The names of the operations in some pieces; raises BadInput."""
    names = set[str]()
    for piece in pieces:
        try:
            file = pq.ParquetFile(piece.path, read_dictionary=["op"])
            for batch in file.iter_batches(2**16, row_groups=list(piece.groups), columns=["op"]):
                names |= {str(name) for name in batch["op"].unique().to_pylist()}
        except (pa.ArrowException, OSError) as error:
            why = str(error).splitlines()[0]
            raise BadInput(f"{piece.path}: not a whole Parquet file ({why})") from None
    return names

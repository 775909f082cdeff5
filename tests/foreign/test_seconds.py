"""Stamps in seconds with fractions: exact to the ns, all of a file or none."""

from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from foreign.test_formats import refused
from statelab.check.models import MODELS
from statelab.core.errors import BadInput
from statelab.foreign.read import read


def lines(*stamps: tuple[str, str]) -> str:
    return "".join(
        f'{{"process": {n}, "op": "write", "value": "\\"start\\": 1", "start": {start}, "end": {end}, '
        '"status": "ok"}\n'
        for n, (start, end) in enumerate(stamps)
    )


@pytest.mark.parametrize("array", [False, True])
def test_each_stamp_is_taken_as_it_is_written(array: bool, tmp_path: Path) -> None:
    """A float of Python would be wrong by a hundred ns; texts that look like stamps stay."""
    written = lines(("1764064800.10", "1764064800.123456789"), ("1.7640648e9", "1764064801.0000000004"))
    path = tmp_path / "x"
    path.write_text(f"[{','.join(written.splitlines())}]" if array else written)
    history = read(str(path), MODELS, "register").history
    assert [(o.start, o.end) for o in history.operations()] == [
        (1_764_064_800_100_000_000, 1_764_064_800_123_456_789),
        (1_764_064_800_000_000_000, 1_764_064_801_000_000_000),
    ]
    assert history.unit == "ns"
    assert {o.value for o in history.operations()} == {'"start": 1'}


@pytest.mark.parametrize("stamps", [[("1.5", "2")], [("1.5", "2.5"), ("3", "4")], [("1", "2"), ("3.5", "4.5")]])
def test_a_mix_is_refused(stamps: list[tuple[str, str]], tmp_path: Path) -> None:
    """Nobody can tell what the whole numbers are."""
    assert f"line {len(stamps)}" in refused(tmp_path, lines(*stamps), "register")


def test_a_table_may_have_seconds_too(tmp_path: Path) -> None:
    """Two floats that differ give stamps that differ."""
    starts = [1764064800.1000001, 1764064800.1000004]
    columns = {"process": [1, 2], "op": ["write"] * 2, "value": [1, 2], "status": ["ok"] * 2}
    table = pyarrow.table(columns | {"start": starts, "end": [1764064801.5] * 2})
    path = tmp_path / "x"
    pyarrow.parquet.write_table(table, path)
    reading = read(str(path), MODELS, None)
    first, second = reading.history.start.tolist()
    assert second - first == 238  # what lies between two floats of this size
    assert reading.history.end.tolist() == [1_764_064_801_500_000_000] * 2
    assert (reading.model, reading.how) == ("register", "Parquet, stamps in seconds, read to the ns")
    pyarrow.parquet.write_table(table.set_column(5, "end", [[1764064801] * 2]), path)
    with pytest.raises(BadInput, match="in seconds with fractions"):
        read(str(path), MODELS, None)

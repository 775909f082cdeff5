"""Tables of many texts: what is read and written of them grows with the rows, and says the same as small ones."""

import random
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.key_value import KNOWN, append, get, large, lost_append
from statelab.check.kernels.model import Deadline
from statelab.check.models.key_value import texts
from statelab.check.models.key_value.judge import judge
from statelab.core.operation import Operation
from statelab.foreign.source import read
from statelab.record import coding, parquet
from statelab.record.coding import Texts
from statelab.record.columns import History
from statelab.record.reading import table
from statelab.record.reading.table import sheet_of_table


def keys(count: int, rng: random.Random) -> list[Operation]:
    """A history of 60 operations for each key; in some keys a get lacks an append."""
    operations = []
    for key in range(count):
        own = large(60, rng)
        if key % 3 == 2 and any(str(o.result).count("y") > 10 for o in own[21:]):
            own = lost_append(own, rng)
        operations += [msgspec.structs.replace(o, key=f"k{key}", process=f"{key} {o.process}") for o in own]
    rng.shuffle(operations)
    return operations


def test_a_part_brings_its_own_texts_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A column that was written with a table of 100 texts is read in parts of 8 rows with at most 8 texts each."""
    monkeypatch.setattr(table, "_ROWS", 8)
    operations = [append(10 * i, 10 * i + 5, f"text {i}") for i in range(100)]
    rows = History.from_operations(operations)
    texts = pa.array([o.value for o in operations]).dictionary_encode()
    monkeypatch.setattr(parquet, "_MOST_CODED", 1_000)
    parquet.write(rows, tmp_path / "h.parquet")
    assert pq.read_table(tmp_path / "h.parquet").column("value").type == texts.type
    parts = list(table.Table(tmp_path / "h.parquet", ["value"]).parts())
    assert len(parts) == 13
    assert all(len(part.field("value").column.text.dictionary) <= 8 for part in parts)
    assert read(tmp_path / "h.parquet", KNOWN.model).operations() == operations


def test_many_texts_are_not_repeated_with_each_group_of_rows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Beyond so many texts they are written as they are; what comes back is the same."""
    operations = [append(10 * i, 10 * i + 5, f"text {i}") for i in range(9)] + [get(95, 99, "text 0", key="k")]
    kinds = []
    for most in (9, 8):
        monkeypatch.setattr(parquet, "_MOST_CODED", most)
        parquet.write(History.from_operations(operations), tmp_path / "h.parquet")
        kinds.append(pq.read_schema(tmp_path / "h.parquet").field("value").type)
        assert parquet.read(tmp_path / "h.parquet").operations() == operations
        assert read(tmp_path / "h.parquet", KNOWN.model).operations() == operations
    assert kinds == [pa.dictionary(pa.int32(), pa.string()), pa.string()]


def test_text_that_does_not_fit_into_one_array_is_kept_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Equal texts in many parts, written in parts of two rows and read in parts of three, come back as one table."""
    operations = [append(10 * i, 10 * i + 5, f"text {i % 4}") for i in range(20)]
    monkeypatch.setattr(parquet, "_MOST_CODED", 3)
    monkeypatch.setattr(parquet, "_ROWS", 2)
    monkeypatch.setattr(table, "_ROWS", 3)
    monkeypatch.setattr(coding, "MOST_BYTES", 4 * len("text 0"))
    parquet.write(History.from_operations(operations), tmp_path / "h.parquet")
    coded = sheet_of_table(tmp_path / "h.parquet", "h", KNOWN.model).columns["value"].text
    assert coded.dictionary.to_pylist() == ["text 0", "text 1", "text 2", "text 3"]
    assert read(tmp_path / "h.parquet", KNOWN.model).operations() == operations


def test_many_texts_at_once_are_those_one_by_one() -> None:
    """In any order, again and again, with what comes before them, and with a NUL at their end."""
    texts = Texts(pa.array(["a", "b\0", "", "日本"]), (None,))
    places = np.array([4, 0, 2, 2, 3, 1])
    assert texts.at(places) == [texts[place] for place in places.tolist()] == ["日本", None, "b\0", "b\0", "", "a"]


def test_a_key_is_judged_alike_whatever_comes_with_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Few or many keys at a time, in a table of Arrow's or of Python's: the same calls, and the same contradictions."""
    parquet.write(History.from_operations(keys(30, random.Random(5))), tmp_path / "h.parquet")
    told = []
    for few in (2**16, 1):
        monkeypatch.setattr(coding, "_FEW", few)
        history = read(tmp_path / "h.parquet", KNOWN.model)
        assert isinstance(history.values, Texts) == (few == 1)
        for rows in (2**14, 100, 1):
            monkeypatch.setattr(texts, "_ROWS", rows)
            calls = [(key, c.row, c.kind, c.text, c.start, c.end) for key, c in texts.by_key(history, "")]
            told.append((calls, judge(history, "", Deadline())))
    assert sum(len(row) for _, row, *_ in told[0][0]) > 1_000
    assert 5 <= len(told[0][1].keys) <= 10
    assert all(other == told[0] for other in told[1:])

"""The columnar history: the same operations again, from memory and from disk."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from counter_histories import inc, read, server, unknown
from statelab.check.kernels.levels import LEVELS, grouped_by
from statelab.core.operation import Operation, ServedBy
from statelab.record import parquet
from statelab.record.columns import INF, History

OPERATIONS = [
    Operation(
        process=3,
        op="increment",
        key="k",
        start=1200,
        end=4800,
        status="ok",
        result=17,
        op_id="a-1",
        served_by=server(12),
    ),
    Operation(
        process="3",
        op="increment",
        key="",
        start=5,
        end=None,
        status="info",
        error="HTTP 502: zu spät\n",
        timed_out=True,
    ),
    Operation(process=-1, op="read", start=60, end=60, status="ok", result=None, served_by=server(12, thread=2**46)),
    Operation(process="c", op="read", key="k", start=0, end=2**62, status="fail", error="", op_id=""),
]

TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
IDS = st.integers(0, 2**63 - 1)
SERVERS = st.builds(ServedBy, host=TEXT, pid=IDS, thread=IDS, greenlet=IDS, boot=TEXT)
ANY_OPERATION = st.builds(
    Operation,
    process=st.one_of(st.integers(-(2**63), 2**63 - 1), TEXT),
    op=TEXT,
    start=st.integers(-(2**63), 2**63 - 2),
    end=st.one_of(st.none(), st.integers(-(2**63), 2**63 - 2)),
    status=st.sampled_from(["ok", "fail", "info"]),
    key=TEXT,
    result=st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
    op_id=st.one_of(st.none(), TEXT),
    served_by=st.one_of(st.none(), SERVERS),
    error=st.one_of(st.none(), TEXT),
    timed_out=st.booleans(),
)


def test_columns_give_back_the_operations() -> None:
    """Every field of every operation comes back, in the same order."""
    assert History.from_operations(OPERATIONS).operations() == OPERATIONS


def test_parquet_gives_back_the_operations(tmp_path: Path) -> None:
    """The file keeps every field: numbers and texts as process, missing results, unknown ends and error texts."""
    parquet.write(History.from_operations(OPERATIONS), tmp_path / "h.parquet")
    assert parquet.read(tmp_path / "h.parquet").operations() == OPERATIONS


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(operations=st.lists(ANY_OPERATION, max_size=6))
def test_any_history_survives_columns_and_disk(operations: list[Operation], tmp_path: Path) -> None:
    """Whatever an operation can hold, the round trip is exact (also for no operations at all)."""
    history = History.from_operations(operations)
    parquet.write(history, tmp_path / "h.parquet")
    assert history.operations() == operations
    assert parquet.read(tmp_path / "h.parquet").operations() == operations


def test_a_history_of_several_row_groups_survives(tmp_path: Path) -> None:
    """Codes of one row group are not mistaken for those of another."""
    history = History.from_operations(OPERATIONS)
    parquet.write(history, tmp_path / "h.parquet")
    table = pq.read_table(tmp_path / "h.parquet")
    pq.write_table(table, tmp_path / "split.parquet", row_group_size=1)
    assert parquet.read(tmp_path / "split.parquet").operations() == OPERATIONS


def test_the_file_can_be_read_without_us(tmp_path: Path) -> None:
    """The columns are named as the fields are, times are int64 ns, and what is unknown is null."""
    parquet.write(History.from_operations(OPERATIONS), tmp_path / "h.parquet")
    file = pq.ParquetFile(tmp_path / "h.parquet")
    rows = file.read().to_pylist()
    assert [row["end"] for row in rows] == [4800, None, 60, 2**62]
    assert [row["process"] for row in rows] == ["3", '"3"', "-1", '"c"']
    assert [row["pid"] for row in rows] == [12, None, 12, None]
    assert str(file.schema_arrow.field("start").type) == "int64"
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"


@pytest.mark.parametrize("rows", [np.array([3, 0]), np.array([True, False, False, True]), slice(1, 3)])
def test_take_keeps_rows_whole(rows: np.ndarray | slice) -> None:
    """Rows taken by index, by mask or by slice are the operations that were there."""
    history = History.from_operations(OPERATIONS)
    wanted = np.arange(4)[rows].tolist()
    assert history.take(rows).operations() == [OPERATIONS[row] for row in wanted]


def test_operations_of_some_rows() -> None:
    """Single operations can be had without making all of them."""
    assert History.from_operations(OPERATIONS).operations([2, 0]) == [OPERATIONS[2], OPERATIONS[0]]


def test_an_unknown_end_is_later_than_everything() -> None:
    """An operation without an answer may take effect at any later time."""
    assert History.from_operations([unknown(5)]).end.tolist() == [INF]


def test_each_level_parts_the_rows_finer() -> None:
    """Host, process (boot), thread, greenlet, request: each groups what it can tell apart; -1 is an unknown server."""
    history = History.from_operations(
        [
            inc(0, 1, 1, server(1, 1, host="a")),
            inc(0, 1, 1, server(1, 2, host="a")),
            inc(0, 1, 1, server(2, 1, 7, host="a")),
            inc(0, 1, 1, server(2, 1, 8, host="a")),
            inc(0, 1, 1, server(1, 1, host="b")),
            unknown(0),
            read(5, 6, 1, server(1, 1, host="a")),
        ]
    )
    assert {level: grouped_by(history, level).tolist() for level in LEVELS} == {
        "whole": [0, 0, 0, 0, 0, 0, 0],
        "host": [0, 0, 0, 0, 1, -1, 0],
        "process": [0, 0, 1, 1, 2, -1, 0],
        "thread": [0, 1, 2, 2, 3, -1, 0],
        "greenlet": [0, 1, 2, 3, 4, -1, 0],
        "request": [0, 1, 2, 3, 4, -1, 6],
    }


def test_a_restarted_process_is_another_one() -> None:
    """The same pid with a new boot id is a new process, with nothing kept from the old one."""
    old, new = (ServedBy(host="a", pid=7, thread=7, greenlet=0, boot=boot) for boot in ("x", "y"))
    history = History.from_operations([inc(0, 1, 1, old), inc(2, 3, 1, new)])
    assert grouped_by(history, "process").tolist() == [0, 1]

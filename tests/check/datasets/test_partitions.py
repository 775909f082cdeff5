"""How a dataset is cut: ranges of buckets, groups of rows; and the dataset by which it is measured."""

from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from benchmarks import dataset_of_registers
from benchmarks.scale import Checked, fitted, goals

from parts_of_datasets import part
from statelab.check.dataset import FACTOR, LIBRARIES, Limits, check_dataset, ranges_of, size_in_words
from statelab.check.file import Verdict, check_file
from statelab.check.parts import Dataset, Piece, look_at
from statelab.check.shuffle import BUCKETS, bucket_of
from statelab.check.workers import InThisProcess
from statelab.core.errors import BadInput
from statelab.record.coding import Column, pa


def test_neighbouring_buckets_are_put_together_as_far_as_they_fit() -> None:
    """The fourth is too large for any worker, and stands alone; empty ones are nowhere."""
    sizes = np.array([3, 0, 4, 5, 90, 1, 0])
    assert ranges_of(sizes, 10) == [(0, 3), (3, 4), (4, 5), (5, 6)]
    assert ranges_of(np.zeros(7, np.int64), 10) == []


def test_a_key_has_one_bucket_wherever_it_is_read() -> None:
    """Plain or coded, with others or alone; a row without a key is one of the empty key."""
    plain = Column.of_texts(pa.array(["a", None, "b", "a", ""]))
    coded = Column.of_texts(pa.array(["b", "a"]).dictionary_encode())
    a, none, b, again, empty = bucket_of(plain, 5).tolist()
    assert (a, none) == (again, empty)
    assert bucket_of(coded, 2).tolist() == [b, a]
    assert bucket_of(None, 1).tolist() == [none]


@pytest.mark.parametrize("names", [[f"key-{n}" for n in range(200_000)], [str(n * 1_000) for n in range(200_000)]])
def test_keys_are_spread_over_the_buckets(names: list[str]) -> None:
    """Twelve a bucket on average: none has more than forty, as chance would have it."""
    counts = np.bincount(bucket_of(Column.of_texts(pa.array(names)), len(names)), minlength=BUCKETS)
    assert counts.max() <= 40


def test_pieces_are_whole_groups_of_rows() -> None:
    """Small parts go together, large ones are divided; the order is that of the parts."""
    a, b, c = (Path(name) for name in "abc")
    dataset = Dataset("d", (a, b, c), ((2,), (2, 9, 1), (1,)), None, 64.0)
    assert dataset.pieces(5) == [
        (Piece(0, a, (0,), 2), Piece(1, b, (0,), 2)),
        (Piece(1, b, (1,), 9),),
        (Piece(1, b, (2,), 1), Piece(2, c, (0,), 1)),
    ]
    assert len(dataset) == 15


def test_a_column_without_anything_in_it_agrees_with_any(tmp_path: Path) -> None:
    usual = {"process": 1, "op": "write", "value": 1, "start": 1, "end": 2, "status": "ok"}
    part(tmp_path / "d" / "a.parquet", {**usual, "key": None})
    part(tmp_path / "d" / "b.parquet", {**usual, "key": "k"})
    assert len(look_at(tmp_path / "d")) == 2


def test_a_client_that_is_too_large_is_said_with_what_is_enough(tmp_path: Path) -> None:
    """Its operations are looked at together, over all keys."""
    usual = {"process": 1, "op": "write", "value": 1, "status": "ok"}
    part(
        tmp_path / "d" / "a.parquet", *({**usual, "key": str(n), "start": 2 * n, "end": 2 * n + 1} for n in range(100))
    )

    def judged(memory: int) -> Verdict:
        (shuffle := tmp_path / str(memory)).mkdir()
        return check_dataset(
            look_at(tmp_path / "d"),
            InThisProcess(),
            shuffle,
            model="register",
            limits=Limits(memory=memory),
            progress=lambda items, text, total: iter(items),
        )

    with pytest.raises(BadInput, match=r"one process has so many operations .* --memory 256\.1MiB is enough"):
        judged(LIBRARIES + FACTOR * 1_000)
    assert judged(int(256.1 * 2**20)).verdict == "held"


@pytest.mark.parametrize(
    ("count", "said"), [(2**30, "1GiB"), (3 * 2**29, "1.5GiB"), (1, "0.1MiB"), (300 * 2**20, "300MiB")]
)
def test_sizes_are_said_as_they_are_given(count: int, said: str) -> None:
    assert size_in_words(count) == said


def test_the_dataset_of_the_bench_is_valid_and_always_the_same(tmp_path: Path) -> None:
    """What a part needs of those before it is carried on: all parts together are held."""
    with mock.patch.multiple(dataset_of_registers, PART=2_000, KEYS=50, CLIENTS=20):
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            dataset_of_registers.write(tmp_path / name, 5_000)
    one, two = ([path.read_bytes() for path in sorted((tmp_path / name).iterdir())] for name in ("one", "two"))
    assert one == two
    assert len(one) == 3
    whole = pa.concat_tables([pa.parquet.read_table(path) for path in sorted((tmp_path / "one").iterdir())])
    pa.parquet.write_table(whole, tmp_path / "whole.parquet")
    verdict = check_file(str(tmp_path / "whole.parquet"), "register", None, None)
    assert (verdict.verdict, verdict.operations, verdict.keys) == ("held", 5_000, 50)


def test_the_bench_says_what_is_reached_and_fits_a_line() -> None:
    def row(operations: int, workers: int, seconds: float) -> Checked:
        return Checked(
            operations=operations,
            workers=workers,
            seconds=seconds,
            memory=2**30,
            shuffle=8 * operations,
            size=operations,
        )

    rows = [row(10**6, 2, 1.5), row(10**7, 2, 10.5), row(10**8, 1, 180), row(10**8, 2, 100.5)]
    assert goals(rows) == [
        "memory in all: 1.00 GiB, reached (at most 4 GiB)",
        "10^8 in 0.96 of ten times 10^7, reached (at most 1.3)",
        "two workers at 100,000,000: 1.79 times as fast as one, reached (at least 1.7)",
    ]
    fixed, each = fitted([r for r in rows if r.workers == 2])
    assert (fixed, each) == (pytest.approx(1.0), pytest.approx(2e-6))

"""What reading in parts rests on: numbers beside nulls, codes in order of appearance, parts that are made ahead."""

import threading

import numpy as np
import pyarrow as pa
import pytest

from statelab.record.reading.columnar.column import plain
from statelab.record.reading.columnar.column import renumbered
from statelab.record.reading.columnar.ordered import ahead


def test_numbers_beside_nulls_also_of_a_slice() -> None:
    array = pa.array([None, 7, None, 2**62, -5, None, 9])
    assert plain(array, 0).tolist() == [0, 7, 0, 2**62, -5, 0, 9]
    assert plain(array.slice(2, 4), -1).tolist() == [-1, 2**62, -5, -1]
    assert plain(array.slice(3, 2), 0).tolist() == [2**62, -5]
    assert plain(pa.array([3, None], pa.int32()).slice(1), -1).tolist() == [-1]


@pytest.mark.parametrize("count", [3, 70_000, 200_000])
def test_codes_in_order_of_appearance_stay(count: int) -> None:
    codes = np.stack((np.arange(count), np.maximum(np.arange(count) - 5, 0)), axis=1).ravel().astype(np.int32)
    same, old = renumbered(codes, count)
    assert same is codes
    assert old.tolist() == list(range(count))


@pytest.mark.parametrize("count", [3, 70_000, 200_000])
def test_others_are_renumbered(count: int) -> None:
    codes = np.arange(count, dtype=np.int32)
    codes[-2:] = codes[-2:][::-1]
    new, old = renumbered(codes, count)
    assert new.tolist() == list(range(count))
    assert old[new].tolist() == codes.tolist()


def test_a_part_is_made_while_the_one_before_is_in_use() -> None:
    second = threading.Event()

    def parts():  # type: ignore[no-untyped-def]
        yield 1
        second.set()
        yield 2

    made = ahead(parts())
    assert next(made) == 1
    assert second.wait(10)
    assert list(made) == [2]


def test_what_making_a_part_raises_is_raised_in_its_place() -> None:
    def parts():  # type: ignore[no-untyped-def]
        yield 1
        raise ValueError("broken")

    made = ahead(parts())
    assert next(made) == 1
    with pytest.raises(ValueError, match="broken"):
        next(made)

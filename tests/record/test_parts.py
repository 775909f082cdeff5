"""What reading in parts rests on: numbers beside nulls, codes in order of appearance."""

import numpy as np
import pyarrow as pa
import pytest

from statelab.record.coding import plain, renumbered


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

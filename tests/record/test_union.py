"""Texts of several parts get one dictionary: what Arrow's hash table makes of them, whatever they are like."""

import itertools
import random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from statelab.record.reading.columnar import union

SEED = 20_261_124
LONG = "the last forty bytes of these texts are all the same, so their prints are"


@pytest.fixture
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(union, "_MANY", 8)


def texts(rng: random.Random, n: int) -> list[str | None]:
    """Ids, some of which stand again, beside all that a text may be."""
    others = [None, "", "\0", "\0\0", "ü" * 5, "x" * 8, "x" * 16, "x" * 41, f"a {LONG}", f"b {LONG}"]
    return [rng.choice(others) if rng.random() < 0.2 else f"r{rng.randrange(3 * n)}" for _ in range(n)]


def parts(given: list[str | None], rng: random.Random) -> list[Any]:
    """Slices of one array, coded each by itself; some are empty, and of those at the end nothing is known."""
    whole = pa.array(given, pa.string())
    cuts = sorted([0, len(given), *(rng.randrange(len(given) + 1) for _ in range(4))])
    slices = [whole.slice(begin, end - begin).dictionary_encode() for begin, end in itertools.pairwise(cuts)]
    return [*slices, pa.nulls(3, slices[0].type)]


@pytest.mark.usefixtures("few_are_many")
def test_what_arrow_makes_of_them() -> None:
    rng = random.Random(SEED)
    for n in [*range(30), *[300] * 30]:
        given = texts(rng, n)
        array = pa.array(given, pa.string())
        assert union.coded(array).equals(array.dictionary_encode()), given
        with_nulls = pa.array([*given, None, None, None], pa.string())
        assert union.union(parts(given, rng)).equals(with_nulls.dictionary_encode()), given


@pytest.mark.usefixtures("few_are_many")
def test_prints_that_tell_nothing_cost_time_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(union, "_prints", lambda texts: np.zeros(len(texts), np.uint64))
    test_what_arrow_makes_of_them()


@pytest.mark.usefixtures("few_are_many")
def test_more_text_than_fits_into_one_array_is_left_to_arrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands again may be all of it, and could not be put side by side."""
    monkeypatch.setattr(union, "MOST_BYTES", 0)
    monkeypatch.delattr(union, "perhaps_again")
    test_what_arrow_makes_of_them()


@pytest.mark.usefixtures("few_are_many")
def test_whether_all_are_different() -> None:
    ids = [f"r{i}" for i in range(1_000)] + [f"{i} {LONG}" for i in range(1_000)] + [""]
    assert union.all_different(pa.array(ids))
    assert union.all_different(pa.array([], pa.string()))
    for again in (ids[3], ids[1_003], ""):
        assert not union.all_different(pa.array([*ids, again]))


def test_nearly_all_that_stand_alone_are_told_by_their_prints() -> None:
    ids = [f"{kind}-{i:0{width}}" for kind in ("a", "request") for width in (1, 12, 36) for i in range(20_000)]
    few = union.perhaps_again(pa.chunked_array([ids[:70_000], ids[70_000:], ids[5:25]]))
    assert {*range(5, 25), *range(len(ids), len(ids) + 20)} <= set(few.tolist())
    assert len(few) < len(ids) // 50

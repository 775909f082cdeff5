"""Pieces of a register's history whose values repeat, and its smallest witness, against exhaustive search."""

import random
from collections.abc import Collection
from itertools import combinations

import numpy as np
from benchmarks.repeated_values import history

from agreement import forgotten, loosened
from models.known import Operations
from models.register import KNOWN, referee
from statelab.check.kernels.model import Deadline
from statelab.check.models.register.model import MODEL
from statelab.check.models.register.search import KeySearch, Requests
from statelab.record.columns import History

SEED = 20_261_125


def violated(operations: Operations, kept: Collection[int]) -> bool:
    """Whether no order explains the answers that are kept, all others forgotten."""
    piece = [o if row in kept else forgotten(o) for row, o in enumerate(operations) if row in kept or o.op != "read"]
    return not referee(piece, None)


def answered(operations: Operations) -> list[int]:
    return [row for row, o in enumerate(operations) if o.status == "ok"]


def test_pieces_agree_with_exhaustive_search() -> None:
    """One search judges many pieces one after the other; what it learned of one never makes it wrong of another."""
    rng, seen = random.Random(SEED), {True: 0, False: 0}
    draws = [lambda: loosened(KNOWN).small(rng)] * 400
    draws += [lambda: history(rng, rng.randint(10, 14)).operations()] * 80
    for draw in draws:
        operations = draw()
        columns = History.from_operations(operations, answers=MODEL.answers)
        search = KeySearch(Requests(columns, None), np.arange(len(columns)))
        for _ in range(8):
            kept = {row for row in answered(operations) if rng.random() < 0.8}
            expected = violated(operations, kept)
            seen[expected] += 1
            assert search.search(Deadline(), kept).verdict == ("violated" if expected else "held"), (operations, kept)
    assert min(seen.values()) > 500


def test_the_witness_is_the_smallest() -> None:
    """The witness of a register whose values repeat is a violation, and no part of it is: all parts are tried."""
    rng, sizes = random.Random(SEED + 1), set[int]()
    for _ in range(60):
        given = history(rng, rng.randint(10, 14))
        proof = MODEL.check(given, initial=None, deadline=Deadline()).proof
        assert proof is not None
        assert not proof.cut_short
        operations = given.operations()
        assert violated(operations, proof.rows)
        for size in range(len(proof.rows)):
            assert not any(violated(operations, part) for part in combinations(proof.rows, size)), (operations, proof)
        sizes.add(len(proof.rows))
    assert len(sizes) > 4

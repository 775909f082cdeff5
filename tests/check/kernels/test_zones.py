"""The kernel of blocks against its definition, on all pairs of a few random ones."""

import itertools
import random

import numpy as np

from statelab.check.kernels.zones import conflicts

SEED = 20_261_124


def test_every_block_that_contradicts_another_is_named() -> None:
    """The pairs contradict each other, and the blocks in them are all that contradict any."""
    rng, some = random.Random(SEED), 0
    for _ in range(5_000):
        n, latest = rng.randint(1, 7), rng.choice((6, 30))
        first_end, last_start = (np.array([rng.randrange(latest) for _ in range(n)]) for _ in range(2))
        wrong = {
            (a, b)
            for a, b in itertools.permutations(range(n), 2)
            if first_end[a] < last_start[b] and first_end[b] < last_start[a]
        }
        found = conflicts(first_end, last_start)
        pairs = list(zip(found.one.tolist(), found.other.tolist(), strict=True))
        assert set(pairs) <= wrong
        assert set(itertools.chain(*pairs)) == set(itertools.chain(*wrong))
        some += 0 < len(set(itertools.chain(*pairs))) < n
    assert some > 500

"""Earliest deadline first against maximum matching by augmenting paths, and its shortcut against its loop."""

import random
from collections import Counter

import numpy as np
import pytest

from agreement import HISTORIES
from statelab.check.kernels import matching
from statelab.check.kernels.matching import earliest_deadline_first, first_come, left_over
from statelab.record.columns import Integers

Jobs = list[tuple[int, int]]


def random_jobs(rng: random.Random, most: int = 9, places: int = 8) -> Jobs:
    """Some of them impossible from the start (high < low)."""
    jobs = []
    for _ in range(rng.randint(1, most)):
        low = rng.randint(0, places)
        jobs.append((low, low + rng.randint(-1, 4)))
    return sorted(jobs, key=lambda job: job[0])


def columns(jobs: Jobs) -> tuple[Integers, Integers]:
    low, high = np.array(jobs, np.int64).T
    return low, high


def most_placed(jobs: Jobs) -> int:
    """Kuhn's algorithm: every job in turn, moving others along an augmenting path."""
    holder: dict[int, int] = {}

    def placed(job: int, tried: set[int]) -> bool:
        low, high = jobs[job]
        for place in range(low, high + 1):
            if place not in tried:
                tried.add(place)
                if place not in holder or placed(holder[place], tried):
                    holder[place] = job
                    return True
        return False

    return sum(placed(job, set()) for job in range(len(jobs)))


def test_leaves_over_as_few_as_any_assignment() -> None:
    """On random instances, of which many leave some over, the number left over is the least possible."""
    rng, left = random.Random(1), Counter[int]()
    for _ in range(HISTORIES):
        jobs = random_jobs(rng)
        over = len(left_over(*columns(jobs)))
        assert over == len(jobs) - most_placed(jobs), jobs
        left[over] += 1
    assert min(left[0], left[1], left[2]) > HISTORIES / 20


def test_too_many_are_confined_up_to_what_is_left_over() -> None:
    """For each `high` left over there are places a..high to which more jobs are confined than there are places."""
    rng = random.Random(2)
    for _ in range(3_000):
        jobs = random_jobs(rng)
        for last in left_over(*columns(jobs)).tolist():
            excess = (sum(a <= low and high <= last for low, high in jobs) - max(last - a + 1, 0) for a in range(10))
            assert max(excess) > 0, (jobs, last)


def test_first_come_first_served_is_a_certificate() -> None:
    """Where it serves all in time the loop leaves nobody over; it often does, and often does not where the loop can."""
    rng, seen = random.Random(3), Counter[tuple[bool, bool]]()
    for _ in range(5_000):
        low, high = columns(random_jobs(rng))
        in_turn, best = bool((first_come(low) <= high).all()), not earliest_deadline_first(low, high)
        assert best or not in_turn
        seen[in_turn, best] += 1
    assert min(seen[True, True], seen[False, True], seen[False, False]) > 100


def test_it_makes_no_difference_where_a_chunk_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """With chunks of two jobs the same are left over as with one chunk for all."""
    rng = random.Random(4)
    instances = [columns(random_jobs(rng, most=30, places=20)) for _ in range(500)]
    whole = [left_over(low, high).tolist() for low, high in instances]
    monkeypatch.setattr(matching, "_CHUNK", 2)
    assert [left_over(low, high).tolist() for low, high in instances] == whole


def test_nobody_asks() -> None:
    """Without jobs nobody is left over."""
    assert left_over(np.zeros(0, np.int64), np.zeros(0, np.int64)).tolist() == []

"""What the large histories of several models share: ten clients on one key, each one request after the other."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from statelab.record.columns import INF, INFO, OK, Codes, History, Integers, Mask

CLIENTS = 10
UNANSWERED = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Requests:
    """Sorted by start, shape `(n,)` each: when they ran, the moment of their effect, whose they were, and which of them
    got no answer."""

    start: Integers
    end: Integers
    moment: Integers
    client: Codes
    silent: Mask


def requests(n: int, rng: np.random.Generator, clients: int = CLIENTS, begin: int = 0) -> Requests:
    """n requests of some hundred µs each, with short breaks; the first ones start soon after `begin` (ns)."""
    each = -(-n // clients)
    took = (rng.exponential(400_000, (clients, each)) + 50_000).astype(np.int64)
    end = begin + np.cumsum(took + rng.integers(1_000, 20_000, took.shape), axis=1)
    start = end - took
    order = np.argsort(start, axis=None)[:n]
    start, end = start.ravel()[order], end.ravel()[order]
    moment = start + ((end - start) * rng.random(n)).astype(np.int64)
    return Requests(start, end, moment, (order // each).astype(np.int32), rng.random(n) < UNANSWERED)


def counted(n: int, rng: np.random.Generator, reads: float) -> tuple[Requests, Mask, Integers]:
    """n requests to a counter, which of them only read (`reads` of 1), and the count at the moment of each. Half of the
    increments that got no answer took effect."""
    made = requests(n, rng)
    read = rng.random(n) < reads
    effective = ~read & (~made.silent | (rng.random(n) < 0.5))
    by_moment = np.argsort(made.moment)
    count = np.empty(n, np.int64)
    count[by_moment] = np.cumsum(effective[by_moment])
    return made, read, count


def columns(made: Requests, ops: tuple[str, ...], **more: Any) -> History:
    """The history of these requests; `more` are its further columns, or other ones than usual."""
    nothing = np.zeros(len(made.start), np.int32)
    usual = {
        "process": made.client,
        "op": nothing,
        "key": nothing,
        "result": np.zeros(len(nothing), np.int64),
        "has_result": np.zeros(len(nothing), np.bool_),
        "start": made.start,
        "end": np.where(made.silent, INF, made.end),
        "status": np.where(made.silent, INFO, OK).astype(np.int8),
        "served_by": nothing,
        "error": nothing,
        "op_id": nothing,
        "timed_out": np.zeros(len(nothing), np.bool_),
        "processes": tuple(range(CLIENTS)),
        "keys": ("",),
        "servers": (None,),
        "errors": (None,),
        "op_ids": (None,),
    }
    return History(**{**usual, "ops": ops, **more})

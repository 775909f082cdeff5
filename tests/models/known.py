"""The form of what the tests know of a model: a referee, random histories, smallest histories, planted defects."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from statelab.check.kernels.model import Model
from statelab.core.operation import Operation, Value

Operations = list[Operation]


@dataclass(frozen=True, kw_only=True)
class Known:
    """Each file `tests/models/<model>.py` has one as `KNOWN`.

    referee    (operations, initial) -> whether the history is valid, decided by exhaustive search or by the definition
               itself; sees one key
    small      a random history of one key with at most 7 operations, with unknown and failed outcomes; the share of
               valid ones lies between 0.3 and 0.7
    accepted   name -> a smallest valid history, readable as documentation
    rejected   name -> (a smallest violated history, kind of its proof, rows of its witness)
    large      (n, rng) -> a valid history of n operations of one key by several clients, with unknown outcomes
    defects    name -> changes a large history in one place so that it is violated; the result may be a new list
    initial    the initial value that all of them assume
    clocks     the kinds of proof that say by how much clocks would have to be wrong (none: no proof needs a clock)
    """

    model: Model
    referee: Callable[[Operations, Value | None], bool]
    small: Callable[[random.Random], Operations]
    accepted: Mapping[str, Operations]
    rejected: Mapping[str, tuple[Operations, str, list[int]]]
    large: Callable[[int, random.Random], Operations]
    defects: Mapping[str, Callable[[Operations, random.Random], Operations]]
    initial: Value | None = None
    clocks: tuple[str, ...] = ()

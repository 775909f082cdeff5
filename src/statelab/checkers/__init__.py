"""One file per model of a workload, and the kernel that they share (`order`). No I/O: history in, verdict out."""

from collections.abc import Callable

from statelab.checkers import counter
from statelab.checkers.counter import CounterVerdict

CHECKERS: dict[str, Callable[..., CounterVerdict]] = {
    "counter": counter.check,
}
"""Workload or model name -> its check function: `check(history, *, initial)`."""

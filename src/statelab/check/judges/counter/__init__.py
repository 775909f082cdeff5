"""The judge of the workload `counter`: who has a counter of their own, what got lost in each, and what proves it."""

from statelab.check.judges.counter.judge import judge

__all__ = ["judge"]

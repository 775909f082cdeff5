"""The judge of the workload `counter`: where copies of the counter are, what got lost in each, and the proof."""

from statelab.check.judges.counter.judge import judge

__all__ = ["judge"]

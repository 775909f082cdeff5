"""The judge of the workload `counter`: where copies of the counter live, what each of them lost, and the proof."""

from statelab.check.judges.counter.judge import judge

__all__ = ["judge"]

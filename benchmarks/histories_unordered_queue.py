"""Large histories of a queue without an order: those of a queue, which keeps one."""

from benchmarks.histories_queue import history, spoil

__all__ = ["history", "spoil"]

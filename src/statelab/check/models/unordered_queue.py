"""The model `unordered-queue`: a queue that gives its elements in any order; see queue/model.py."""

from statelab.check.models.queue.model import UNORDERED as MODEL

__all__ = ["MODEL"]

"""One module per workload, with the workload's name; its `judge` turns a history into a verdict."""

from typing import Protocol

from statelab.check.judges.judgement import Expectation, Judgement
from statelab.core.parts import part_of
from statelab.record.columns import History


class Judge(Protocol):
    def __call__(self, history: History, expectation: Expectation) -> Judgement:
        """The verdict of one run of a cell. Never raises for what a history holds: then the verdict is `unknown`."""


def judge_of(workload: str) -> Judge:
    """The judge of a workload. Raises BadInput naming the file that is missing."""
    judge: Judge = part_of(workload, __name__, "judge").judge
    return judge

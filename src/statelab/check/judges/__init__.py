"""One module per workload, of the workload's own name, whose `judge` turns a history into a verdict."""

from importlib import import_module
from typing import Protocol

from statelab.check.judges.coverage import Expectation
from statelab.check.judges.judgement import Judgement
from statelab.core.errors import BadInput
from statelab.record.columns import History


class Judge(Protocol):
    def __call__(self, history: History, expectation: Expectation) -> Judgement:
        """The verdict of one run of a cell. Never raises for what a history holds: then the verdict is `unknown`."""


def judge_of(workload: str) -> Judge:
    """The judge of a workload. Raises BadInput naming the file that is missing."""
    name = workload.replace("-", "_")
    try:
        judge: Judge = import_module(f"{__name__}.{name}").judge
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}.{name}":
            raise
        raise BadInput(
            f"nobody judges the workload {workload}: src/statelab/check/judges/{name}.py with a `judge` is missing"
        ) from None
    return judge

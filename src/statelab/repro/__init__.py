"""Anomalies on demand: a request is held between its read and its write, another let through, and the first let go.

In: the catalogue, a running deployment, and a workload's schedules, in the file of its name. Out: what was played, as
the judge of the workload judges it.
"""

from statelab.core.parts import part_of
from statelab.repro.schedule import Script


def script_of(workload: str) -> Script:
    """The schedules that show a workload's faults. Raises BadInput naming the file that is missing."""
    script: Script = part_of(workload, __name__, "SCRIPT").SCRIPT
    return script

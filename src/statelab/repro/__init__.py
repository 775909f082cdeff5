"""Anomalies on demand: one request is held between its read and its write until another has run.

In: the catalogue, a running deployment, and the schedules of a workload, which stand in the file with its name. Out:
what happened, and the verdict of the workload's judge. `live` shows it while it happens: beside Locust, and on the
front page.
"""

from statelab.core.parts import part_of
from statelab.repro.schedule import Script


def script_of(workload: str) -> Script:
    """The schedules that show a workload's faults. Raises BadInput naming the file that is missing."""
    script: Script = part_of(workload, __name__, "SCRIPT").SCRIPT
    return script

"""Anomalies on demand: a request is held between its read and its write, another let through, and the first let go."""

from statelab.repro import counter
from statelab.repro.schedule import Script

SCRIPTS: dict[str, Script] = {
    "counter": counter.SCRIPT,
}
"""Workload -> the schedules of its anomalies."""

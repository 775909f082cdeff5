"""Anomalies on demand: a request is held between its read and its write, another let through, and the first let go."""

from statelab.repro import counter
from statelab.repro import inventory
from statelab.repro import rate_limit
from statelab.repro import request_scope
from statelab.repro.schedule import Script

SCRIPTS: dict[str, Script] = {
    "counter": counter.SCRIPT,
    "request-scope": request_scope.SCRIPT,
    "inventory": inventory.SCRIPT,
    "rate-limit": rate_limit.SCRIPT,
}
"""Workload -> the schedules that show its faults."""

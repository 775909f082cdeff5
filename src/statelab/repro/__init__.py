"""Anomalies on demand: a request is held between its read and its write, another let through, and the first let go."""

from statelab.repro import cache
from statelab.repro import connection
from statelab.repro import counter
from statelab.repro import inventory
from statelab.repro import lock
from statelab.repro import once
from statelab.repro import rate_limit
from statelab.repro import request_scope
from statelab.repro import session
from statelab.repro import unique_id
from statelab.repro.schedule import Script

SCRIPTS: dict[str, Script] = {
    "counter": counter.SCRIPT,
    "unique-id": unique_id.SCRIPT,
    "request-scope": request_scope.SCRIPT,
    "lock": lock.SCRIPT,
    "inventory": inventory.SCRIPT,
    "rate-limit": rate_limit.SCRIPT,
    "cache": cache.SCRIPT,
    "session": session.SCRIPT,
    "once": once.SCRIPT,
    "connection": connection.SCRIPT,
}
"""Workload -> the schedules that show its faults."""

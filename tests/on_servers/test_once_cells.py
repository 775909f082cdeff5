"""Work that must be done once, under load on real servers: each deployment shows or hides what the theory says."""

from pathlib import Path

import pytest

from program import Statelab
from program import measured

pytestmark = pytest.mark.process

HELD: list[str] = []
TWICE = ["ran-n-times"]
NEVER = ["never-ran"]

SHOWN = {
    "sync": {
        "idempotency-dict": HELD,
        "idempotency-redis-naive": HELD,
        "lazy-init": HELD,
        "apscheduler-every-worker": HELD,
    },
    "sync-4": {
        "idempotency-dict": TWICE,
        "idempotency-redis-naive": TWICE,
        "idempotency-redis-set-nx": HELD,
        "idempotency-postgres-unique": HELD,
        "lazy-init": TWICE,
        "lazy-init-file-lock": HELD,
        "lazy-init-redis-lock": HELD,
        "apscheduler-add-job": HELD,
        "apscheduler-every-worker": TWICE,
        "apscheduler-leader-file": HELD,
        "apscheduler-leader": HELD,
        "apscheduler-leader-postgres": HELD,
    },
    "sync-4-preload": {
        "lazy-init": TWICE,
        "apscheduler-add-job": NEVER,
        "apscheduler-every-worker": TWICE,
        "apscheduler-leader-file": HELD,
        "apscheduler-leader": HELD,
        "apscheduler-leader-postgres": HELD,
    },
}


def test_what_ran_twice_or_never_is_shown(statelab: Statelab, tmp_path: Path) -> None:
    """The same code is right on one deployment, runs again on the next, and never on the third."""
    shows = {(mechanism, deployment): names for deployment, row in SHOWN.items() for mechanism, names in row.items()}
    cells = measured(statelab, tmp_path, "--workload", "once", "--deployment", ",".join(SHOWN), shows=shows)
    assert {place: cells[place]["anomalies"] for place in shows} == shows
    assert all(cell["verdict"] in ("held", "violated") for cell in cells.values())

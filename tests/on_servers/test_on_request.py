"""A deployment on request whose workers are replaced. (`make report PROFILE=on-request` measures all of them.)"""

from pathlib import Path

import pytest

from program import Statelab
from program import measured
from statelab.plan.deployments import ON_REQUEST

RECYCLED = "sync-recycling"


@pytest.mark.process
def test_what_a_replaced_worker_takes_along_and_leaves(statelab: Statelab, tmp_path: Path) -> None:
    """Work that it would have done later is not done; what it prepared in an inherited session stays."""
    broken = {
        "apscheduler-every-worker": ["never-ran"],
        "postgres-before-fork": ["broken-connection"],
        "postgres-pool-before-fork": ["broken-connection"],
    }
    whole = ["apscheduler-leader", "apscheduler-leader-file", "redis-before-fork", "postgres-pool"]
    shows = {(name, RECYCLED): names for name, names in (broken | {name: [] for name in whole}).items()}
    options = ["--profile", ON_REQUEST, "--deployment", RECYCLED, "--mechanism", ",".join([*broken, *whole])]
    cells = measured(statelab, tmp_path, *options, shows=shows)
    assert {place: cell["anomalies"] for place, cell in cells.items()} == shows

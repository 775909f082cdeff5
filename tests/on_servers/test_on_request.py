"""The deployments on request, measured in all workloads: no cell is violated where held is predicted."""

from pathlib import Path

import pytest

from program import Statelab
from program import results
from statelab.core.paths import DEPLOYMENTS
from statelab.plan.deployments import ON_REQUEST
from statelab.plan.deployments import load_all
from statelab.plan.profiles import SEED

RECYCLED = "sync-recycling"


@pytest.mark.process
def test_every_workload_is_as_predicted(statelab: Statelab, tmp_path: Path) -> None:
    """The telling mechanisms of each workload: whatever breaks was predicted to break. (`make report
    PROFILE=on-request` measures all mechanisms.)"""
    names = ",".join(name for names in SEED.values() for name in names)
    done = statelab("run", "--profile", ON_REQUEST, "--engine", "local", "--mechanism", names)
    assert done.returncode == 0, done.stdout + done.stderr
    cells = results(tmp_path)["cells"]
    assert {cell["workload"] for cell in cells} == set(SEED)
    assert {cell["deployment"] for cell in cells} == set(load_all(DEPLOYMENTS / ON_REQUEST))
    assert [cell for cell in cells if cell["verdict"] == "violated" and not cell["predicted"]] == []


@pytest.mark.process
def test_what_a_replaced_worker_takes_along_and_leaves(statelab: Statelab, tmp_path: Path) -> None:
    """Work that it would have done later is not done; what it prepared in an inherited session stays."""
    broken = {
        "apscheduler-every-worker": ["never-ran"],
        "postgres-before-fork": ["broken-connection"],
        "postgres-pool-before-fork": ["broken-connection"],
    }
    whole = ["apscheduler-leader", "apscheduler-leader-file", "redis-before-fork", "postgres-pool"]
    options = ["--deployment", RECYCLED, "--mechanism", ",".join([*broken, *whole])]
    done = statelab("run", "--profile", ON_REQUEST, "--engine", "local", *options)
    assert done.returncode == 0, done.stdout + done.stderr
    seen = {cell["mechanism"]: cell["anomalies"] for cell in results(tmp_path)["cells"]}
    assert seen == broken | {name: [] for name in whole}

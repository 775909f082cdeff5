"""Locks under load on real servers: each deployment shows or hides what the theory says."""

from pathlib import Path

import pytest

from program import Statelab
from program import measured

pytestmark = pytest.mark.process

SHOWN = {
    ("threading-lock", "gthread"): [],
    ("threading-lock", "sync-4"): ["two-holders"],
    ("multiprocessing-lock", "sync-4"): ["two-holders"],
    ("multiprocessing-lock", "sync-4-preload"): [],
    ("file-flock", "sync-4"): [],
    ("memcached-add", "sync-4"): [],
    ("memcached-add-noreply", "sync"): [],
    ("memcached-add-noreply", "sync-4"): ["two-holders"],
    ("redis-lock", "sync-4"): [],
    ("redis-lock-short-lease", "sync"): [],
    ("redis-lock-short-lease", "gthread"): ["two-holders"],
    ("redis-lock-fencing", "gthread"): [],
    ("postgres-advisory-lock", "sync-4"): [],
}


def test_two_holders_are_shown_where_they_are_predicted(statelab: Statelab, tmp_path: Path) -> None:
    """The same code is right on one deployment and lets two in on the next."""
    deployments = ",".join(dict.fromkeys(deployment for _, deployment in SHOWN))
    cells = measured(statelab, tmp_path, "--workload", "lock", "--deployment", deployments, shows=SHOWN)
    assert {place: cells[place]["anomalies"] for place in SHOWN} == SHOWN
    assert all(cell["verdict"] in ("held", "violated") for cell in cells.values())

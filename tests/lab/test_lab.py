"""The lab end to end on real servers, as local processes: what it must show."""

from pathlib import Path

import pytest

from program import Statelab, measured

pytestmark = pytest.mark.process

SHOWN = {
    ("module-global", "gthread"): ["lost-update"],
    ("module-global", "sync-4"): ["divergent"],
    ("module-global", "dev-processes"): ["never-persists"],
    ("gunicorn-stash", "sync-4"): ["lost-update"],
    ("gunicorn-stash", "dev-processes"): [],
    ("redis-incr", "sync-4"): [],
}


def test_the_table(statelab: Statelab, tmp_path: Path) -> None:
    """The program measures it, the theory agrees, and the run renders again without servers. (Many more cells are in
    tests/on_servers/test_under_load.py.)"""
    mechanisms, deployments = ({place[n]: None for place in SHOWN} for n in (0, 1))
    options = ["--mechanism", ",".join(mechanisms), "--deployment", ",".join(deployments), "--window", "io"]
    cells = measured(statelab, tmp_path, "--workload", "counter", *options, shows=SHOWN)
    assert {place: cells[place]["anomalies"] for place in SHOWN} == SHOWN
    assert all(cell["verdict"] in ("held", "violated", "unavailable") for cell in cells.values())
    lost = cells["module-global", "gthread"]
    assert lost["lost"]["min"] > 0
    assert len(lost["witness"]["operations"]) == 2
    assert lost["coverage"]["overlaps"] > 0
    stash = cells["gunicorn-stash", "dev-processes"]
    assert stash["verdict"] == "unavailable"
    assert "werkzeug" in stash["reason"]
    log = (tmp_path / "latest" / "recordings" / "locust.log").read_text()
    assert log.count("Aggregated") <= 2, "Locust's tables grow with each cell; the one at the end is enough"
    before = (tmp_path / "latest" / "results.csv").read_bytes()
    again = statelab("report", str(tmp_path / "latest"))
    assert again.returncode == 0
    assert (tmp_path / "latest" / "results.csv").read_bytes() == before

"""Shops and limits on real servers: which deployment hides what is wrong with them, and which shows it."""

from pathlib import Path

import pytest

from program import Statelab
from program import measured

pytestmark = pytest.mark.process

SHOWN = {
    "inventory": {
        ("module-global-lock", "sync"): [],
        ("module-global-lock", "gthread"): [],
        ("module-global-lock", "sync-4"): ["oversold"],
        ("sqlite-for-update", "sync"): [],
        ("sqlite-for-update", "gthread"): ["oversold"],
        ("sqlite-for-update", "sync-4"): ["oversold"],
        ("redis-lock-short-lease", "sync"): [],
        ("redis-lock-short-lease", "gthread"): ["oversold"],
        ("redis-lock-short-lease", "sync-4"): ["oversold"],
        **{
            (mechanism, deployment): []
            for mechanism in ("sqlite-conditional-update", "postgres-constraint")
            for deployment in ("sync", "gthread", "sync-4")
        },
    },
    "rate-limit": {
        ("flask-limiter-memory", "sync"): [],
        ("flask-limiter-memory", "gthread"): ["over-refused"],
        ("flask-limiter-memory", "sync-4"): ["over-limit"],
        ("redis-get-set", "sync"): [],
        ("redis-get-set", "gthread"): ["over-limit"],
        ("redis-get-set", "sync-4"): ["over-limit"],
        ("flask-limiter-redis", "sync"): [],
        ("flask-limiter-redis", "gthread"): [],
        ("flask-limiter-redis", "sync-4"): [],
    },
}


@pytest.mark.parametrize("workload", SHOWN)
def test_hidden_here_shown_there(statelab: Statelab, tmp_path: Path, workload: str) -> None:
    """One process and one thread hide every fault; the fixes hold everywhere; nothing else is seen than predicted."""
    expected = SHOWN[workload]
    mechanisms, deployments = (",".join(dict.fromkeys(names)) for names in zip(*expected, strict=True))
    options = ["--workload", workload, "--mechanism", mechanisms, "--deployment", deployments]
    cells = measured(statelab, tmp_path, *options, shows=expected)
    assert {place: cell["anomalies"] for place, cell in cells.items()} == expected
    assert {cell["verdict"] for cell in cells.values() if not cell["anomalies"]} == {"held"}
    assert all(cell["witness"]["text"] for cell in cells.values() if cell["anomalies"])

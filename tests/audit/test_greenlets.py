"""Between, as gevent does it: another greenlet gets in where the first one enters the hub, and nowhere else."""

from pathlib import Path

import pytest
from small_apps import HEAD

from statelab.audit import audit
from statelab.audit.explore import Explorer
from statelab.core.paths import DEPLOYMENTS
from statelab.plan.deployments import load_all

SLEEPING = """
stock = {"left": 1}
@app.post("/buy")
def buy():
    left = stock["left"]
    if left < 1:
        return "sold out", 409
    time.sleep(0.01)
    stock["left"] = left - 1
    return "sold"
"""
LOCKED = SLEEPING.replace("def buy():", "def buy():\n  with lock:").replace(
    "stock =", "lock = threading.Lock()\nstock ="
)
WITHOUT_A_SWITCH = SLEEPING.replace("    time.sleep(0.01)\n", "")


def lost_updates(folder: Path, source: str) -> tuple[set[str], str]:
    """Deployments under which a sale is lost, and what is said of gevent."""
    (folder / "shop.py").write_text(HEAD + source)
    (folder / "story.http").write_text("POST /buy")
    found = audit("shop:app", [folder / "story.http"], folder=folder, jobs=1)
    assert found.verdicts["gevent-late-patch"].verdict == "not-exercised"  # where it lets others in was not tried
    standard = load_all(DEPLOYMENTS)
    under = {name for name in standard if "lost-update" in found.verdicts[name].anomalies}
    return under, found.verdicts["gevent"].verdict


@pytest.mark.process
@pytest.mark.parametrize(
    ("source", "under", "verdict"),
    [
        (SLEEPING, {"dev-threaded", "gthread", "gthread-2x4", "gevent", "gevent-2"}, "violated"),
        (LOCKED, set(), "not-seen"),
        (WITHOUT_A_SWITCH, {"dev-threaded", "gthread", "gthread-2x4"}, "not-seen"),
    ],
)
def test_check_then_act(source: str, under: set[str], verdict: str, tmp_path: Path) -> None:
    assert lost_updates(tmp_path, source) == (under, verdict)


@pytest.mark.process
def test_without_gevent_nothing_is_said_of_greenlets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Explorer, "has_gevent", False)
    under, verdict = lost_updates(tmp_path, LOCKED)
    assert (under, verdict) == (set(), "not-exercised")

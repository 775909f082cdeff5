"""The workload `request-scope`: what the theory says of it, and what real servers show."""

import json
import urllib.request
from pathlib import Path

import pytest

from offered import offered
from statelab.core.paths import DEPLOYMENTS
from statelab.deploy.local import LocalEngine
from statelab.plan.app import App
from statelab.plan.deployments import load_all, read
from statelab.theory.rule import predict

DEPLOYED = load_all(DEPLOYMENTS)
OVERLAP, RESIDUE = "leak-overlap", "leak-residue"
BY_THREAD = {
    "dev-single": {RESIDUE},
    "dev-threaded": set[str](),
    "dev-processes": set[str](),
    "sync": {RESIDUE},
    "sync-4": {RESIDUE},
    "sync-4-preload": {RESIDUE},
    "gthread": {RESIDUE},
    "gthread-2x4": {RESIDUE},
    "gevent": set[str](),
    "gevent-2": set[str](),
}
BY_PROCESS = BY_THREAD | {
    name: {OVERLAP, RESIDUE} for name in ("dev-threaded", "gthread", "gthread-2x4", "gevent", "gevent-2")
}
EXPECTED = {
    "flask-g": {name: set[str]() for name in BY_THREAD},
    "flask-g-lasting-context": BY_THREAD | {"gthread": set(), "gthread-2x4": set()},
    "context-var": BY_THREAD,
    "thread-local": BY_THREAD,
    "module-global": BY_PROCESS,
    "app-attribute": BY_PROCESS,
    "flask-caching-page": BY_PROCESS,
}


def test_the_rule_gives_the_table() -> None:
    """The claims beside the code, by the one rule, for every mechanism under every deployment."""
    workload = offered().workloads["request-scope"]
    predicted = {
        name: {
            deployment: set(predict(mechanism.claims, DEPLOYED[deployment], "io", workload.shows).anomalies)
            for deployment in BY_THREAD
        }
        for name, mechanism in workload.mechanisms.items()
    }
    assert predicted == EXPECTED


def _leaves_behind(url: str, mechanism: str) -> bool:
    """Whether a request finds what one before it has stored."""
    path = f"{url}/request-scope/{mechanism}"
    ask = urllib.request.Request(f"{path}/echo?key=patch&window=io&value=first", method="POST")
    assert json.load(urllib.request.urlopen(ask, timeout=5))["result"] == "first"
    return bool(json.load(urllib.request.urlopen(f"{path}/find?key=patch&value=mine", timeout=5))["result"] == "first")


@pytest.mark.process
@pytest.mark.parametrize(("patch", "leaks"), [("early", False), ("late", True), ("never", True)])
def test_gevent_patched_early_late_and_not_at_all(patch: str, leaks: bool, tmp_path: Path) -> None:
    """A `threading.local` made before gevent patches is one for all greenlets; a `ContextVar` is each one's own."""
    path = tmp_path / "gevent-patched.env"
    path.write_text(f"# preloaded\nSERVER=gunicorn\nWORKER_CLASS=gevent\nPRELOAD=1\nGEVENT_PATCH={patch}\n")
    engine = LocalEngine(App(workloads=("request-scope",)))
    try:
        engine.up(read([path]))
        url = engine.url("gevent-patched")
        assert _leaves_behind(url, "thread-local") == leaks
        assert not _leaves_behind(url, "context-var")
    finally:
        engine.down()

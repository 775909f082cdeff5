"""Two hosts behind a real balancer, in turn and by cookie: one start of both for all tests of this file."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from offered import offered
from statelab.check.assess import assess
from statelab.core.cookies import Jar
from statelab.core.paths import DEPLOYMENTS
from statelab.core.results import CellKey
from statelab.deploy.local import LocalEngine
from statelab.drive.campaign import Campaign
from statelab.drive.survival import Survey
from statelab.plan.app import App
from statelab.plan.deployments import load_all
from statelab.plan.manifest import Manifest
from statelab.plan.profiles import PROFILES
from statelab.record.run_folder import RunFolder
from statelab.repro.gates import ENVIRONMENT, Gates
from statelab.repro.outcome import reproduce
from statelab.repro.targets import played, targets

pytestmark = pytest.mark.process

TURNS, STICKY = "replicas-2-round-robin", "replicas-2-sticky"
DEPLOYED = {name: found for name, found in load_all(DEPLOYMENTS, (TURNS, STICKY)).items() if name in (TURNS, STICKY)}

SHOWS = {
    ("counter", "file-flock"): ({"divergent"}, {"divergent"}),
    ("counter", "redis-incr"): (set[str](), set[str]()),
    ("lock", "file-flock"): ({"two-holders"}, {"two-holders"}),
    ("once", "lazy-init-file-lock"): ({"ran-n-times"}, {"ran-n-times"}),
    ("session", "cookie-id-redis"): (set[str](), set[str]()),
}
"""What is seen in turn, and what by cookie."""


class Started(LocalEngine):
    """An engine that is up already, and stays so when a run ends."""

    def up(self, deployments: Any) -> None:
        if not self._deployments:
            super().up(deployments)


@pytest.fixture(scope="module")
def engine() -> Iterator[Started]:
    engine = Started(App(workloads=("counter", "lock", "once", "session")), ENVIRONMENT)
    try:
        engine.up(list(DEPLOYED.values()))
        assert not engine.reasons()
        yield engine
    finally:
        engine.down()


def hosts(engine: LocalEngine, deployment: str, jar: Jar | None = None) -> list[str]:
    """Who serves six requests, one after the other, of one client that keeps cookies, or of six without any."""
    found = []
    for _ in range(6):
        asked = urllib.request.Request(f"{engine.url(deployment)}/healthz", headers=jar.headers() if jar else {})
        with urllib.request.urlopen(asked, timeout=10) as answer:
            found.append(json.loads(answer.headers["X-Served-By"])["host"])
            if jar:
                jar.take(answer.headers.get_all("Set-Cookie") or ())
    return found


def test_who_serves_a_client(engine: Started) -> None:
    """Every answer names its host. In turn each client comes to both, by cookie it stays where it came first."""
    assert {*hosts(engine, TURNS)} == {*hosts(engine, TURNS, Jar())} == {f"{TURNS}-1", f"{TURNS}-2"}
    assert {*hosts(engine, STICKY)} == {f"{STICKY}-1", f"{STICKY}-2"}
    assert len({*hosts(engine, STICKY, Jar())}) == 1


def test_what_is_seen_under_load(engine: Started, tmp_path: Path) -> None:
    """Files, locks and work of one host are double; a session in files is forgotten in turn, and kept by cookie."""
    pairs = [*SHOWS, ("session", "flask-session-filesystem")]
    manifest = Manifest(
        started="",
        profile=PROFILES["replicas"],
        engine=engine.name,
        engine_reason="",
        seed=1,
        token="t",
        runs=1,
        cells=[
            CellKey(workload=workload, mechanism=mechanism, deployment=deployment, window="io")
            for workload, mechanism in pairs
            for deployment in DEPLOYED
        ],
        catalogue=offered(),
        deployments=list(DEPLOYED.values()),
        machine={},
    )
    folder = RunFolder(tmp_path)
    Campaign(manifest, folder, engine, lambda cells, _: cells).measure()
    found = {(cell.workload, cell.mechanism, cell.deployment): cell for cell in assess(folder).cells}
    assert all({*cell.anomalies} <= {*cell.predicted} for cell in found.values())
    for (workload, mechanism), (turns, sticky) in SHOWS.items():
        cells = found[workload, mechanism, TURNS], found[workload, mechanism, STICKY]
        assert [{*cell.anomalies} for cell in cells] == [turns, sticky], (workload, mechanism)
        assert [cell.verdict for cell in cells] == ["violated" if turns else "held"] * 2
    sessions = [found["session", "flask-session-filesystem", name] for name in (TURNS, STICKY)]
    assert ["logged-out" in cell.anomalies for cell in sessions] == [True, False]


@pytest.mark.parametrize("deployment", DEPLOYED)
@pytest.mark.parametrize(
    ("cell", "anomaly"),
    [
        ("counter/file-flock", "divergent"),
        ("counter/redis-get-set", "lost-update"),
        ("session/flask-session-redis", "logout-undone"),
    ],
)
def test_shown_on_demand(engine: Started, deployment: str, cell: str, anomaly: str) -> None:
    """With and without a gate, with many clients and with one browser: a balancer keeps none of it back."""
    chosen = played(targets(offered(), DEPLOYED, cell, [deployment]))
    target = next(target for target in chosen if target.anomaly == anomaly)
    outcome = reproduce(target, engine, Gates(engine.url(TURNS)))
    assert anomaly in outcome.judgement.anomalies, outcome


def test_the_host_goes_away(engine: Started) -> None:
    """What sticky sessions hide until then: only what another host has as well is left. A restart brings both back."""
    survey = Survey(engine, DEPLOYED[STICKY], ["redis-incr", "file-flock", "module-global"], offered())
    assert {tried.mechanism: (tried.kept, tried.agrees) for tried in survey.measure()} == {
        "redis-incr": (True, True),
        "file-flock": (False, True),
        "module-global": (False, True),
    }
    assert len({*hosts(engine, STICKY)}) == 1
    engine.restart(STICKY)
    assert len({*hosts(engine, STICKY)}) == 2

"""Reproductions on real servers: one local lab with gates for all tests of this folder that need it."""

from collections.abc import Iterator

import pytest

from offered import offered
from reproducing import Find, Reproduce
from statelab.core.paths import DEPLOYMENTS
from statelab.deploy.local import LocalEngine
from statelab.plan.catalogue import Catalogue
from statelab.plan.deployments import Deployment, load_all
from statelab.repro.gates import ENVIRONMENT, Gates, gates_host
from statelab.repro.outcome import reproduce
from statelab.repro.targets import Target, played, targets

ON_REQUEST = ("uwsgi-threads", "uwsgi-4", "mod_wsgi-2x4")


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return offered()


@pytest.fixture(scope="session")
def deployments() -> dict[str, Deployment]:
    return load_all(DEPLOYMENTS, ON_REQUEST)


@pytest.fixture(scope="session")
def find(catalogue: Catalogue, deployments: dict[str, Deployment]) -> Find:
    """The target of `workload/mechanism` under a deployment; of one that shows several anomalies, that of one."""

    def one(cell: str, deployment: str, anomaly: str | None = None) -> Target:
        found = played(targets(catalogue, deployments, cell, [deployment]))
        (target,) = [target for target in found if anomaly in (None, target.anomaly)]
        return target

    return one


@pytest.fixture(scope="session")
def play(deployments: dict[str, Deployment]) -> Iterator[Reproduce]:
    """Reproduces a target on real servers."""
    names = ("sync", "sync-4", "gthread", "gthread-2x4", "gevent-2", *ON_REQUEST)
    holder = gates_host(deployments)
    engine = LocalEngine(environment=ENVIRONMENT)
    try:
        engine.up([*(deployments[name] for name in names), holder])
        gates = Gates(engine.url(holder.name))
        yield lambda target: reproduce(target, engine, gates)
    finally:
        engine.down()

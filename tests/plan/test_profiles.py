"""What the profiles measure: quick teaches every promise, each by something that breaks and something that holds."""

import pytest

from offered import offered
from statelab.core.paths import DEPLOYMENTS
from statelab.core.results import CellKey
from statelab.plan.catalogue import Catalogue
from statelab.plan.deployments import load_all
from statelab.plan.matrix import Selection
from statelab.plan.matrix import select
from statelab.plan.profiles import PROFILES
from statelab.theory.rule import predict

DEPLOYED = load_all(DEPLOYMENTS)
EVERYTHING = Selection(workloads=[], mechanisms=[], deployments=[], windows=[])


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return offered()


def broken(cell: CellKey, catalogue: Catalogue) -> bool:
    workload = catalogue.workloads[cell.workload]
    claims = workload.mechanisms[cell.mechanism].claims
    return bool(predict(claims, DEPLOYED[cell.deployment], cell.window, workload.shows).anomalies)


def test_quick_names_what_there_is(catalogue: Catalogue) -> None:
    """Each mechanism and deployment of its tables has cells, and every workload has some."""
    profile = PROFILES["quick"]
    cells = select(catalogue, DEPLOYED, profile, EVERYTHING)
    assert profile.mechanisms
    assert profile.deployments
    assert {(cell.workload, cell.mechanism) for cell in cells} == {
        (workload, name) for workload, names in profile.mechanisms.items() for name in names
    }
    assert {(cell.workload, cell.deployment) for cell in cells} == {
        (workload, name) for workload, names in profile.deployments.items() for name in names
    }
    assert {cell.workload for cell in cells} == catalogue.workloads.keys()


def test_quick_shows_both_sides_of_every_promise(catalogue: Catalogue) -> None:
    """Of each workload one mechanism is predicted to break somewhere, and another one nowhere."""
    cells = select(catalogue, DEPLOYED, PROFILES["quick"], EVERYTHING)
    for workload in catalogue.workloads:
        own = [cell for cell in cells if cell.workload == workload]
        broken_ones = {cell.mechanism for cell in own if broken(cell, catalogue)}
        assert broken_ones, workload
        assert {cell.mechanism for cell in own} - broken_ones, workload


def test_who_picks_deployments_gets_them(catalogue: Catalogue) -> None:
    """What the person asks for goes before what the profile says."""
    asked = Selection(workloads=["lock"], mechanisms=[], deployments=["gevent-2"], windows=[])
    cells = select(catalogue, DEPLOYED, PROFILES["quick"], asked)
    assert {cell.deployment for cell in cells} == {"gevent-2"}

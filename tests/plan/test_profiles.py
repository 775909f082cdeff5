"""What the profiles measure: essentials has every promise, each with something that breaks and something that holds."""

from dataclasses import replace

import pytest

from offered import offered
from statelab.core.errors import BadInput
from statelab.core.paths import DEPLOYMENTS
from statelab.core.results import CellKey
from statelab.plan.catalogue import Catalogue
from statelab.plan.deployments import load_all
from statelab.plan.matrix import Selection, select
from statelab.plan.profiles import PROFILES, profile_of
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


def test_essentials_names_what_there_is(catalogue: Catalogue) -> None:
    """Each mechanism and deployment of its tables has cells, and every workload has some."""
    profile = PROFILES["essentials"]
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


def test_essentials_shows_both_sides_of_every_promise(catalogue: Catalogue) -> None:
    """Of each workload one mechanism is predicted to break somewhere, and another one nowhere."""
    cells = select(catalogue, DEPLOYED, PROFILES["essentials"], EVERYTHING)
    for workload in catalogue.workloads:
        own = [cell for cell in cells if cell.workload == workload]
        broken_ones = {cell.mechanism for cell in own if broken(cell, catalogue)}
        assert broken_ones, workload
        assert {cell.mechanism for cell in own} - broken_ones, workload


def test_the_profile_without_a_name() -> None:
    """The essentials, but everything of what is picked; `quick` is another name of the first."""
    names = [profile_of("", picked=False), profile_of("", picked=True), profile_of("quick", picked=True)]
    assert [profile.name for profile in names] == ["essentials", "standard", "essentials"]
    with pytest.raises(BadInput, match="essentials, standard, thorough"):
        profile_of("huge", picked=False)


def test_who_picks_deployments_gets_them(catalogue: Catalogue) -> None:
    """What the person asks for goes before what the profile says."""
    asked = Selection(workloads=["lock"], mechanisms=[], deployments=["gevent-2"], windows=[])
    cells = select(catalogue, DEPLOYED, PROFILES["essentials"], asked)
    assert {cell.deployment for cell in cells} == {"gevent-2"}


def test_servers_has_one_of_all_that_are_predicted_alike(catalogue: Catalogue) -> None:
    """Under every deployment, standard or in the profile, each mechanism is predicted as one of those measured."""
    profile = PROFILES["servers"]
    assert profile.mechanisms
    deployed = load_all(DEPLOYMENTS, profile.columns)
    assert {*profile.columns} < {*deployed}
    missing = []
    for name, workload in catalogue.workloads.items():
        rows = {
            mechanism: tuple(
                frozenset(predict(about.claims, deployment, "io", workload.shows).anomalies)
                for deployment in deployed.values()
            )
            for mechanism, about in workload.mechanisms.items()
        }
        told = {rows[mechanism] for mechanism in profile.mechanisms[name]}
        missing += [f"{name}/{mechanism}" for mechanism, row in rows.items() if row not in told]
    assert missing == []


def test_what_no_column_has_is_no_row(catalogue: Catalogue) -> None:
    """What is the own of a server that has no column is a row only where it is asked for by name."""
    own = [
        name
        for workload in catalogue.workloads.values()
        for name, about in workload.mechanisms.items()
        if about.claims.server == "uwsgi"
    ]
    for deployments, selection, rows in (
        (DEPLOYED, EVERYTHING, []),
        (DEPLOYED, replace(EVERYTHING, mechanisms=own), own),
        (load_all(DEPLOYMENTS, ["uwsgi-4"]), EVERYTHING, own),
    ):
        cells = select(catalogue, deployments, PROFILES["standard"], selection)
        assert [*dict.fromkeys(cell.mechanism for cell in cells if cell.mechanism in own)] == rows

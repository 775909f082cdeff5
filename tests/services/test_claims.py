"""What every mechanism must say of itself, so that the theory and the tables can be made from it."""

import dataclasses
import inspect
import re
from types import NoneType, UnionType
from typing import Literal, get_args, get_origin, get_type_hints

import pytest

from statelab.core.paths import ROOT
from statelab.plan import catalogue as instrument
from webapp import claims as app
from webapp.catalogue import WORKLOADS
from webapp.claims import CLUSTER, HOST, PROCESS, REQUEST, THREAD, Boundary, Claims, Survives
from webapp.counter import COUNTER
from webapp.workload import Mechanism, Workload

MECHANISMS = COUNTER.mechanisms


@pytest.fixture(params=MECHANISMS)
def mechanism(request: pytest.FixtureRequest) -> Mechanism:
    return MECHANISMS[request.param]


EVERY = {
    f"{workload.name}/{name}": found for workload in WORKLOADS.values() for name, found in workload.mechanisms.items()
}


@pytest.mark.parametrize("mechanism", EVERY.values(), ids=EVERY)
def test_a_mechanism_documents_itself(mechanism: Mechanism) -> None:
    """Its first line is one sentence that fits a table; then it says what people believe of it, and what it does."""
    assert mechanism.summary.endswith(".")
    assert len(mechanism.summary) <= 120
    summary, blank, rest = inspect.cleandoc(mechanism.module.__doc__ or "").partition("\n\n")
    assert summary == mechanism.summary
    assert blank
    assert rest.endswith(".")
    belief, *facts = re.split(r"(?<=[.;:])\s", re.sub(r"`[^`]*`", "code", rest))
    assert belief.startswith("People ")
    assert facts


@pytest.mark.parametrize("workload", WORKLOADS.values(), ids=WORKLOADS)
def test_no_two_mechanisms_have_the_same_summary(workload: Workload) -> None:
    """A reader of a table can tell them apart."""
    assert len({mechanism.summary for mechanism in workload.mechanisms.values()}) == len(workload.mechanisms)


def test_a_mechanism_spells_its_update_out(mechanism: Mechanism) -> None:
    """Both functions are its own, with the protocol's parameters: there is no default to inherit."""
    for name, parameters in (("increment", ["key", "window"]), ("read", ["key"])):
        function = getattr(mechanism.module, name)
        assert inspect.getmodule(function) is mechanism.module
        assert list(inspect.signature(function).parameters) == parameters
    assert "window" in inspect.getsource(mechanism.module.increment)


def test_a_mechanism_is_named_as_its_file() -> None:
    """The table needs no second name for anything."""
    assert {name: file.replace("_", "-") for name, file in COUNTER.table.items()} == {
        name: name for name in COUNTER.table
    }


def test_claims_are_made_of_the_known_words(mechanism: Mechanism) -> None:
    """Boundaries and restarts are those of the theory."""
    claims = mechanism.claims
    boundaries = set(get_args(Boundary))
    for claim in (claims.shared_across, claims.atomic_across, claims.inherited, claims.switches_inside):
        assert set(claim) <= boundaries
    assert claims.survives in {None, *get_args(Survives)}


def test_an_update_excludes_only_those_who_share_the_state(mechanism: Mechanism) -> None:
    """Atomic across a boundary that the state does not cross would say nothing."""
    claims = mechanism.claims
    assert claims.atomic_across <= claims.shared_across | claims.inherited
    assert not claims.inherited & claims.shared_across


def test_switches_are_between_threads_or_greenlets(mechanism: Mechanism) -> None:
    """Processes and hosts run side by side whatever the code does; where greenlets switch, threads do as well."""
    inside = mechanism.claims.switches_inside
    assert inside <= {"threads", "greenlets"}
    assert "threads" in inside or "greenlets" not in inside
    assert not inside or not claims_nothing_is_left_to_switch(mechanism.claims)


def claims_nothing_is_left_to_switch(claims: Claims) -> bool:
    return claims.atomic_across >= claims.shared_across - {"requests"} and not claims.answers_later


def test_only_a_lock_can_stop_the_hub(mechanism: Mechanism) -> None:
    """`blocks_hub` is said of updates that exclude others, by waiting."""
    assert not mechanism.claims.blocks_hub or "greenlets" in mechanism.claims.atomic_across


def test_what_crosses_hosts_is_in_a_store_and_the_other_way_round(mechanism: Mechanism) -> None:
    """A store is what hosts share; without one nothing reaches beyond the host."""
    assert ("hosts" in mechanism.claims.shared_across) is (mechanism.claims.store is not None)


def test_only_what_outlives_a_request_survives_anything(mechanism: Mechanism) -> None:
    """No survival is claimed for what ends with the request, some is for everything else."""
    assert ("requests" in mechanism.claims.shared_across) is (mechanism.claims.survives is not None)


def test_the_table_goes_from_the_narrowest_reach_to_the_widest() -> None:
    """Readers meet request, thread, process, host and cluster in that order."""
    reaches = [REQUEST, THREAD, PROCESS, HOST, CLUSTER]
    places = [reaches.index(m.claims.shared_across | m.claims.inherited) for m in MECHANISMS.values()]
    assert places == sorted(places)


def groups(claims: type) -> dict[str, dict[str, tuple[object, object]]]:
    """Each group of claims with the type and the default of each of its claims."""
    return {
        group.__name__: {
            field.name: (plain(get_type_hints(group)[field.name]), field.default) for field in dataclasses.fields(group)
        }
        for group in claims.__bases__
    }


def plain(hint: object) -> object:
    """A type in which the words that a claim may be made of are any text: the instrument also reads other apps."""
    if get_origin(hint) is Literal:
        return str
    if isinstance(hint, UnionType) or (get_origin(hint) is not frozenset and get_args(hint)):
        return {plain(part) for part in get_args(hint)}
    return frozenset[str] if get_origin(hint) is frozenset else hint


def test_the_instrument_reads_the_claims_that_the_app_makes() -> None:
    """Group by group and field by field: the same names, types and defaults on both sides of GET /catalogue."""
    assert groups(instrument.Claims) == groups(app.Claims)
    assert sum(map(len, groups(app.Claims).values())) == len(dataclasses.fields(app.Claims)) > 20
    assert groups(app.Claims)["Lifetime"]["survives"] == ({str, NoneType}, dataclasses.MISSING)


def test_every_claim_is_explained() -> None:
    """In docs/theory.md, group by group, in the order of the code."""
    page = (ROOT / "docs/theory.md").read_text()
    explained = {
        name.split(":")[0]: re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
        for name, table in re.findall(r"^(\w+: .*?)\n\n\| claim \|(.*?)\n\n", page, re.DOTALL | re.MULTILINE)
    }
    assert explained == {name: list(group) for name, group in groups(app.Claims).items()}


def test_a_workload_says_what_it_promises() -> None:
    """Every workload has a promise and an operation that changes state."""
    for workload in WORKLOADS.values():
        assert workload.promise
        assert False in workload.operations.values()

"""The theory's page: every claim that a mechanism can make, and every fault that a workload can show, is in it."""

import re
from dataclasses import fields

import pytest

from offered import offered
from statelab.core.paths import ROOT
from statelab.plan.catalogue import Claims

PAGE = (ROOT / "docs" / "theory.md").read_text()
WORDS = set(re.findall(r"`([^`]+)`", PAGE))


@pytest.mark.parametrize("claim", [field.name for field in fields(Claims)])
def test_every_claim_is_in_the_words_of_the_page(claim: str) -> None:
    """A reader who checks a prediction by hand finds what each claim means."""
    assert claim in WORDS


def test_every_fault_that_is_shown_is_in_the_words_of_the_page() -> None:
    """What a workload shows is what the page derives."""
    shown = {fault for workload in offered().workloads.values() for fault in workload.shows}
    assert shown - WORDS == set()

"""The failures that people report: hidden here, shown there, fixed there, by the theory and on real servers."""

from functools import cache

import pytest

from offered import offered
from statelab.core.paths import DEPLOYMENTS
from statelab.plan.deployments import Deployment, load_all
from statelab.plan.matrix import Selection, select
from statelab.plan.profiles import PROFILES
from statelab.report.docs.failures_page import PAGE, current
from statelab.theory.failures import Failure, load, prediction

FAILURES = load()
BY_SYMPTOM = pytest.mark.parametrize("failure", FAILURES, ids=[failure.symptom for failure in FAILURES])
CLASSES = 29
CHANCES = 3


@cache
def deployed() -> dict[str, Deployment]:
    return load_all(DEPLOYMENTS, {cell.deployment for failure in FAILURES for cell in failure.cells})


def test_every_class_is_there_with_its_threads() -> None:
    """None is left out, each was reported by somebody, and no two have the same symptom."""
    assert len({failure.symptom for failure in FAILURES}) == CLASSES
    assert all(failure.threads for failure in FAILURES)
    assert all("#" in thread or thread.startswith("https://") for failure in FAILURES for thread in failure.threads)


@BY_SYMPTOM
def test_the_theory_says_hidden_here_and_shown_there(failure: Failure) -> None:
    """The anomaly is predicted where it is shown and nowhere else, and the fix holds by its own promise."""
    hiding, showing, fixed = (prediction(cell, offered(), deployed()) for cell in failure.cells)
    assert failure.anomaly not in hiding.anomalies
    assert failure.anomaly in showing.anomalies
    assert (fixed.anomalies, fixed.guaranteed) == ((), True)


@BY_SYMPTOM
def test_the_command_measures_its_cells(failure: Failure) -> None:
    """What the command selects has all three of them."""
    chosen = dict(part.split("=") for part in failure.command.split() if "=" in part)
    wanted = {f"{name.lower()}s": value.split(",") for name, value in chosen.items() if name != "RUNS"}
    cells = select(offered(), deployed(), PROFILES["standard"], Selection(**wanted))
    assert set(failure.cells) <= set(cells)


def test_the_page_is_up_to_date() -> None:
    """Generated anew it is the same, letter for letter."""
    assert PAGE.read_text() == current(), "docs/failures.md is out of date: run `make docs`"

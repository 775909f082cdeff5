"""What a cell says follows from prediction and verdict alone."""

from typing import Any

import pytest

from statelab.core.results import ANOMALIES
from statelab.report.content import states
from statelab.report.content.document import compose
from statelab.report.content.rows import Row
from statelab.report.content.states import contradicts

from .cells import LOST, cell, results

CASES: list[tuple[str, dict[str, Any], str]] = [
    ("held", {}, "✓"),
    ("not-guaranteed", {"guaranteed": False}, "○"),
    ("not-seen", {"predicted": ["lost-update"], "guaranteed": False}, "◌ LU"),
    ("violated", {"predicted": ["lost-update"], **LOST}, "✗ LU"),
    ("violated", {**LOST, "predicted": ["a", "lost-update"], "anomalies": ["lost-update", "a"]}, "✗ LU a"),
    ("different", {"predicted": ["divergent"], **LOST}, "≠ +LU (not seen: DV)"),
    ("different", {**LOST, "predicted": ["lost-update"], "anomalies": ["lost-update", "divergent"]}, "≠ LU +DV"),
    ("violated", {"predicted": ["lost-update", "divergent"], **LOST}, "✗ LU (not seen: DV)"),
    ("contradiction", LOST, "‼ LU"),
    ("contradiction", {"guaranteed": False, **LOST}, "‼ LU"),
    ("violated-not-predicted", {"claimed": False, "guaranteed": False, **LOST}, "✗ LU"),
    ("held-not-predicted", {"claimed": False, "guaranteed": False}, "○"),
    ("not-exercised", {"claimed": False, "verdict": "not-exercised"}, "? NX"),
    ("not-exercised", {"verdict": "not-exercised"}, "? NX"),
    ("unknown", {"verdict": "unknown"}, "? UN"),
    ("unknown", {"verdict": "unknown", "anomalies": ["lost-update"]}, "? UN"),
    ("unavailable", {"verdict": "unavailable", "predicted": ["lost-update"]}, "–"),
]


@pytest.mark.parametrize(("state", "changes", "mark"), CASES)
def test_a_cell_is_in_one_state_with_a_mark_of_its_own(state: str, changes: dict[str, Any], mark: str) -> None:
    """Predicted and measured together decide the state, and symbol and codes say which."""
    row = Row(cell(**changes))
    assert (row.state.name, row.mark) == (state, mark)


def test_only_a_violation_where_held_is_predicted_fails_the_report() -> None:
    """Anything else is a finding, not a failure."""
    failing = {state for state, changes, _ in CASES if contradicts(cell(**changes))}
    assert failing == {"contradiction"}


def test_every_state_can_be_told_apart_without_colour() -> None:
    """No two states have the same symbol and words."""
    assert len({(state.symbol, state.word) for state in states.STATES}) == len(states.STATES) == 12


def test_every_anomaly_has_a_code_of_its_own() -> None:
    """A new anomaly without a code would be printed by its name."""
    assert states.CODES.keys() == ANOMALIES.keys()
    assert len(set(states.CODES.values())) == len(ANOMALIES)
    assert states.code("never-heard-of") == "never-heard-of"


def test_a_sign_has_one_meaning_in_a_legend() -> None:
    """Of the lab's own app, and of another one of which nothing is claimed; `?` alone has two, told apart by words."""
    own, other = (compose(results(cell(claimed=claimed))).signs for claimed in (True, False))
    for signs in (own, other):
        symbols = [state.symbol for state in signs if state.symbol != "?"]
        assert len(symbols) == len(set(symbols))
    assert states.HELD in own
    assert states.UNCLAIMED_HELD in other

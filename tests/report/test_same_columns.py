"""The comparison with the standard columns: which of them a deployment equals, promise by promise, and where not."""

import pytest

from statelab.core.results import Cell, Results, VerdictName
from statelab.report.content.rows import Row
from statelab.report.content.same_columns import SameColumn, same_columns
from statelab.report.docs.servers_page import BENCH, PLACE, page, with_bench

STANDARD = {
    "sync": {"counter/a/io": [], "lock/b/io": []},
    "sync-4": {"counter/a/io": ["divergent", "lost-update"], "lock/b/io": []},
}


def cell(
    workload: str, mechanism: str, predicted: list[str], seen: list[str], verdict: VerdictName, name: str = "mine"
) -> Cell:
    return Cell(
        workload=workload,
        mechanism=mechanism,
        deployment=name,
        window="io",
        predicted=predicted,
        guaranteed=False,
        prediction_reason="",
        verdict=verdict,
        reason="",
        anomalies=seen,
    )


def row(workload: str, mechanism: str, predicted: list[str], seen: list[str], verdict: VerdictName) -> Row:
    return Row(cell(workload, mechanism, predicted, seen, verdict))


def compared(*rows: Row) -> SameColumn:
    (column,) = same_columns({"standard": STANDARD}, [*rows])
    return column


def test_a_column_equals_one_although_a_race_was_not_met() -> None:
    """What was predicted and not seen counts as there; a promise may equal several columns."""
    counter = row("counter", "a", ["divergent", "lost-update"], ["divergent"], "violated")
    column = compared(counter, row("lock", "b", [], [], "held"))
    assert column.equal == {"counter": ["sync-4"], "lock": ["sync", "sync-4"]}
    assert (column.standard, column.differs) == ("sync-4", [])
    assert column.text == "mine equals sync-4 in every promise (2 of 2 cells measured)"


def test_a_cell_that_differs_is_named_with_both_sides() -> None:
    """What was seen and not predicted differs too."""
    column = compared(row("counter", "a", [], [], "held"), row("lock", "b", [], ["two-holders"], "violated"))
    assert column.equal == {"counter": ["sync"], "lock": []}
    assert column.text == "mine is like sync and differs in 1 cell (2 of 2 cells measured)"
    assert [sentence.text for sentence in column.differs] == [
        "lock/b, window io, under mine: two-holders; under sync: held"
    ]


def test_a_column_that_was_not_measured_says_so() -> None:
    """Nothing is claimed of a server that could not be had."""
    column = compared(row("lock", "b", [], [], "unavailable"))
    assert column.text.startswith("mine was not measured")


def test_other_runs_are_compared_with_nothing() -> None:
    assert same_columns({}, [row("lock", "b", [], [], "held")]) == []


def test_the_page_shows_a_setting_by_its_cells() -> None:
    """Those of the run as measured, those of a standard column in brackets; and no page of another run."""
    lost = cell("once", "apscheduler-add-job", ["never-ran"], ["never-ran"], "violated", "uwsgi-4")
    lazy = cell("once", "apscheduler-add-job", [], [], "held", "uwsgi-4-lazy")
    standard = {"sync-4-preload": {"once/apscheduler-add-job/io": ["never-ran"]}}
    text = page(Results(manifest={"standard": standard}, cells=[lost, lazy]))
    shown = "`uwsgi-4` never-ran, `uwsgi-4-lazy` held, (`sync-4-preload` never-ran)"
    assert f"`once/apscheduler-add-job`: {shown}" in text
    assert "- uwsgi-4 equals sync-4-preload in every promise (1 of 1 cells measured)" in text
    with pytest.raises(ValueError, match="take one with the profile servers"):
        page(Results(manifest={}, cells=[lost]))


def test_the_table_of_the_bench_stays_until_the_next_bench() -> None:
    """It stands between its marks, and is found there again."""
    text = with_bench(BENCH, "\n| a |\n")
    found = PLACE.search(text)
    assert found
    assert found.group() == "\n| a |\n"
    assert with_bench(text, "") == BENCH

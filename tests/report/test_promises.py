"""All promises on one table: counts of what was kept, broken and not decided."""

import pytest

from statelab.core.operation import Operation, Result
from statelab.core.results import Results, Witness
from statelab.report.content.document import compose
from statelab.report.formats.html import render as page
from statelab.report.formats.markdown import headline_markdown
from statelab.report.timeline.picture import Picture

from .cells import LOST, cell, results


def both() -> Results:
    """Two workloads under one deployment: one kept and one broken, one kept and one not exercised."""
    return results(
        cell(mechanism="a", guaranteed=True),
        cell(mechanism="b", predicted=["lost-update"], **LOST),
        cell(workload="tickets", mechanism="a", guaranteed=True),
        cell(workload="tickets", mechanism="b", verdict="not-exercised"),
    )


def test_what_is_not_decided_is_not_kept() -> None:
    """Each workload has its share of kept promises; the rest is broken or open."""
    counter, tickets = compose(both()).promises
    assert [(s.kept, s.broken, s.of, s.text) for s in counter.shares] == [(1, 1, 2, "1 of 2")]
    assert [(s.kept, s.broken, s.of, s.text) for s in tickets.shares] == [(1, 0, 2, "1 of 2 (1 open)")]


def test_the_table_is_in_every_form_where_there_are_several() -> None:
    """Markdown and page begin with all promises; a single workload needs no summary."""
    assert "All promises" in headline_markdown(both())
    assert "All promises" in page(compose(both()))
    assert "All promises" not in headline_markdown(results(cell()))


@pytest.mark.parametrize(
    ("result", "words"), [("ok", "ok"), (True, "True"), (["x"], "['x']"), (None, "nothing"), (1_000, "1,000")]
)
def test_a_witness_may_show_texts_and_answers(result: Result, words: str) -> None:
    """Results that are no numbers are drawn as they are."""
    operation = Operation(process=1, op="buy", start=1, end=2, status="ok", result=result)
    picture = Picture(Witness(anomaly="oversold", operations=[operation], text=""))
    assert picture.said(operation) == f"buy → {words}"

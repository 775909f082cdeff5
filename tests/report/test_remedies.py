"""What holds instead: one change a pair of mechanisms, side by side, with its cost or the reason why there is none."""

import io
import re

import pytest
from msgspec import structs
from rich.console import Console

from statelab.core.results import Cell, Counts, Fix, Latency
from statelab.report.content.document import Report, compose
from statelab.report.content.remedies import Change
from statelab.report.formats import html as page
from statelab.report.formats import markdown
from statelab.report.formats.terminal import print_report

from .cells import LOST, cell, results
from .sample import sample
from .test_page import Parsed, first_view


def whole(found: Report) -> str:
    """The page with every view that opens from it."""
    return first_view(page.render(found)) + "".join(
        text for part in page.views(found).values() for text in part.values()
    )


FIX = Fix(mechanism="redis-incr", rate_ratio=0.5, p95_ratio=3.0)
BROKEN = {**LOST, "mechanism": "redis-get-set", "predicted": ["lost-update"], "fix": FIX}
SOURCE = {"redis-get-set": "value = get()\nset(value + 1)", "redis-incr": "incr()"}


def figured(rate: float, p95: float) -> dict[str, object]:
    return {"rate_ops_s": rate, "latency_ms": Latency(p50=1.0, p95=p95, p99=p95)}


def pair(**broken: object) -> list[Cell]:
    """A broken cell and its fix, 1,000 and 500 operations a second, p95 of 2 and 6 ms."""
    return [cell(**(BROKEN | figured(1_000, 2.0) | broken)), cell(**figured(500, 6.0))]


def report(*cells: Cell, sources: dict[str, str] = SOURCE, **manifest: object) -> Report:
    mechanisms = [
        {"name": name, "workload": "counter", "group": "cluster", "summary": name, "source": sources.get(name)}
        for name in ("redis-get-set", "redis-incr")
    ]
    return compose(results(*cells, mechanisms=mechanisms, **manifest))


def only_change(found: Report) -> Change:
    [broken] = found.broken
    [change] = broken.changes
    return change


def test_one_change_serves_all_cells_of_a_pair() -> None:
    """However many cells: one comparison, and a line of costs for each, those of the widest window first."""
    cells = [*pair(window="call", deployment="gevent"), *pair(), *pair(deployment="gthread")]
    change = only_change(report(*cells))
    assert [cost.broken.cell.window for cost in change.costs] == ["io", "io", "call"]
    assert change.deployments == ["sync-4", "gthread", "gevent"]
    assert change.lines == "3 lines"


def test_a_cost_is_both_figures_and_their_ratio() -> None:
    """Before and after with their units, from the same deployment and window."""
    [cost] = only_change(report(*pair())).costs
    assert (cost.rates, cost.p95s) == ("1,000 → 500", "2.00 → 6.00")
    assert cost.ratios == ("×0.50", "×3.00")


def test_windows_are_not_pooled_in_the_figure_for_a_pair() -> None:
    """The least and the greatest ratio are those of one window, which is named."""
    slow = Fix(mechanism="redis-incr", rate_ratio=0.1, p95_ratio=9.0)
    less = Fix(mechanism="redis-incr", rate_ratio=0.25, p95_ratio=9.0)
    change = only_change(report(*pair(), *pair(deployment="gthread", fix=less), *pair(window="call", fix=slow)))
    assert (change.window, change.rate_ratios) == ("io", "×0.25 to ×0.50")


@pytest.mark.parametrize(("spread", "first"), [(["processes"], "redis-incr"), (["threads"], "redis-lua")])
def test_what_lasts_comes_first_where_there_are_processes(spread: list[str], first: str) -> None:
    """Two fixes are named, the nearest and one that holds everywhere; where a worker may end, the latter first."""
    nearest = Fix(mechanism="redis-lua", rate_ratio=0.9, p95_ratio=1.0)
    deployments = [{"name": "sync-4", "spread": spread}]
    [broken] = report(*pair(fix=nearest, lasting_fix=FIX), deployments=deployments).broken
    assert {change.fix.name: change.kind for change in broken.changes} == {
        "redis-incr": "holds everywhere",
        "redis-lua": "nearest",
    }
    assert broken.changes[0].fix.name == first


def test_one_that_is_the_nearest_and_lasts_is_named_once() -> None:
    """The same mechanism twice says nothing more."""
    change = only_change(report(*pair(lasting_fix=FIX)))
    assert (change.kind, len(change.costs)) == ("holds everywhere", 1)


@pytest.mark.parametrize(
    ("figures", "told"),
    [
        ({"rate_ops_s": None, "latency_ms": None}, "not measured"),
        ({"rate_ops_s": None, "latency_ms": None, "operations": Counts(ok=0, fail=0, info=8)}, "no answer"),
    ],
)
def test_a_missing_figure_is_said_to_be_missing(figures: dict[str, object], told: str) -> None:
    """No blank and no dash: nothing was measured, or the broken one answered nothing."""
    unknown = Fix(mechanism="redis-incr", rate_ratio=None, p95_ratio=None)
    change = only_change(report(*pair(**figures, fix=unknown)))
    assert change.costs[0].rates == f"{told} → 500"
    assert change.costs[0].p95s == f"{told} → 6.00"
    assert told in change.rate_ratios
    assert all(told in ratio for ratio in change.costs[0].ratios)


def test_a_run_without_sources_says_so_and_has_its_costs() -> None:
    """An older run or another app: no comparison, but the name, the figures and the reason."""
    found = report(*pair(), sources={})
    html = whole(found)
    assert "This run has no source to compare" in "".join(Parsed(html).text)
    assert "1,000 → 500" in html
    assert "this run has no source to compare" in markdown.render(found)


def test_a_broken_cell_names_its_fix_and_the_command_that_shows_it_again() -> None:
    """In the page beside the cell's proof; the link leads to the change."""
    views = page.views(report(*pair()))["counter"]
    why = views["counter.redis-get-set.sync-4.io"]
    assert 'href="#fix.counter.redis-get-set.redis-incr"' in why
    assert "throughput ×0.50, p95 ×3.00" in why
    assert "statelab repro counter/redis-get-set --deployment sync-4" in why
    assert "redis-get-set → redis-incr" in views["fix.counter.redis-get-set.redis-incr"]


@pytest.mark.parametrize(
    ("anomalies", "shown"),
    [(["misreported"], True), (["stalled"], True), (["divergent"], False), (["never-persists"], False)],
)
def test_a_command_is_named_where_two_requests_must_meet(anomalies: list[str], shown: bool) -> None:
    """What shows with plain requests, one after the other, needs none."""
    panels = "".join(page.views(report(*pair(anomalies=anomalies)))["counter"].values())
    assert ("statelab repro" in panels) == shown


def test_where_nothing_held_the_reason_stands() -> None:
    """A broken mechanism without a fix is told in every format, with the cells it holds for."""
    lack = {"workload": "counter", "mechanism": "redis-get-set", "reason": "nothing holds", "cells": ["gevent", "sync"]}
    found = report(cell(**(BROKEN | {"fix": None})), unfixed=[lack])
    out = io.StringIO()
    print_report(structs.replace(results(*pair()), manifest={"unfixed": [lack]}), Console(file=out, width=120))
    assert "gevent; sync: nothing holds." in whole(found)
    assert "`redis-get-set` (2): nothing holds." in markdown.render(found)
    assert "redis-get-set → redis-incr ×0.50 (nearest); none for 2 cells" in out.getvalue()


def test_marks_do_not_rest_on_colour() -> None:
    """Each changed line has its sign in the text, and no unchanged one has."""
    cells = re.findall(r'<td(?: class="(goes|comes)")?><i>(.)</i>', whole(compose(sample())))
    assert set(cells) == {("goes", "−"), ("comes", "+"), ("", " ")}


def test_code_of_others_stays_text() -> None:
    """In the page it is escaped, in Markdown it cannot end its block, nowhere does it hold control characters."""
    found = compose(sample())
    for text in (whole(found), markdown.render(found)):
        assert not re.search("[\x00-\x08\x0b-\x1f]", text)
    outside_code = markdown.render(found).split("```")[::2]
    assert not any("<script" in part or "one line that is too long" in part for part in outside_code)
    assert "<script>alert('x')</script> & \"quotes\" | pipes | `ticks`" in "".join(Parsed(whole(found)).text)


def test_the_terminal_has_one_line_a_broken_mechanism() -> None:
    """No line is longer than the terminal, whatever the names."""
    out = io.StringIO()
    print_report(sample(), Console(file=out, width=120), tables=True)
    lines = out.getvalue().partition("What holds instead")[2].splitlines()
    told = [line for line in lines if re.match(r"  \S+ → ", line)]
    assert len(told) == len(compose(sample()).broken)
    assert max(map(len, told)) <= 120


def test_a_run_in_which_nothing_broke_has_no_section() -> None:
    """No empty heading in any format."""
    found = report(cell())
    assert 'href="#fixes"' not in whole(found)
    assert "What holds instead" not in markdown.render(found)

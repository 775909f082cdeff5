"""What `make speed` puts into docs/checking.md, and `make scale` into docs/scale.md."""

from dataclasses import replace

import pytest
from benchmarks.checking import Measured, cells, summary
from benchmarks.publish import MARKS, place, with_figures

from statelab.core.paths import ROOT

ROW = Measured(
    model="register",
    kind="valid",
    form="parquet",
    operations=1_000_000,
    seconds=0.4,
    peak=300.0,
    size=10.0,
    verdict="held",
)


@pytest.mark.parametrize("page", MARKS)
def test_the_page_has_a_place_for_the_figures(page: str) -> None:
    """New figures stand in the place of the old ones, and all else stays."""
    text = (ROOT / f"docs/{page}.md").read_text()
    once = with_figures(page, text, "| a table |")
    assert "| a table |" in once
    assert with_figures(page, once, "| another |") == with_figures(page, text, "| another |")
    assert place(page).sub("", once) == place(page).sub("", text)


def test_a_page_without_the_marks_is_refused() -> None:
    """Figures are never put anywhere else."""
    with pytest.raises(ValueError, match="no speed marks"):
        with_figures("checking", "no marks", "| a table |")


@pytest.mark.parametrize(
    ("row", "reached"),
    [
        (ROW, "yes"),
        (replace(ROW, seconds=0.6), "NO"),
        (replace(ROW, operations=100_000), ""),
        (replace(ROW, operations=10_000_000, seconds=4.0, peak=1500.0), "yes"),
        (replace(ROW, operations=10_000_000, seconds=4.0, peak=1700.0), "NO"),
        (replace(ROW, operations=10_000_000, seconds=5.5), "NO"),
        (replace(ROW, model="inventory"), "NO"),
    ],
)
def test_a_goal_is_reached_in_time_and_memory(row: Measured, reached: str) -> None:
    """One register key: 10^6 in 0.5 s, 10^7 in 5 s and 1.5 GiB; other models: 5 million a second."""
    assert cells(row)[-1] == reached


def test_the_summary_has_a_line_for_each_model() -> None:
    """Seconds by size, growth from 10^6 to 10^7, rates of valid and spoiled histories, peak memory."""
    rows = [ROW, replace(ROW, kind="spoiled", seconds=0.5), replace(ROW, operations=10_000_000, seconds=4.8, peak=1400)]
    assert summary(rows).splitlines()[2:] == ["| register |  |  | 0.40 | 4.80 | ×12.0 | 2.5 | 2.0 | 1,400 |"]

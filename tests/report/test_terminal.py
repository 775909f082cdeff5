"""The terminal gets whole lines, no colours where none are wanted, and nothing that steers it."""

import io
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from statelab.core.results import Witness
from statelab.report.formats.terminal import print_report

from .cells import LOST, cell, results
from .sample import KINDS, SHOWN, sample


@cache
def printed(width: int, *, terminal: bool = False, no_color: bool = False, tables: bool | None = True) -> str:
    out = io.StringIO()
    console = Console(
        file=out,
        width=width,
        force_terminal=terminal,
        no_color=no_color,
        color_system="truecolor" if terminal else "auto",
    )
    print_report(sample(), console, Path("reports/latest"), tables=tables)
    return out.getvalue()


def matrix_lines(text: str) -> list[str]:
    """The lines that begin with a mechanism's name."""
    names = {kind.name for kind in KINDS}
    return [line for line in text.splitlines() if line.split(" ")[0] in names]


@pytest.mark.parametrize("width", [120, 160])
def test_ten_deployments_fit_in_120_columns(width: int) -> None:
    """Each mechanism has one line a window with all its ten marks, and no line is longer than the terminal."""
    text = printed(width)
    lines = matrix_lines(text)
    assert max(map(cell_len, text.splitlines())) <= width
    assert len(lines) == 3 * len(KINDS)
    assert {len(line.split()) for line in lines} == {11}


def test_a_narrow_terminal_gets_more_tables_instead_of_broken_ones() -> None:
    """With 70 columns every line is still whole; the deployments go on in a further table."""
    text = printed(70, terminal=True)
    plain = re.sub(r"\x1b\[[\d;]*m|\x1b\]8;.*?\x1b\\", "", text)
    assert max(map(cell_len, plain.splitlines())) <= 70
    assert len(matrix_lines(plain)) > 3 * len(KINDS)


def test_a_pipe_is_as_wide_as_a_wide_terminal() -> None:
    """Where nobody says how wide the output is, tables are not squeezed; the console keeps its width."""
    console = Console(file=io.StringIO(), width=80, force_terminal=False)
    print_report(sample(), console, Path("reports/latest"), tables=True)
    assert console.width == 80
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue() == printed(120)


def test_colours_are_for_terminals_that_want_them() -> None:
    """No escape sequence in a file; with NO_COLOR none that colours."""
    assert "\x1b" not in printed(120)
    assert "\x1b[" in printed(120, terminal=True)
    assert not re.search(
        r"\x1b\[[\d;]*(?<!\d)(3[0-7]|4[0-7]|9[0-7]|10[0-7])m", printed(120, terminal=True, no_color=True)
    )


def test_text_of_others_does_not_steer_the_terminal() -> None:
    """An escape character in a log line does not reach the terminal, and rich's markup is not obeyed."""
    out = io.StringIO()
    loud = cell(verdict="violated", anomalies=["lost-update"], reason="[red]\x1b[2J gone")
    print_report(results(loud), Console(file=out, width=120))
    assert "[red]�[2J gone" in out.getvalue()


def test_of_an_app_of_which_nothing_is_claimed_its_broken_promises_are_told() -> None:
    """With the proof and without a prediction: no surprise, no bug of the theory, and no command that repeats it."""
    own: dict[str, Any] = {"mechanism": "hits", "window": "none", "claimed": False, "guaranteed": False}
    broken = cell(
        **own, **LOST, witness=Witness(anomaly="lost-update", operations=[], text="A and B were both told 35.")
    )
    held, unknown = cell(**own, deployment="sync"), cell(**own, deployment="gthread", verdict="not-exercised")
    out = io.StringIO()
    print_report(results(broken, held, unknown), Console(file=out, width=120))
    text = " ".join(out.getvalue().split())
    assert "Broken promises: ✗ hits (counter, window none) under sync-4: lost-update was seen." in text
    assert "A and B were both told 35." in text
    assert "What breaks: 1 of 1 promises under some deployment: lost-update (1)." in text
    assert "Of 3 cells 1 broke a promise, and in 1 no violation was seen." in text
    assert not re.search("surprised|held is predicted|statelab repro", text)


def test_every_state_and_code_is_explained() -> None:
    """The legend stands below the matrices, the disagreements below the legend, the page's place last."""
    text = re.sub(r"\s+", " ", printed(120))
    for state in SHOWN:
        assert re.sub(r"\s+", " ", state.legend) in text
    places = [text.index(part) for part in ("counter, window tight", "LU lost-update:", "‼ sqlite-update (counter")]
    assert places == sorted(places)
    assert text.rstrip().endswith("The page: reports/latest/index.html")


@pytest.mark.parametrize(
    "mark", ["✗LU", "✗DV,LU", "✗DV(LU)", "≠DV,LU+MR", "‼OC", "◌LU", "○", "✓", "?NX", "?UN", "–", "·"]
)
def test_a_mark_is_short(mark: str) -> None:
    """Symbol and codes without spaces; what was not predicted and what was not seen are marked in the cell."""
    assert mark in {part for line in matrix_lines(printed(120)) for part in line.split()}


def test_a_long_report_ends_as_one_screen_of_text() -> None:
    """1,200 cells: the promises, what breaks, what holds, what nobody predicted with a proof, the page: 45 lines of 100
    columns at most, however long the sentences and the proof are."""
    text = printed(120, tables=None)
    assert len(text.splitlines()) <= 45
    assert max(map(cell_len, text.splitlines())) <= 100
    assert "reaches process" not in text
    assert re.search(r"– \d+ unavailable: postgres is not configured", text)
    assert re.search(r"counter +✗ \d+/\d+", text)
    ends = ["The promises", "What breaks:", "What holds wherever", "What surprised", "This report fails", "The page:"]
    places = [text.index(part) for part in ends]
    assert places == sorted(places)
    surprises = text.partition("What surprised")[2]
    assert surprises.index("‼ sqlite-update") < surprises.index("‼ redis-incr") < surprises.index("≠ app-config")
    assert surprises.count("statelab repro") == 2


def test_a_short_report_has_its_tables() -> None:
    """What fits on one screen is printed whole, whoever asked."""
    out = io.StringIO()
    print_report(results(cell(), cell(mechanism="file")), Console(file=out, width=120))
    assert "counter, window io" in out.getvalue()
    assert "nothing was seen that was not predicted" in out.getvalue()

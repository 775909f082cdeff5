"""Runs of weeks side by side: what changed and when, the file that keeps them, and the page."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from cli.test_check import Done, command
from statelab.check.intervals import clopper_pearson
from statelab.cli.main import cli
from statelab.core.results import Cell, Interval, Runs
from statelab.report.archive import Archive, SavedRun
from statelab.report.comparison import compare
from statelab.report.over_time import OverTime, over_time

from .cells import LOST, cell, results

OTHER = {"mechanism": "module-global"}


def saved(folder: Path, day: int, *cells: Cell, **manifest: Any) -> Path:
    """A run folder of that day."""
    folder.mkdir(parents=True)
    found = results(*cells, started=f"2026-11-{day:02} 09:00:00 +0000", seed=day, **manifest)
    (folder / "results.json").write_bytes(msgspec.json.encode(found))
    return folder


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    """Three weeks: in the second Flask is newer and only one cell was measured, in the third the other has changed."""
    old, new = {"flask": "3.0.3"}, {"flask": "3.1.3"}
    return [
        saved(tmp_path / "a", 1, cell(), cell(**OTHER), versions=old),
        saved(tmp_path / "b", 8, cell(), versions=new),
        saved(tmp_path / "c", 15, cell(), cell(**OTHER, **LOST), versions=new),
    ]


def put(tmp_path: Path, *runs: Path) -> Done:
    return command("history", *runs, "--db", tmp_path / "h.sqlite")


def followed(tmp_path: Path) -> OverTime:
    return over_time(Archive(tmp_path / "h.sqlite").runs(), clopper_pearson)


def test_a_cell_is_followed_over_runs_that_left_it_out(runs: list[Path], tmp_path: Path) -> None:
    """It changed between the first and the third; which versions differ between these two is said."""
    done = put(tmp_path, *runs)
    assert done.returncode == 1
    assert "In 3 runs 1 of 2 cells changed their verdict or anomalies; the last run changed 1 cell." in done.stdout
    (changed,) = followed(tmp_path).changed
    assert (changed.key.mechanism, [each and each.verdict for each in changed.cells]) == (
        "module-global",
        ["held", None, "violated"],
    )
    (turn,) = changed.turns
    assert (turn.before, turn.after) == (0, 2)
    assert [(each.name, each.before, each.after) for each in turn.differs] == [("flask", "3.0.3", "3.1.3")]


def test_two_runs_are_compared_as_compare_does(runs: list[Path], tmp_path: Path) -> None:
    put(tmp_path, runs[0], runs[2])
    found = followed(tmp_path)
    first, second = (run.results for run in found.runs)
    assert found.steps == (compare(first, second),)
    assert [change.key.mechanism for change in found.steps[0].verdicts] == ["module-global"]


def test_a_run_is_kept_once_and_the_order_is_that_of_the_runs(runs: list[Path], tmp_path: Path) -> None:
    """Also when it comes from another folder, or is judged again."""
    assert "3 new, 0 that were there before" in put(tmp_path, *reversed(runs)).stdout
    (tmp_path / "moved").mkdir()
    moved = runs[1].rename(tmp_path / "moved" / "b")
    assert "0 new, 2 that were there before" in put(tmp_path, moved, runs[0]).stdout
    assert [run.name for run in followed(tmp_path).runs] == ["a", "b", "c"]
    with sqlite3.connect(tmp_path / "h.sqlite") as database:
        asked = "select count(*) from cells join runs on run = id where verdict = 'held' and name = 'a'"
        assert database.execute(asked).fetchone() == (2,)
        assert database.execute("select count(*) from runs").fetchone() == (3,)


def test_the_share_of_all_runs_has_its_interval(tmp_path: Path) -> None:
    """Runs of one cell count each; what decided nothing does not count. 2 of 6: Clopper-Pearson is 0.043 to 0.777."""
    bounds = Interval(low=0.0, high=1.0)
    several = Runs(total=4, violated=1, interval=bounds)
    saved(tmp_path / "a", 1, cell(**{**LOST, "runs": several}))
    saved(tmp_path / "b", 2, cell(**LOST))
    saved(tmp_path / "c", 3, cell(verdict="unknown"))
    saved(tmp_path / "d", 4, cell())
    put(tmp_path, *(tmp_path / name for name in "abcd"))
    (found,) = followed(tmp_path).cells
    assert (found.violated, found.total) == (2, 6)
    assert found.interval == clopper_pearson(2, 6)
    assert found.share == "2 of 6 (33\N{NO-BREAK SPACE}%, [4.3\N{NO-BREAK SPACE}%, 78\N{NO-BREAK SPACE}%])"


def test_without_a_run_it_shows_what_is_there(runs: list[Path], tmp_path: Path) -> None:
    done = command("history", "--db", tmp_path / "h.sqlite")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no such file, so there are no runs yet; name run folders" in done.stderr
    put(tmp_path, runs[0])
    done = put(tmp_path)
    assert (done.returncode, "There is one run; a second one shows what changes." in done.stdout) == (0, True)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "no run folder: it has no results.json"),
        ('{"cells": 3}', "is not of a form that this version reads (commit 0123456789ab made the run)"),
    ],
)
def test_what_is_no_run_is_refused_and_nothing_is_put_in(
    runs: list[Path], tmp_path: Path, content: str | None, said: str
) -> None:
    """One line names it; the good run beside it is not put in either."""
    (wrong := tmp_path / "wrong").mkdir()
    if content:
        (wrong / "results.json").write_text(content)
        (wrong / "manifest.json").write_text('{"machine": {"commit": "0123456789ab"}}')
    put(tmp_path, runs[0])
    done = put(tmp_path, runs[1], wrong)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert str(wrong) in done.stderr
    assert said in done.stderr
    assert [run.name for run in followed(tmp_path).runs] == ["a"]


def test_a_file_that_is_none_of_runs(runs: list[Path], tmp_path: Path) -> None:
    """Text, and a file of another version: said, and left as they are."""
    (tmp_path / "h.sqlite").write_text("not a database, but long enough to be looked at as one" * 40)
    assert "h.sqlite is damaged, or no file of runs" in put(tmp_path, runs[0]).stderr
    (tmp_path / "h.sqlite").unlink()
    with sqlite3.connect(tmp_path / "h.sqlite") as database:
        database.execute("pragma user_version = 7")
    assert "h.sqlite is of another version of State Lab (form 7, this one: 1)" in put(tmp_path, runs[0]).stderr


def test_json(runs: list[Path], tmp_path: Path) -> None:
    done = command("history", *runs, "--db", tmp_path / "h.sqlite", "--json")
    told = json.loads(done.stdout)
    assert [run["name"] for run in told["runs"]] == ["a", "b", "c"]
    changed, kept = told["cells"]
    assert changed["verdicts"] == ["held", None, "violated: lost-update"]
    assert changed["changed"] == [{"before": "a", "after": "c", "differs": {"flask": ["3.0.3", "3.1.3"]}}]
    assert (kept["violated"], kept["of"], kept["changed"]) == (0, 3, [])


def test_the_page(runs: list[Path], tmp_path: Path) -> None:
    """Beside the file; each cell has its picture, each run the link to its page; nothing of a run can steer it."""
    (runs[0] / "index.html").write_text("")
    saved(tmp_path / "d", 22, cell(mechanism="<script>alert(1)</script>"), versions={"flask": "<b>4</b>"})
    assert str(tmp_path / "h.html") in put(tmp_path, *runs, tmp_path / "d").stdout.replace("\n", "")
    page = (tmp_path / "h.html").read_text()
    assert page.count('<svg class="over-time" viewBox') == 3
    assert 'href="a/index.html"' in page
    assert "<b>a → c</b>: held → violated: lost-update. Between them: flask 3.0.3 → 3.1.3." in page
    assert "<script" not in page
    assert "<b>4</b>" not in page


def test_the_terminal_shows_one_screen(tmp_path: Path) -> None:
    """Of many runs and many changed cells the last ones, and how many more there are."""
    names = [f"m{n:02}" for n in range(40)]
    for day in range(1, 26):
        changes = LOST if day % 2 else {}
        saved(tmp_path / f"r{day:02}", day, *(cell(mechanism=name, **changes) for name in names))
    done = CliRunner().invoke(
        cli, ["history", *map(str, sorted(tmp_path.glob("r*"))), "--db", str(tmp_path / "h.sqlite")]
    )
    assert "and 10 runs before them" in done.output
    assert "and 25 cells more, on the page" in done.output
    assert len(done.output.splitlines()) <= 45


def test_a_run_without_a_start_is_named_by_its_folder(tmp_path: Path) -> None:
    run = SavedRun.of(tmp_path / "x", results(cell()))
    assert (run.name, run.started, run.id) == ("x", "x", SavedRun.of(tmp_path / "y", results(cell())).id)

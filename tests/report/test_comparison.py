"""Two runs side by side: what changed, what only differs by chance, and what is in one of them alone."""

import json
import math
import random
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from statelab.cli.main import cli, main
from statelab.core.results import Cell, Results, Witness
from statelab.report.comparison import compare

from .cells import LOST, cell, results


def many(count: int, seed: int, **changes: float) -> Results:
    """Cells whose throughput varies by chance, by about 5 %; `changes` are factors for single cells."""
    chance = random.Random(seed)
    rates = {f"m{n}": 500 * math.exp(chance.gauss(0, 0.05)) for n in range(count)}
    return results(*(cell(mechanism=name, rate_ops_s=rate * changes.get(name, 1)) for name, rate in rates.items()))


def saved(folder: Path, cells: Sequence[Cell]) -> Path:
    folder.mkdir()
    (folder / "results.json").write_bytes(msgspec.json.encode(results(*cells)))
    return folder


def test_another_verdict_and_other_anomalies_are_told_apart() -> None:
    """A cell is named once; the order is that of the second run."""
    before = results(cell(), cell(window="tight", predicted=["lost-update", "divergent"], **LOST))
    broken = cell(**LOST)
    more = cell(
        window="tight",
        predicted=["lost-update", "divergent"],
        **{**LOST, "anomalies": ["lost-update", "divergent"]},
    )
    found = compare(before, results(broken, more))
    assert [change.after for change in found.verdicts] == [broken]
    assert [change.after for change in found.anomalies] == [more]
    assert not found.verdicts[0].predicted
    assert found.anomalies[0].predicted
    assert not found.same
    assert compare(before, before).same


def test_cells_of_one_run_only_are_counted() -> None:
    found = compare(results(cell(), cell(deployment="sync")), results(cell(), cell(deployment="gevent")))
    assert found.common == 1
    assert [key.deployment for key in found.only_before] == ["sync"]
    assert [key.deployment for key in found.only_after] == ["gevent"]


def test_throughput_is_named_beyond_the_noise_and_not_within_it() -> None:
    """Two runs of the same thing name nothing; one cell at half the speed is named, whatever all cells share."""
    assert compare(many(2_000, 1), many(2_000, 2)).throughput == []
    slower = many(2_000, 2, m7=0.5)
    everything_twice_as_fast = results(
        *(msgspec.structs.replace(c, rate_ops_s=2 * (c.rate_ops_s or 0)) for c in slower.cells)
    )
    found = compare(many(2_000, 1), everything_twice_as_fast)
    assert [change.key.mechanism for change in found.throughput] == ["m7"]
    assert found.shift == pytest.approx(2, rel=0.01)
    assert found.noise == pytest.approx(math.exp(0.05 * math.sqrt(2)), rel=0.02)


def test_the_command_prints_tables_and_says_by_its_exit_code_whether_verdicts_changed(tmp_path: Path) -> None:
    before, after = saved(tmp_path / "a", [cell()]), saved(tmp_path / "b", [cell(**LOST)])
    same, other = (CliRunner().invoke(cli, ["compare", str(before), str(run)]) for run in (before, after))
    assert (same.exit_code, other.exit_code) == (0, 1)
    assert "Another verdict: none" in same.output
    assert "counter/redis-incr" in other.output
    assert "violated: lost-update" in other.output
    parsed = json.loads(CliRunner().invoke(cli, ["compare", str(before), str(after), "--json"]).output)
    assert [change["after"]["anomalies"] for change in parsed["verdicts"]] == [["lost-update"]]


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "it has no results.json"), ('{"cells": 3}', "is not of a form that this version reads")],
)
def test_what_is_no_run_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], content: str | None, said: str
) -> None:
    if content:
        (tmp_path / "results.json").write_text(content)
    monkeypatch.setattr("sys.argv", ["statelab", "compare", str(tmp_path), str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_what_differs_between_the_runs_is_named() -> None:
    """Versions first, then what the machine and the load were; what a run has of its own (its seed) is none."""
    versions = {"python": "3.11.2", "flask": "3.0.3"}
    before = results(cell(), versions=versions, machine={"cores": 2}, engine="local", seed=1)
    after = results(cell(), versions={**versions, "flask": "3.1.3"}, machine={"cores": 8}, engine="local", seed=2)
    told = [(each.name, each.before, each.after) for each in compare(before, after).differs]
    assert told == [("flask", "3.0.3", "3.1.3"), ("cores", "2", "8")]


def test_the_page_of_a_comparison(tmp_path: Path) -> None:
    """It is in the folder of the second run; a change has both marks, the link to both pages, and its proof; nothing of
    what the runs say can steer it."""
    proof = Witness(anomaly="lost-update", operations=[], text="A and B were both told 1. <script>alert(1)</script>")
    before, after = saved(tmp_path / "a", [cell()]), saved(tmp_path / "b", [cell(**LOST, witness=proof)])
    assert "b/compared-with-a.html" in CliRunner().invoke(cli, ["compare", str(before), str(after)]).output
    page = (after / "compared-with-a.html").read_text()
    assert "Of the cells of both runs (1), 1 has another verdict." in page
    for address in ("../a/index.html#counter.redis-incr.sync-4.io", '"index.html#counter.redis-incr.sync-4.io'):
        assert address in page
    assert "✗ lost-update" in page.replace("‼", "✗")
    assert "A and B were both told 1." in page
    assert "<script" not in page
    CliRunner().invoke(cli, ["compare", str(before), str(before)])
    assert "All cells of both runs (1) have the same verdict" in (before / "compared-with-a.html").read_text()

"""The files in a run folder: whole or not at all, and results.json is the contract."""

import csv
import json
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from statelab.report.content.columns import COLUMNS
from statelab.report.formats import files
from statelab.report.formats.files import read_results, write_report

from .cells import cell, results
from .sample import SHOWN, sample

CONTRACT = {
    "workload",
    "mechanism",
    "deployment",
    "window",
    "predicted",
    "verdict",
    "anomalies",
    "operations",
    "coverage",
    "lost",
    "race_events",
    "scope",
    "witness",
    "rate_ops_s",
    "latency_ms",
    "fix",
    "lasting_fix",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("run")
    write_report(sample(), path)
    return path


def test_a_report_is_four_files_and_nothing_else(folder: Path) -> None:
    """No temporary file stays behind."""
    assert sorted(path.name for path in folder.iterdir()) == ["index.html", "report.md", "results.csv", "results.json"]


def test_results_come_back_as_they_were_written(folder: Path) -> None:
    """results.json holds all of the value: read and written again it is the same."""
    assert read_results(folder) == sample()


def test_results_json_is_the_contract(folder: Path) -> None:
    """The fields of the architecture by name; one that does not apply is null."""
    stored = json.loads((folder / "results.json").read_bytes())
    assert [*stored] == ["unpredicted", "manifest", "cells"]
    assert all(found.keys() >= CONTRACT for found in stored["cells"])
    violated = next(found for found in stored["cells"] if found["verdict"] == "violated")
    assert violated["operations"].keys() >= {"ok", "fail", "info"}
    assert violated["coverage"].keys() >= {"processes", "expected_processes", "threads", "overlaps"}
    assert violated["lost"].keys() == {"min", "max"}
    assert violated["latency_ms"].keys() == {"p50", "p95", "p99"}
    assert violated["witness"].keys() >= {"operations", "text"}
    fixes = [found["fix"] for found in stored["cells"] if found["fix"]]
    assert fixes
    assert all(fix.keys() >= {"mechanism", "rate_ratio", "p95_ratio"} for fix in fixes)
    assert all(found["fix"] is None for found in stored["cells"] if found["verdict"] != "violated")
    unavailable = next(found for found in stored["cells"] if found["verdict"] == "unavailable")
    assert unavailable["operations"] is None


def test_results_json_begins_with_what_nobody_predicted(folder: Path) -> None:
    """Every cell that is ‼ or ≠, with what was not predicted and its proof, what contradicts the theory first."""
    stored = json.loads((folder / "results.json").read_bytes())
    states_found = [found["state"] for found in stored["unpredicted"]]
    assert states_found == sorted(states_found)
    assert set(states_found) == {"contradiction", "different"}
    unpredicted = [c for c in stored["cells"] if c["verdict"] == "violated" and {*c["anomalies"]} - {*c["predicted"]}]
    assert len(stored["unpredicted"]) == len(unpredicted)
    assert all({*found["anomalies"]}.isdisjoint(found["predicted"]) for found in stored["unpredicted"])
    assert all(found["proof"] for found in stored["unpredicted"])


def test_the_csv_has_one_line_a_cell_and_units_in_its_header(folder: Path) -> None:
    """Tidy: the same columns in every line, figures as plain numbers, nothing where none applies."""
    with (folder / "results.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == len(sample().cells)
    assert [*lines[0]] == [name for column in COLUMNS for name in column.csv]
    assert {"rate_ops_per_s", "latency_p50_ms", "witness_slack_ns"} <= lines[0].keys()
    assert {line["state"] for line in lines} == {state.name for state in SHOWN} - {"not-run"}
    held = next(line for line in lines if line["state"] == "held")
    assert float(held["latency_p99_ms"]) > 0
    assert held["witness_text"] == ""
    broken = next(line for line in lines if line["fix_mechanism"])
    assert float(broken["fix_rate_ratio"]) > 0
    assert float(broken["fix_p95_ratio"]) > 0
    commands = {line["repro"] for line in lines if line["state"] == "violated"}
    assert "statelab repro counter/module-global --deployment gthread" in commands
    assert "" in commands
    bounds = {line["not_seen_upper_bound_share"] for line in lines if line["state"] == "not-seen"}
    assert all(0 < float(bound) < 0.01 for bound in bounds)


def test_a_report_is_replaced_by_the_next_one(tmp_path: Path) -> None:
    """Rendering a saved run again leaves the new files only; a missing folder is made."""
    write_report(results(cell()), tmp_path / "new")
    write_report(results(cell(mechanism="file")), tmp_path / "new")
    assert read_results(tmp_path / "new").cells[0].mechanism == "file"
    assert len(list((tmp_path / "new").iterdir())) == 4


def test_a_write_that_fails_leaves_the_old_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a page is never seen."""
    write_report(results(cell()), tmp_path)
    before = (tmp_path / "results.json").read_bytes()

    def full(self: Path, content: bytes) -> int:
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="no space"):
        files.write_report(results(cell(mechanism="file")), tmp_path)
    assert (tmp_path / "results.json").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 4


def test_the_templates_are_part_of_the_wheel() -> None:
    """An installed package finds its page, style and script."""
    root = next(parent for parent in Path(__file__).parents if (parent / "pyproject.toml").is_file())
    packed = {included.distribution_path for included in WheelBuilder(str(root)).recurse_included_files()}
    templates = (root / "src/statelab/report/formats/templates").iterdir()
    assert {f"statelab/report/formats/templates/{path.name}" for path in templates} <= packed

"""Writes the report's files into a run folder, each completely or not at all."""

import os
from pathlib import Path
from typing import Any

import msgspec

from statelab.core.errors import BadInput
from statelab.core.results import Results
from statelab.plan.manifest import made_by
from statelab.report.comparison import RunComparison
from statelab.report.content.columns import csv_text
from statelab.report.content.document import compose
from statelab.report.content.rows import Row
from statelab.report.content.states import extra
from statelab.report.formats import html, markdown
from statelab.report.over_time import OverTime


def write_report(results: Results, folder: Path) -> None:
    """Writes `index.html`, `report.md`, `results.json` and `results.csv`.

    `results.json` begins with `unpredicted`: each cell in which something was seen that was not predicted.
    """
    report = compose(results)
    folder.mkdir(parents=True, exist_ok=True)
    surprises = [row for sentence in report.surprises for row in sentence.rows]
    stored = {"unpredicted": list(map(_unpredicted, surprises)), "manifest": results.manifest, "cells": results.cells}
    _write(folder / "results.json", msgspec.json.format(msgspec.json.encode(stored), indent=1))
    _write(folder / "results.csv", csv_text(report.rows).encode())
    _write(folder / "report.md", markdown.render(report).encode())
    _write(folder / "index.html", html.render(report).encode())


def write_page(results: Results, folder: Path) -> None:
    """Writes `index.html` alone, while a run goes on."""
    _write(folder / "index.html", html.render(compose(results)).encode())


def write_comparison(found: RunComparison, before: Path, after: Path) -> Path:
    """Writes the page of a comparison into the folder of the second run, named after the first; returns its path."""
    names = before.resolve().name, after.resolve().name
    path = after.resolve() / f"compared-with-{names[0]}.html"
    own = os.path.relpath(before.resolve() / "index.html", path.parent), "index.html"
    _write(path, html.render_comparison(found, names, own).encode())
    return path


def _unpredicted(row: Row) -> dict[str, Any]:
    """The cell's address, its anomalies that were not predicted, and the proof."""
    cell = row.cell
    return {
        "workload": cell.workload,
        "mechanism": cell.mechanism,
        "deployment": cell.deployment,
        "window": cell.window,
        "state": row.state.name,
        "anomalies": extra(cell),
        "predicted": cell.predicted,
        "reason": cell.reason,
        "proof": cell.witness.text if cell.witness else None,
        "repro": row.repro,
    }


def read_results(folder: Path) -> Results:
    """What `write_report` stored; raises msgspec.DecodeError if `results.json` does not have this form."""
    return msgspec.json.decode((folder / "results.json").read_bytes(), type=Results)


def results_of(run: Path) -> Results:
    """The results of a run folder. Raises BadInput if it holds none that this version reads; the error names the
    folder, and the commit that made it if the folder says so."""
    try:
        return read_results(run)
    except (FileNotFoundError, NotADirectoryError):
        raise BadInput(f"{run}: no run folder: it has no results.json") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        manifest = run / "manifest.json"
        by = f" ({made_by(manifest.read_bytes())})" if manifest.is_file() else ""
        raise BadInput(f"{run}/results.json is not of a form that this version reads{by}: {error}") from None


def write_over_time(found: OverTime, path: Path) -> Path:
    """Writes the page of many runs; returns where it is."""
    path = path.resolve()
    pages = [run.folder / "index.html" for run in found.runs]
    # None: the run's page is not there any more.
    links = [os.path.relpath(page, path.parent) if page.exists() else None for page in pages]
    _write(path, html.render_over_time(found, links).encode())
    return path


def _write(path: Path, content: bytes) -> None:
    """Replaces the file in one step: a reader sees the old file or the new one, never a part."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)

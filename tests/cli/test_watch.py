"""A run while it goes on: what is shown of it, how its page renews itself, and that judging early changes nothing."""

import io
import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from rich.console import Console

from offered import offered
from simulated_cells import Deployment, simulate
from statelab.check.assess import assess
from statelab.cli.report import judge_and_report
from statelab.cli.watch import Watch
from statelab.core.errors import BadInput
from statelab.core.operation import encode_line
from statelab.core.paths import DEPLOYMENTS
from statelab.core.results import CellKey
from statelab.deploy.local import LocalEngine
from statelab.drive.campaign import Campaign
from statelab.plan import machine
from statelab.plan.deployments import load_all
from statelab.plan.manifest import Manifest
from statelab.plan.matrix import Selection, select
from statelab.plan.profiles import PROFILES
from statelab.record.run_folder import RunFolder

BREAKS = CellKey(workload="counter", mechanism="module-global", deployment="sync-4", window="io")
HOLDS = CellKey(workload="counter", mechanism="redis-incr", deployment="sync-4", window="io")
SERVED = {BREAKS: Deployment(processes=4, copies="process"), HOLDS: Deployment(processes=4)}


def manifest(cells: list[CellKey], runs: int = 1) -> Manifest:
    return Manifest(
        started="2026-11-26 02:00:00 +0000",
        profile=PROFILES["essentials"],
        engine="local",
        engine_reason="",
        seed=5,
        token="watch",
        runs=runs,
        cells=cells,
        catalogue=offered(),
        deployments=list(load_all(DEPLOYMENTS).values()),
        machine=machine.describe(),
    )


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    run = RunFolder.create(tmp_path)
    run.recordings.mkdir()
    return run


def measure(planned: Manifest, folder: RunFolder, run: int, index: int) -> None:
    """What the load leaves of a cell."""
    key = planned.key(run, index)
    history = simulate(SERVED[planned.cells[index]], random.Random(run))
    operations = [structs.replace(history.operation(row), key=key) for row in range(len(history))]
    with (folder.recordings / "history-1.jsonl").open("ab") as recording:
        recording.writelines(map(encode_line, operations))
    planned.measured.append(key)


def page(folder: RunFolder) -> str:
    return (folder.path.parent / "latest" / "index.html").read_text()


def test_the_page_is_there_at_once_and_fills(folder: RunFolder) -> None:
    """Before the first cell it says that none is measured; after it, that cell is on it; at the end it is still."""
    planned, out = manifest([BREAKS, HOLDS]), io.StringIO()
    folder.write_manifest(planned)
    with Watch(Console(file=out, width=120), planned, folder) as watch:
        assert "0 of 2 cells measured" in page(folder)
        for place, (run, index, _) in enumerate(watch([(1, 0, BREAKS), (1, 1, HOLDS)], "measuring")):
            if place == 1:
                assert "1 of 2 cells measured" in page(folder)
                assert 'id="counter.module-global.sync-4.io"' in page(folder)
                assert re.search(r'http-equiv="refresh" content="\d+"', page(folder))
                assert "So far no cell is violated where held is predicted." in page(folder)
            measure(planned, folder, run, index)
    folder.write_manifest(planned)
    judge_and_report(Console(file=out, width=120), folder, early=watch.judged)
    assert not re.search('http-equiv="refresh"|data-renew=|So far', page(folder))
    printed = out.getvalue()
    assert printed.index("The page, which fills") < printed.index("✗ counter/module-global under sync-4")
    assert "2 of 2 cells measured" in printed


def test_what_is_judged_early_is_judged_alike(folder: RunFolder) -> None:
    """With it and without it a run has the same results; a history to which something was added is judged anew."""
    planned = manifest([BREAKS, HOLDS], runs=2)
    schedule = [(run, index, key) for run in (1, 2) for index, key in enumerate(planned.cells)]
    with Watch(Console(file=io.StringIO()), planned, folder) as watch:
        for run, index, _ in watch(schedule, "measuring"):
            measure(planned, folder, run, index)
    assert len(watch.judged) == 4
    folder.write_manifest(planned)
    early = {
        place: (number, structs.replace(judgement, reason="early"))
        for place, (number, judgement) in watch.judged.items()
    }
    broken, held = assess(folder, early).cells
    assert (broken.verdict, held.verdict, held.reason) == ("violated", "held", "held in 2 of 2 runs: early")
    more = {place: (number - 1, judgement) for place, (number, judgement) in early.items()}
    assert assess(folder, more).cells == assess(folder).cells
    assert assess(folder, watch.judged).cells == assess(folder).cells


def test_a_terminal_shows_all_promises_before_anything_is_measured(folder: RunFolder) -> None:
    """Rows and columns are there from the beginning; the cell that was judged last stands below them."""
    planned, out = manifest([BREAKS, HOLDS]), io.StringIO()
    console = Console(file=out, width=100, force_terminal=True, color_system=None)
    with Watch(console, planned, folder) as watch:
        console.print(watch._shown())
        before = out.getvalue()
        for run, index, _ in watch([(1, 0, BREAKS)], "measuring"):
            measure(planned, folder, run, index)
        console.print(watch._shown())
    assert re.search(r"counter +·", before)
    after = out.getvalue().removeprefix(before)
    assert re.search(r"counter +✗ 0/1", after)
    assert "✗ counter/module-global under sync-4, window io: divergent" in after


def test_a_run_in_which_nothing_was_measured_leaves_the_run_before_it(tmp_path: Path) -> None:
    """`reports/latest` does not lead to a folder that is gone."""
    (tmp_path / "before").mkdir()
    (tmp_path / "latest").symlink_to("before")
    run = RunFolder.create(tmp_path)
    run.point_latest()
    run.remove()
    assert (tmp_path / "latest").readlink() == Path("before")


def test_the_cells_of_the_first_question_come_first() -> None:
    """`module-global`, in an order that is drawn; then all others."""
    everything = Selection(workloads=[], mechanisms=[], deployments=[], windows=[])
    cells = select(offered(), load_all(DEPLOYMENTS), PROFILES["essentials"], everything)
    engine = LocalEngine()
    campaign = Campaign(manifest(cells), RunFolder(Path("none")), engine, lambda items, text: items)
    engine.down()
    order = [cell for _, _, cell in campaign._schedule()]
    assert sorted(order, key=str) == sorted(cells, key=str)
    first = [cell for cell in cells if (cell.workload, cell.mechanism) == ("counter", "module-global")]
    assert sorted(order[: len(first)], key=str) == sorted(first, key=str)
    assert order[len(first) :] != [cell for cell in cells if cell not in first]


def _change(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    told = json.loads(path.read_text())
    change(told)
    path.write_text(json.dumps(told))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda told: told.pop("token"), "missing required field `token`"),
        (lambda told: told.update(runs="two"), "Expected `int`"),
        (lambda told: told["deployments"].clear(), "counter/module-global under sync-4"),
        (lambda told: told["catalogue"]["workloads"].pop("counter"), "counter/module-global under sync-4"),
    ],
)
def test_a_run_of_another_version(folder: RunFolder, change: Callable[[dict[str, Any]], object], why: str) -> None:
    """One sentence names the folder, what is wrong with it, the version that made it, and the page that it has."""
    planned = manifest([BREAKS])
    measure(planned, folder, 1, 0)
    folder.write_manifest(planned)
    judge_and_report(Console(file=io.StringIO()), folder)
    _change(folder.path / "manifest.json", change)
    with pytest.raises(BadInput) as refused:
        judge_and_report(Console(file=io.StringIO()), RunFolder.open(folder.path))
    for part in (str(folder.path), "another version", why, str(planned.machine["commit"]), "index.html"):
        assert part in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_history_that_is_cut(folder: RunFolder) -> None:
    """Its file is named."""
    planned = manifest([BREAKS])
    measure(planned, folder, 1, 0)
    folder.write_manifest(planned)
    judge_and_report(Console(file=io.StringIO()), folder)
    path = folder.history_path(1, BREAKS)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(BadInput, match=r"histories/counter/run-1/module-global\.sync-4\.io\.parquet"):
        judge_and_report(Console(file=io.StringIO()), RunFolder.open(folder.path))

"""The backends of docs/maintainers.md, from files outside of the lab: what the page shows of them is measured again."""

import re
import shlex
from pathlib import Path

import pytest

from program import Statelab, measured
from report.cells import LOST, cell
from statelab.core.paths import ROOT
from statelab.report.content.rows import Row
from statelab.report.content.states import CODES

pytestmark = pytest.mark.process

PAGE = (ROOT / "docs" / "maintainers.md").read_text()
COMMAND = r"make report MECHANISM=(examples/\S+),(\S+) WORKLOAD=(\S+) DEPLOYMENT=(\S+)"
SHOWN = {
    workload: (file, neighbour, deployments.split(","))
    for file, neighbour, workload, deployments in re.findall(COMMAND, PAGE)
}


def printed(name: str, deployments: list[str]) -> dict[str, list[str]]:
    """The anomalies in a mechanism's row on the page, by deployment."""
    anomalies = {code: anomaly for anomaly, code in CODES.items()}
    row = re.search(rf"^{name} +((?:[✗✓]\S* *){{{len(deployments)}}})$", PAGE, re.MULTILINE)
    assert row, name
    cells = zip(deployments, row[1].split(), strict=True)
    return {name: [anomalies[code] for code in re.findall("[A-Z-]+", text)] for name, text in cells}


def test_the_page_shows_three_extensions() -> None:
    """A backend of each, in a file that the lab does not know by name."""
    assert SHOWN.keys() == {"session", "cache", "rate-limit"}
    files = {(ROOT / file).resolve() for file, _, _ in SHOWN.values()}
    assert files == set((ROOT / "examples" / "maintainers").glob("*.py"))


@pytest.mark.parametrize("workload", SHOWN)
def test_what_the_page_shows(statelab: Statelab, tmp_path: Path, workload: str) -> None:
    """Under processes, what the page says of the file's mechanism, and what the rule predicts of it."""
    file, _, deployments = SHOWN[workload]
    name = Path(file).stem.replace("_", "-")
    expected = printed(name, deployments)["sync-4"]
    cells = measured(
        statelab,
        tmp_path,
        *("--workload", workload, "--mechanism", str(ROOT / file), "--deployment", "sync-4", "--window", "io"),
        shows={(name, "sync-4"): expected},
        files={name: str(ROOT / file)},
    )
    (found,) = cells.values()
    assert sorted(found["anomalies"]) == sorted(found["predicted"]) == sorted(expected)
    assert found["verdict"] == ("violated" if expected else "held")
    assert found["file"] == str(ROOT / file)


def test_it_is_reproduced_from_its_file(statelab: Statelab) -> None:
    """The command that the report prints beside the cell names the file."""
    file = str(ROOT / SHOWN["session"][0])
    lost = LOST | {"workload": "session", "mechanism": "flask-session-valkey", "deployment": "gthread"}
    command = Row(cell(**lost, file=file)).repro
    assert command == f"statelab repro session/{file} --deployment gthread"
    done = statelab(*shlex.split(command)[1:], "--engine", "local")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Reproduced: " in done.stdout

"""Every output that docs/ shows is real, and every command on its pages ends well: they are run as they stand there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import shown
from statelab.cli.main import COMMANDS
from statelab.core.paths import ROOT

TAUGHT = [
    "tutorial.md",
    "lesson-1-lost-update.md",
    "lesson-2-copies.md",
    "lesson-3-not-atomic.md",
    "check-a-history.md",
]


def as_shown(page: Path, folder: Path) -> None:
    text = page.read_text()
    shown.prepare(text, folder)
    for command, output in shown.blocks(text):
        printed = shown.run(command, folder)
        assert shown.alike(output, printed), f"{page.name}: $ {command}\n{printed}\nthe page shows\n{output}"


@pytest.mark.process
@pytest.mark.parametrize("name", TAUGHT)
def test_the_outputs_of_a_page_are_real(name: str, tmp_path: Path) -> None:
    """The tutorial and the lessons on real servers, each in a folder of its own."""
    as_shown(ROOT / "docs" / name, tmp_path)


def test_the_command_line_is_up_to_date(tmp_path: Path) -> None:
    """docs/cli.md has the help of every command: `make docs` writes it."""
    page = ROOT / "docs/cli.md"
    as_shown(page, tmp_path)
    assert [command for command, _ in shown.blocks(page.read_text())] == [
        "statelab --help",
        *(f"statelab {name} --help" for name in COMMANDS),
    ]


def test_no_page_shows_an_output_that_is_not_run() -> None:
    """Each page of the tutorial and of the lessons has one at least."""
    assert sorted(page.name for page in shown.PAGES) == sorted([*TAUGHT, "cli.md"])
    assert all(command.startswith("statelab ") for page in shown.PAGES for command, _ in shown.blocks(page.read_text()))


def test_another_output_is_not_alike() -> None:
    """Pids and times may differ, and what is said may not."""
    page = "  4.9   A     pid 31931, thread 31943   found 2, made it 3, is told 3\n"
    assert shown.alike(page, " 110.2   A     pid 7, thread 8   found 2, made it 3, is told 3\n")
    assert not shown.alike(page, page.replace("told 3", "told 4"))
    assert not shown.alike(page, page + "and more\n")
    assert shown.alike("...\n2 cells\n...\n", "a\n2 cells\nb\n")
    assert not shown.alike("...\n2 cells\n...\n", "a\n3 cells\nb\n")


def test_the_python_of_the_page_on_apis_runs(tmp_path: Path) -> None:
    (program,) = re.findall(r"^```python\n(.*?)^```$", (ROOT / "docs/api.md").read_text(), re.DOTALL | re.MULTILINE)
    shown.prepare((ROOT / "docs/tutorial.md").read_text(), tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "violated 3\n"

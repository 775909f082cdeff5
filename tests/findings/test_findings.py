"""What the lab has found in other people's libraries: each script is red with the library, green with its fix."""

import ast
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from statelab.core.errors import BadInput
from statelab.deploy.processes import Processes
from statelab.deploy.stores import start_memcached, start_redis
from statelab.report.docs.findings_page import FIX, FOLDER, PAGE, Finding, current, load, of_this_python, read

FINDINGS = load()
EACH = pytest.mark.parametrize("finding", FINDINGS, ids=[finding.name for finding in FINDINGS])
HERE = [finding for finding in FINDINGS if of_this_python(finding)]
MOST_LINES = 40


@pytest.fixture
def folder() -> Iterator[Path]:
    """A home and temporary folder of the script's own; short, since a Unix socket's path has 107 characters at most."""
    with tempfile.TemporaryDirectory(prefix="found-") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Where a real memcached and a real Redis listen, as the scripts' environment."""
    logs = tmp_path_factory.mktemp("logs")
    with Processes() as processes:
        started = (start_redis(processes, logs), start_memcached(processes, logs))
        yield {store.variable: store.address for store in started}


def run(finding: Finding, stores: dict[str, str], folder: Path, *arguments: str) -> tuple[int, str]:
    """Its exit code and all that it printed.

    Twice at most: gunicorn's dirty arbiter, told to end just as it begins, stays and holds the output open."""
    command = [sys.executable, str(FOLDER / f"{finding.name}.py"), *arguments]
    environment = {**os.environ, **stores, "HOME": str(folder), "TMPDIR": str(folder)}
    for last in (False, True):
        script = subprocess.Popen(
            command, env=environment, cwd=folder, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        try:
            printed, _ = script.communicate(timeout=90)
            return script.returncode, printed
        except subprocess.TimeoutExpired:
            os.killpg(script.pid, signal.SIGKILL)
            script.communicate()
            if last:
                raise
    raise AssertionError


@pytest.mark.process
@pytest.mark.parametrize("finding", HERE, ids=[finding.name for finding in HERE])
def test_it_is_there_and_the_fix_mends_it(finding: Finding, stores: dict[str, str], folder: Path) -> None:
    """It prints exactly what the page says, so an error of another kind is not taken for the defect. Those of the
    containers' Python are run in one of them, by tests/lab/test_compose.py."""
    expected, actual = finding.sections["Expected"], finding.sections["Actual"]
    assert run(finding, stores, folder) == (1, f"expected: {expected}\nactual: {actual}\n")
    assert run(finding, stores, folder, "--fixed") == (0, f"expected: {expected}\nactual: {expected}\n")


@EACH
def test_it_was_found_in_the_versions_that_are_installed(finding: Finding) -> None:
    """A new version may have mended it, or broken it otherwise: somebody has to look again. Any Python will do."""
    found = finding.versions
    assert found
    assert found == {name: number if name == "CPython" else version(name) for name, number in found.items()}


@EACH
def test_the_script_is_short_and_needs_nothing_of_the_lab(finding: Finding) -> None:
    """Without its docstring and its fix; what it imports is the library, or comes with Python."""
    source = (FOLDER / f"{finding.name}.py").read_text()
    tree = ast.parse(source)
    aside = {
        line
        for node in tree.body
        if node is tree.body[0] or (isinstance(node, ast.FunctionDef) and node.name == FIX)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    lines = [line for number, line in enumerate(source.splitlines(), 1) if number not in aside and line.strip()]
    assert len(lines) <= MOST_LINES
    assert "statelab" not in source
    assert "webapp" not in source


def test_the_page_is_what_the_scripts_say() -> None:
    """`make docs` writes it."""
    assert PAGE.read_text() == current()


@pytest.mark.parametrize(
    ("text", "lacks"),
    [
        ('"""Title\n\nLibrary: a 1\n"""\ndef fix():\n    pass\n', "the section Store"),
        ('"""T\n\nLibrary: a 1\nStore: b\nExpected: c\nActual: d\nWhy: e\nFix: f\n"""\n', r"a function fix\(\)"),
    ],
)
def test_a_finding_that_lacks_something_is_refused(tmp_path: Path, text: str, lacks: str) -> None:
    path = tmp_path / "half.py"
    path.write_text(text)
    with pytest.raises(BadInput, match=f"half.py lacks .*{lacks}"):
        read(path)

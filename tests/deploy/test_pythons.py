"""Which Python serves: found by version, name or path, or refused in one sentence; what it cannot have, it says."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from program import Statelab
from statelab.core.errors import BadInput, Unavailable
from statelab.core.paths import SERVICES
from statelab.deploy import pythons
from statelab.deploy.choose import choose
from statelab.plan.app import App, Python
from statelab.plan.machine import library_versions

SAYS = {"kind": "CPython", "version": "3.12.9", "without_gil": False, "environment": False, "program": "/python"}


def program(path: Path, **says: object) -> str:
    """A program that gives the answers of an interpreter: it tests the search, not the interpreter."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{json.dumps(SAYS | says)}'\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A machine on which nothing is but the folder `bin`, which is on PATH, and what pyenv has."""
    for name, place in {"PATH": "bin", "PYENV_ROOT": "pyenv", "UV_PYTHON_INSTALL_DIR": "uv"}.items():
        monkeypatch.setenv(name, str(tmp_path / place))
    monkeypatch.delenv("FREE_THREADED_PYTHON", raising=False)
    pythons.free_threaded.cache_clear()
    yield tmp_path
    pythons.free_threaded.cache_clear()


@pytest.mark.parametrize(
    ("wanted", "says", "sentence"),
    [
        ("3.99", {}, r"--python 3\.99: there is none here, but 3\.12\.9; .*`uv python install`.* bring one"),
        ("pythn3.12", {}, r"--python pythn3\.12: there is none here, but 3\.12\.9; "),
        ("3.12.8", {}, r"--python 3\.12\.8: there is none here, but 3\.12\.9; "),
        ("./nothing", {}, r"--python \./nothing: No such file or directory"),
        ("/dev/null", {}, r"--python /dev/null: Permission denied"),
        ("/bin/true", {}, r"--python /bin/true is no Python that starts"),
        (
            "3.12",
            {"kind": "PyPy"},
            r"--python 3\.12: that is PyPy 3\.12\.9; the lab serves under CPython 3\.11 or newer",
        ),
        ("python3.12", {"version": "3.10.1"}, r"that is CPython 3\.10\.1; the lab serves under CPython 3\.11 or newer"),
        ("3.12", {"without_gil": True}, r"a free-threaded build; FREE_THREADED_PYTHON=3\.12 with the profile free-"),
    ],
)
def test_what_is_refused(bare: Path, wanted: str, says: dict[str, object], sentence: str) -> None:
    """In one sentence, with what there is and how to get another."""
    program(bare / "bin" / "python3.12", **says)
    with pytest.raises(BadInput, match=sentence) as refused:
        pythons.named(wanted)
    assert "\n" not in str(refused.value)


def test_the_program_refuses_it_too(statelab: Statelab) -> None:
    done = statelab("run", "--python", "./nothing")
    assert (done.returncode, done.stderr) == (2, "statelab: --python ./nothing: No such file or directory\n")


def test_the_engine_of_containers_refuses_it() -> None:
    """An image has an interpreter of its own; `auto` takes local processes."""
    app = App(python=Python(program=sys.executable, version="3.12.9"))
    with pytest.raises(BadInput, match=r"--python is for ENGINE=local; .*LAB_PYTHON_IMAGE=python:3\.12-slim"):
        choose("compose", app)
    engine, reason = choose("auto", app)
    engine.down()
    assert (engine.name, reason) == ("local", "Python 3.12.9 of this machine serves")


def test_a_version_is_looked_for_on_path_then_in_pyenv(bare: Path) -> None:
    """A shim of pyenv that does not start is passed over; of several the newest is taken, or the one that is named."""
    for version in ("3.12.9", "3.12.10"):
        program(bare / "pyenv" / "versions" / version / "bin" / "python3.12", version=version, environment=True)
    shim = bare / "bin" / "python3.12"
    shim.parent.mkdir()
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    assert [found and found.version for found in map(pythons.named, ("3.12", "3.12.9"))] == ["3.12.10", "3.12.9"]


def test_what_runs_this_needs_no_other_environment() -> None:
    """Named by the interpreter that the environment was made from it is the lab's own; named by the environment's, it
    serves with the packages that are there."""
    base = pythons.ask(sys.executable).program
    assert pythons.ask(base).environment is False
    assert pythons.named(base) is None
    own = pythons.named(sys.executable)
    assert own
    assert own.own
    assert App(interpreter=own.program, python=own).is_the_labs


def block(name: str) -> str:
    """The lines of one package in the lock file."""
    found = re.search(rf"^{name}==.*\n(?:[ #].*\n)*", pythons.LOCK.read_text(), re.MULTILINE)
    assert found
    return found.group()


def test_an_environment_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what has a build for the interpreter, and with the reason for what has none."""
    flask = ("blinker", "click", "flask", "itsdangerous", "jinja2", "markupsafe", "werkzeug")
    lock = tmp_path / "app.txt"
    lock.write_text("".join(map(block, flask)) + f"six==0.0.1 \\\n    --hash=sha256:{'0' * 64}\n    # via nobody\n")
    monkeypatch.setattr(pythons, "LOCK", lock)
    monkeypatch.setattr(pythons, "STATE", tmp_path / "state")
    said: list[str] = []
    found = pythons.ask(pythons.ask(sys.executable).program)
    made, again = (pythons._with_packages(found, said.append) for _ in range(2))
    assert made == again
    assert len(said) == 1
    assert [name for name in (*flask, "six") if made.lacks(name)] == ["six"]
    assert "six==0.0.1" in str(made.lacks("six"))
    versions = library_versions(["six"], made.program)
    assert versions["python"] == made.version
    assert {"flask", "werkzeug"} <= versions.keys()
    assert not {"six", "redis"} & versions.keys()


def test_the_app_without_a_package(tmp_path: Path) -> None:
    """Where a package may be missing, the mechanism that needs it is unavailable and says why; else the app does not
    start."""
    (tmp_path / "diskcache.py").write_text("raise ImportError('no diskcache here')\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "WORKLOADS": "counter"}

    def answer(missing: dict[str, str]) -> dict[str, str]:
        command = [sys.executable, str(SERVICES / "catalogue_of.py"), str(SERVICES)]
        given = {**environment, "PACKAGES_MISSING": json.dumps(missing)}
        found: dict[str, str] = json.loads(subprocess.run(command, env=given, capture_output=True, check=True).stdout)
        return found

    assert answer({}) == {"failed": "ImportError: no diskcache here"}
    offered = json.loads(answer({"diskcache": "it has no wheel"})["body"])["workloads"]["counter"]["mechanisms"]
    why = "no diskcache here. What cannot be installed for this interpreter: diskcache: it has no wheel"
    assert offered["diskcache"]["unavailable"] == why
    assert offered["module-global"]["unavailable"] is None


def test_there_is_no_free_threaded_one(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is needed, and how to get it; what is named and is none is named again."""
    with pytest.raises(Unavailable, match=r"no free-threaded CPython here .*`uv python install 3\.14t`"):
        pythons.free_threaded()
    monkeypatch.setenv("FREE_THREADED_PYTHON", program(bare / "python3.14t"))
    with pytest.raises(Unavailable, match=r"FREE_THREADED_PYTHON=\S+: that is CPython 3\.12\.9, and no free-threaded"):
        pythons.free_threaded()


def test_a_free_threaded_one_is_found(bare: Path) -> None:
    for name in ("python3.13t", "python3.14t"):
        program(bare / "bin" / name, without_gil=True, environment=True, version=name.removeprefix("python"))
    assert pythons.free_threaded().version == "3.14t"

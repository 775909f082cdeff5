"""The lab end to end on real servers, as local processes: what it must show."""

from pathlib import Path
from typing import Any

import pytest

from program import Statelab
from program import measured
from program import results

pytestmark = pytest.mark.process

MECHANISMS = (
    "flask-g",
    "module-global",
    "module-global-lock",
    "mp-value",
    "shared-memory",
    "file-flock",
    "sqlite-update",
    "redis-incr",
    "redis-incr-get",
    "cachelib-inc-redis",
    "cachelib-inc-memcached",
    "postgres-update",
    "gunicorn-stash",
)
DEPLOYMENTS = ("dev-processes", "sync-4", "sync-4-preload", "gthread", "gthread-2x4", "gevent")

SHOWN = {
    ("module-global", "gthread"): ["lost-update"],
    ("module-global", "gthread-2x4"): ["lost-update", "divergent"],
    ("module-global", "gevent"): ["lost-update"],
    ("module-global", "sync-4"): ["divergent"],
    ("module-global", "dev-processes"): ["never-persists"],
    ("module-global-lock", "gthread"): [],
    ("module-global-lock", "sync-4"): ["divergent"],
    ("flask-g", "sync-4"): ["never-persists"],
    ("mp-value", "sync-4"): ["divergent"],
    ("mp-value", "sync-4-preload"): [],
    ("mp-value", "gevent"): ["lost-update"],
    ("shared-memory", "sync-4"): ["lost-update"],
    ("file-flock", "gthread"): [],
    ("file-flock", "gevent"): ["stalled"],
    ("cachelib-inc-memcached", "sync-4"): ["lost-update"],
    ("cachelib-inc-memcached", "gevent"): ["lost-update"],
    ("redis-incr-get", "gthread"): ["misreported"],
    ("gunicorn-stash", "sync-4"): ["lost-update"],
    **{("cachelib-inc-redis", name): [] for name in DEPLOYMENTS},
    **{("redis-incr", name): [] for name in DEPLOYMENTS},
    **{("sqlite-update", name): [] for name in DEPLOYMENTS},
    **{("postgres-update", name): [] for name in DEPLOYMENTS},
}


def by_place(found: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(cell["mechanism"], cell["deployment"]): cell for cell in found["cells"]}


def test_the_table(statelab: Statelab, tmp_path: Path) -> None:
    """Real servers under load show what the design measured; theory agrees; the run renders again without servers."""
    options = ["--mechanism", ",".join(MECHANISMS), "--deployment", ",".join(DEPLOYMENTS), "--window", "io"]
    cells = measured(statelab, tmp_path, "--workload", "counter", *options, shows=SHOWN)
    assert {place: cells[place]["anomalies"] for place in SHOWN} == SHOWN
    assert all(cell["verdict"] in ("held", "violated", "unavailable") for cell in cells.values())
    _check_details(cells)
    log = (tmp_path / "latest" / "recordings" / "locust.log").read_text()
    assert log.count("Aggregated") <= 2, "Locust's tables grow with each cell; the one at the end is enough"
    before = (tmp_path / "latest" / "results.csv").read_bytes()
    again = statelab("report", str(tmp_path / "latest"))
    assert again.returncode == 0
    assert (tmp_path / "latest" / "results.csv").read_bytes() == before


CACHE = {
    ("lru-cache", "sync"): [],
    ("lru-cache", "sync-4"): ["stale", "stampede"],
    ("flask-caching-redis", "sync"): [],
    ("flask-caching-redis", "gthread"): ["stale", "stampede"],
    ("versioned-keys", "gthread"): ["stampede"],
    ("versioned-single-flight", "sync-4"): [],
    ("versioned-single-flight", "gthread"): [],
}


def test_caches(statelab: Statelab, tmp_path: Path) -> None:
    """One request after the other hides what a cache does, processes and threads show it; one keeps both promises."""
    mechanisms, deployments = ({place[n] for place in CACHE} for n in (0, 1))
    options = ["--mechanism", ",".join(mechanisms), "--deployment", ",".join(deployments), "--window", "io"]
    cells = measured(statelab, tmp_path, "--workload", "cache", *options, shows=CACHE)
    assert {place: cells[place]["anomalies"] for place in CACHE} == CACHE
    assert {cells[place]["verdict"] for place in CACHE} == {"held", "violated"}
    stale = cells["lru-cache", "sync-4"]
    assert [operation["op"] for operation in stale["witness"]["operations"]][-1] == "read"


CONNECTION = {
    ("sqlite-global-one-thread", "sync"): [],
    ("sqlite-global-one-thread", "gthread"): ["broken-connection"],
    ("postgres-global", "sync"): [],
    ("postgres-global", "gthread"): ["crossed-replies"],
    ("memcached-before-fork", "sync"): [],
    ("memcached-before-fork", "sync-4-preload"): ["broken-connection"],
    ("redis-pool-before-fork", "gthread"): [],
    ("redis-pool-before-fork", "sync-4-preload"): [],
    ("memcached-pool-before-fork", "gthread"): [],
    ("memcached-pool-before-fork", "sync-4-preload"): ["broken-connection"],
    ("postgres-on-g", "gthread"): [],
}


def test_connections(statelab: Statelab, tmp_path: Path) -> None:
    """One process with one thread hides what a connection serves; threads and a fork show it; pools and `g` hold."""
    mechanisms, deployments = ({place[n] for place in CONNECTION} for n in (0, 1))
    options = ["--mechanism", ",".join(mechanisms), "--deployment", ",".join(deployments), "--window", "io"]
    cells = measured(statelab, tmp_path, "--workload", "connection", "--runs", "2", *options, shows=CONNECTION)
    assert {place: cells[place]["anomalies"] for place in CONNECTION} == CONNECTION
    broken = cells["memcached-before-fork", "sync-4-preload"]["witness"]["operations"]
    assert [operation["op"] for operation in broken] == ["probe", "echo", "probe"]


def test_every_mechanism_counts_right_one_request_after_the_other(statelab: Statelab, tmp_path: Path) -> None:
    """On one process and one thread, with its real store, each of them keeps the promise, but for `flask.g`."""
    done = statelab("run", "--engine", "local", "--deployment", "dev-single,sync", "--window", "call")
    assert done.returncode == 0, done.stdout + done.stderr
    cells = by_place(results(tmp_path))
    assert len(cells) == 2 * 39
    shown = {place: cell["anomalies"] for place, cell in cells.items() if cell["verdict"] != "held"}
    assert shown == {
        ("flask-g", "dev-single"): ["never-persists"],
        ("flask-g", "sync"): ["never-persists"],
        ("gunicorn-stash", "dev-single"): [],
        ("gunicorn-dirty-actor", "dev-single"): [],
    }


def _check_details(cells: dict[tuple[str, str], dict[str, Any]]) -> None:
    lost = cells["module-global", "gthread"]
    assert lost["lost"]["min"] > 0
    assert len(lost["witness"]["operations"]) == 2
    assert lost["coverage"]["overlaps"] > 0
    assert cells["redis-incr", "sync-4"]["coverage"]["processes"] == 4
    stash = cells["gunicorn-stash", "dev-processes"]
    assert stash["verdict"] == "unavailable"
    assert "werkzeug" in stash["reason"]

"""What deployments hide and show, on real servers under load: one run measures the cells of all tables in this file.

A table says what is seen of some cells; of all others that it names, and of these, nothing is seen that the rule does
not predict. A busy machine can hide a race, so what was not seen is measured again, twice at most and for longer;
whatever was seen in any of the runs counts."""

import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import product

import msgspec
import pytest
import test_request_scope
import test_session_cells

from offered import offered
from statelab.check.assess import assess
from statelab.core.paths import DEPLOYMENTS
from statelab.core.results import Cell, CellKey
from statelab.deploy.local import LocalEngine
from statelab.drive.campaign import Campaign
from statelab.plan.app import App
from statelab.plan.deployments import Deployment, load_all
from statelab.plan.manifest import Manifest
from statelab.plan.profiles import PROFILES
from statelab.record.run_folder import RunFolder
from statelab.theory.failures import Failure, load
from statelab.theory.fixes import Fixes, with_fixes

pytestmark = [pytest.mark.process, pytest.mark.timeout(1500)]

Cells = Mapping[CellKey, Cell]
Places = Mapping[tuple[str, str], Collection[str]]
"""What is seen, by mechanism and deployment."""

NOTHING: tuple[str, ...] = ()
FAILURES = load()
JUDGED = {"held", "violated"}
SHORT_S = 0.12
"""How long a cell is under load at least, about half as long as in a report; a race that hides is tried again."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """What is seen in some cells of a workload. All its mechanisms are measured (or those named) under all its
    deployments."""

    workload: str
    seen: Places
    mechanisms: Collection[str] = ()
    deployments: Collection[str] = ()
    window: str = "io"

    def key(self, mechanism: str, deployment: str) -> CellKey:
        return CellKey(workload=self.workload, mechanism=mechanism, deployment=deployment, window=self.window)

    @property
    def expected(self) -> dict[CellKey, set[str]]:
        return {self.key(*place): set(names) for place, names in self.seen.items()}

    @property
    def cells(self) -> list[CellKey]:
        mechanisms = self.mechanisms or dict.fromkeys(mechanism for mechanism, _ in self.seen)
        deployments = self.deployments or dict.fromkeys(deployment for _, deployment in self.seen)
        return [self.key(*place) for place in product(mechanisms, deployments)]


def everywhere(mechanisms: Iterable[str], deployments: Iterable[str]) -> Places:
    """They hold under all of them."""
    return dict.fromkeys(product(mechanisms, deployments), NOTHING)


def every_mechanism(workload: str) -> Collection[str]:
    return list(offered().workloads[workload].mechanisms)


ALL = ("dev-processes", "sync-4", "sync-4-preload", "gthread", "gthread-2x4", "gevent")
ON_REQUEST = ("gevent-late-patch", "gevent-unpatched", "sync-recycling", "waitress")


@cache
def tables() -> dict[str, Table]:
    one_by_one_or_not, by_thread = ("sync", "sync-4", "gthread"), ("dev-threaded", "sync", "gthread", "gevent")
    found = {
        "counter": Table(
            workload="counter",
            seen={
                ("module-global", "gthread"): {"lost-update"},
                ("module-global", "gthread-2x4"): {"lost-update", "divergent"},
                ("module-global", "gevent"): {"lost-update"},
                ("module-global", "sync-4"): {"divergent"},
                ("module-global", "dev-processes"): {"never-persists"},
                ("module-global-lock", "gthread"): NOTHING,
                ("module-global-lock", "sync-4"): {"divergent"},
                ("flask-g", "sync-4"): {"never-persists"},
                ("mp-value", "sync-4"): {"divergent"},
                ("mp-value", "sync-4-preload"): NOTHING,
                ("mp-value", "gevent"): {"lost-update"},
                ("shared-memory", "sync-4"): {"lost-update"},
                ("file-flock", "gthread"): NOTHING,
                ("file-flock", "gevent"): {"stalled"},
                ("cachelib-inc-memcached", "sync-4"): {"lost-update"},
                ("cachelib-inc-memcached", "gevent"): {"lost-update"},
                ("redis-incr-get", "gthread"): {"misreported"},
                ("gunicorn-stash", "sync-4"): {"lost-update"},
                **everywhere(("cachelib-inc-redis", "redis-incr", "sqlite-update", "postgres-update"), ALL),
            },
        ),
        "caches": Table(
            workload="cache",
            seen={
                ("lru-cache", "sync"): NOTHING,
                ("lru-cache", "sync-4"): {"stale", "stampede"},
                ("flask-caching-redis", "sync"): NOTHING,
                ("flask-caching-redis", "gthread"): {"stale", "stampede"},
                ("versioned-keys", "gthread"): {"stampede"},
                **everywhere(("versioned-single-flight",), ("sync-4", "gthread")),
            },
        ),
        "connections": Table(
            workload="connection",
            seen={
                ("sqlite-global-one-thread", "sync"): NOTHING,
                ("sqlite-global-one-thread", "gthread"): {"broken-connection"},
                ("postgres-global", "sync"): NOTHING,
                ("postgres-global", "gthread"): {"crossed-replies"},
                ("memcached-before-fork", "sync"): NOTHING,
                ("memcached-before-fork", "sync-4-preload"): {"broken-connection"},
                ("redis-pool-before-fork", "gthread"): NOTHING,
                ("redis-pool-before-fork", "sync-4-preload"): NOTHING,
                ("memcached-pool-before-fork", "gthread"): NOTHING,
                ("memcached-pool-before-fork", "sync-4-preload"): {"broken-connection"},
                ("postgres-on-g", "gthread"): NOTHING,
            },
        ),
        "shops": Table(
            workload="inventory",
            seen={
                ("module-global-lock", "sync"): NOTHING,
                ("module-global-lock", "gthread"): NOTHING,
                ("module-global-lock", "sync-4"): {"oversold"},
                ("sqlite-for-update", "sync"): NOTHING,
                ("sqlite-for-update", "gthread"): {"oversold"},
                ("sqlite-for-update", "sync-4"): {"oversold"},
                ("redis-lock-short-lease", "sync"): NOTHING,
                ("redis-lock-short-lease", "gthread"): {"oversold"},
                ("redis-lock-short-lease", "sync-4"): {"oversold"},
                **everywhere(("sqlite-conditional-update", "postgres-constraint"), one_by_one_or_not),
            },
        ),
        "limits": Table(
            workload="rate-limit",
            seen={
                ("flask-limiter-memory", "sync"): NOTHING,
                ("flask-limiter-memory", "gthread"): {"over-refused"},
                ("flask-limiter-memory", "sync-4"): {"over-limit"},
                ("redis-get-set", "sync"): NOTHING,
                ("redis-get-set", "gthread"): {"over-limit"},
                ("redis-get-set", "sync-4"): {"over-limit"},
                **everywhere(("flask-limiter-redis",), one_by_one_or_not),
            },
        ),
        "sessions": Table(
            workload="session",
            seen={
                (name, deployment): test_session_cells.EXPECTED[name][deployment]
                for name in test_session_cells.MEASURED
                for deployment in one_by_one_or_not
            },
        ),
        "request scope": Table(
            workload="request-scope",
            seen={
                (name, deployment): by_deployment[deployment]
                for name, by_deployment in test_request_scope.EXPECTED.items()
                for deployment in by_thread
            },
        ),
        "locks": Table(
            workload="lock",
            mechanisms=every_mechanism("lock"),
            seen={
                ("threading-lock", "gthread"): NOTHING,
                ("threading-lock", "sync-4"): {"two-holders"},
                ("multiprocessing-lock", "sync-4"): {"two-holders"},
                ("multiprocessing-lock", "sync-4-preload"): NOTHING,
                ("file-flock", "sync-4"): NOTHING,
                ("memcached-add", "sync-4"): NOTHING,
                ("memcached-add-noreply", "sync"): NOTHING,
                ("memcached-add-noreply", "sync-4"): {"two-holders"},
                ("redis-lock", "sync-4"): NOTHING,
                ("redis-lock-short-lease", "sync"): NOTHING,
                ("redis-lock-short-lease", "gthread"): {"two-holders"},
                ("redis-lock-fencing", "gthread"): NOTHING,
                ("postgres-advisory-lock", "sync-4"): NOTHING,
            },
        ),
        "once": Table(
            workload="once",
            mechanisms=every_mechanism("once"),
            seen={
                ("idempotency-dict", "sync"): NOTHING,
                ("idempotency-redis-naive", "sync"): NOTHING,
                ("lazy-init", "sync"): NOTHING,
                ("apscheduler-every-worker", "sync"): NOTHING,
                ("idempotency-dict", "sync-4"): {"ran-n-times"},
                ("idempotency-redis-naive", "sync-4"): {"ran-n-times"},
                ("idempotency-redis-set-nx", "sync-4"): NOTHING,
                ("idempotency-postgres-unique", "sync-4"): NOTHING,
                ("lazy-init", "sync-4"): {"ran-n-times"},
                ("lazy-init-file-lock", "sync-4"): NOTHING,
                ("lazy-init-redis-lock", "sync-4"): NOTHING,
                ("apscheduler-add-job", "sync-4"): NOTHING,
                ("apscheduler-every-worker", "sync-4"): {"ran-n-times"},
                ("lazy-init", "sync-4-preload"): {"ran-n-times"},
                ("apscheduler-add-job", "sync-4-preload"): {"never-ran"},
                ("apscheduler-every-worker", "sync-4-preload"): {"ran-n-times"},
                **everywhere(
                    ("apscheduler-leader-file", "apscheduler-leader", "apscheduler-leader-postgres"),
                    ("sync-4", "sync-4-preload"),
                ),
            },
        ),
        # One request after the other, on one process and one thread: every mechanism counts right, but for `flask.g`.
        "alone": Table(
            workload="counter",
            mechanisms=every_mechanism("counter"),
            window="call",
            seen={
                **everywhere(every_mechanism("counter"), ("dev-single", "sync")),
                ("flask-g", "dev-single"): {"never-persists"},
                ("flask-g", "sync"): {"never-persists"},
            },
        ),
    }
    # What uWSGI has of its own crosses its processes; its lock is the thread's, so that one greenlet stops all.
    lazy, greenlets = "uwsgi-4-lazy", "uwsgi-gevent"
    for name, seen in {
        "counter": {("uwsgi-sharedarea", lazy): {"lost-update"}, ("uwsgi-sharedarea-wlock", lazy): NOTHING},
        "lock": {("uwsgi-lock", lazy): NOTHING, ("uwsgi-lock", greenlets): {"stalled"}},
        "once": everywhere(("uwsgi-spooler",), (lazy, greenlets)),
    }.items():
        found[f"{name} of uWSGI"] = Table(workload=name, seen=seen)
    on_request = {
        # What a replaced worker takes along and leaves: work that it would have done later is not done; what it
        # prepared in an inherited session stays.
        "once": {
            ("apscheduler-every-worker", "sync-recycling"): {"never-ran"},
            ("apscheduler-leader", "sync-recycling"): NOTHING,
            ("apscheduler-leader-file", "sync-recycling"): NOTHING,
        },
        "connection": {
            ("postgres-before-fork", "sync-recycling"): {"broken-connection"},
            ("postgres-pool-before-fork", "sync-recycling"): {"broken-connection"},
            ("redis-before-fork", "sync-recycling"): NOTHING,
            ("postgres-pool", "sync-recycling"): NOTHING,
        },
    }
    one_of_each_other = {
        "counter": "mp-value",
        "unique-id": "uuid4",
        "request-scope": "flask-g-lasting-context",
        "lock": "threading-lock",
        "inventory": "sqlite-conditional-update",
        "rate-limit": "flask-limiter-redis",
        "cache": "versioned-single-flight",
        "session": "signed-cookie",
    }
    for name in offered().workloads:
        mechanisms = [one_of_each_other[name]] if name in one_of_each_other else []
        seen = on_request.get(name, {})
        found[f"{name} on request"] = Table(workload=name, seen=seen, mechanisms=mechanisms, deployments=ON_REQUEST)
    return found


def expected() -> dict[CellKey, set[str]]:
    """Of every table, and of every failure what its deployment shows."""
    found = {failure.showing: {failure.anomaly} for failure in FAILURES}
    for table in tables().values():
        found |= {key: names | found.get(key, set()) for key, names in table.expected.items()}
    return found


@cache
def deployed() -> dict[str, Deployment]:
    named = (key.deployment for table in tables().values() for key in table.cells)
    return load_all(DEPLOYMENTS, {*named, *(cell.deployment for failure in FAILURES for cell in failure.cells)})


def _run(folder: RunFolder, keys: Collection[CellKey], runs: int) -> Cells:
    mechanisms = [offered().workloads[key.workload].mechanisms[key.mechanism] for key in keys]
    app = App().for_cells((key.workload for key in keys), (each.claims.store for each in mechanisms))
    manifest = Manifest(
        started="",
        profile=replace(PROFILES["standard"], min_seconds=SHORT_S),
        engine="local",
        engine_reason="",
        seed=time.time_ns() % 2**32,
        token=f"shown-{time.time_ns():x}",
        runs=runs,
        cells=list(keys),
        catalogue=offered(),
        deployments=list(deployed().values()),
        machine={},
    )
    engine = LocalEngine(app)
    try:
        Campaign(manifest, folder, engine, lambda items, text: items).measure()
    finally:
        engine.down()
    return dict(zip(manifest.cells, assess(folder).cells, strict=True))


def _both(before: Cell | None, now: Cell) -> Cell:
    """What was seen in two runs."""
    if before is None or before.verdict not in JUDGED:
        return now
    if not now.anomalies:
        return before
    return msgspec.structs.replace(now, anomalies=list(dict.fromkeys([*before.anomalies, *now.anomalies])))


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Cells:
    wanted = [key for table in tables().values() for key in table.cells]
    wanted += [key for failure in FAILURES for key in failure.cells]
    missed = list(dict.fromkeys(wanted))
    found: dict[CellKey, Cell] = {}
    for runs in (1, 3, 5):
        if missed:
            seen = _run(RunFolder(tmp_path_factory.mktemp("run")), missed, runs)
            found |= {key: _both(found.get(key), cell) for key, cell in seen.items()}
        told = expected()
        missed = [
            key
            for key, cell in found.items()
            if told.get(key, set()) - set(cell.anomalies) or cell.verdict not in {*JUDGED, "unavailable"}
        ]
    judged = list(found.values())
    return dict(zip(found, with_fixes(judged, Fixes(judged, offered(), deployed())), strict=True))


def lacks_its_server(key: CellKey) -> bool:
    """A mechanism that only one server has, under another one."""
    claims = offered().workloads[key.workload].mechanisms[key.mechanism].claims
    return not claims.offered_by(deployed()[key.deployment].server)


@pytest.mark.parametrize("name", tables())
def test_what_is_seen_is_what_the_table_says(cells: Cells, name: str) -> None:
    """And nothing else than predicted; each violation has its proof; all that can be had were exercised."""
    table = tables()[name]
    mine, told = {key: cells[key] for key in table.cells}, table.expected
    assert {key: set(mine[key].anomalies) for key in told} == told
    assert {key: cell.anomalies for key, cell in mine.items() if set(cell.anomalies) - set(cell.predicted)} == {}
    assert all(cell.witness and cell.witness.text for cell in mine.values() if cell.anomalies)
    lacking = {key: cell for key, cell in mine.items() if lacks_its_server(key)}
    assert {cell.verdict for cell in lacking.values()} <= {"unavailable"}
    assert all(deployed()[key.deployment].server in cell.reason for key, cell in lacking.items())
    assert {key: cell.reason for key, cell in mine.items() if cell.verdict not in JUDGED} == {
        key: cell.reason for key, cell in lacking.items()
    }


def test_every_workload_is_measured_on_request(cells: Cells) -> None:
    found = {(key.workload, key.deployment) for key in cells}
    assert {*product(offered().workloads, ON_REQUEST)} <= found


def operations(cell: Cell) -> list[str]:
    """Those of its proof."""
    assert cell.witness
    return [operation.op for operation in cell.witness.operations]


def test_the_proofs(cells: Cells) -> None:
    """What a cell tells besides its verdict."""
    lost = cells[tables()["counter"].key("module-global", "gthread")]
    assert lost.lost
    assert lost.lost.min > 0
    assert lost.coverage
    assert lost.coverage.overlaps > 0
    assert operations(lost) == ["increment", "increment"]
    by_four = cells[tables()["counter"].key("redis-incr", "sync-4")].coverage
    assert by_four
    assert by_four.processes == 4
    assert operations(cells[tables()["caches"].key("lru-cache", "sync-4")])[-1] == "read"
    broken = cells[tables()["connections"].key("memcached-before-fork", "sync-4-preload")]
    assert operations(broken) == ["probe", "echo", "probe"]
    assert len(operations(cells[tables()["sessions"].key("signed-cookie", "sync")])) >= 2
    scopes = [cells[key] for key in tables()["request scope"].cells]
    assert {cell.fix and cell.fix.mechanism for cell in scopes if cell.anomalies} == {"flask-g"}


def _hidden(failure: Failure, cell: Cell) -> bool:
    """Held; or, where the theory predicts other faults of the mechanism there, those and not this one."""
    return cell.verdict == ("violated" if cell.predicted else "held") and failure.anomaly not in cell.anomalies


@pytest.mark.parametrize("failure", FAILURES, ids=[failure.symptom for failure in FAILURES])
def test_what_people_report_is_hidden_here_shown_there_and_fixed(cells: Cells, failure: Failure) -> None:
    """Both halves of every failure, and its fix."""
    hiding, showing, fixed = (cells[key] for key in failure.cells)
    assert _hidden(failure, hiding), hiding
    assert failure.anomaly in showing.anomalies
    assert fixed.verdict == "held"


def test_nothing_is_violated_where_held_is_predicted(cells: Cells) -> None:
    assert [key for key, cell in cells.items() if cell.verdict == "violated" and not cell.predicted] == []

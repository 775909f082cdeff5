"""The rule against literal claims and against what was measured before the first line of code (state.md, section 3)."""

import msgspec
import pytest

from offered import offered
from statelab.core.paths import DEPLOYMENTS
from statelab.plan.catalogue import Claims
from statelab.plan.deployments import load_all
from statelab.theory.rule import predict

DEPLOYED = load_all(DEPLOYMENTS, [*load_all(DEPLOYMENTS / "on-request")])
PROCESS = frozenset({"requests", "greenlets", "threads"})
HOST = PROCESS | {"processes"}
CLUSTER = HOST | {"hosts"}
NOTHING: frozenset[str] = frozenset()


def claims(shared: frozenset[str], atomic: frozenset[str] = NOTHING, **more: object) -> Claims:
    return Claims(shared_across=shared, atomic_across=atomic, survives=None, **more)  # type: ignore[arg-type]


SPREADS = {
    "dev-single": (set(), set()),
    "dev-threaded": ({"threads"}, {"threads"}),
    "dev-processes": ({"processes"}, {"processes"}),
    "sync": (set(), set()),
    "sync-4": ({"processes"}, set()),
    "sync-4-preload": ({"processes"}, set()),
    "gthread": ({"threads"}, set()),
    "gthread-2x4": ({"threads", "processes"}, set()),
    "gevent": ({"greenlets"}, {"greenlets"}),
    "gevent-2": ({"greenlets", "processes"}, {"greenlets"}),
}
ON_REQUEST = {
    "sync-recycling": ({"processes"}, set()),
    "gevent-late-patch": ({"greenlets"}, {"greenlets"}),
    "gevent-unpatched": ({"greenlets"}, {"greenlets"}),
    "waitress": ({"threads"}, set()),
    "uwsgi-4": ({"processes"}, set()),
    "uwsgi-4-lazy": ({"processes"}, set()),
    "uwsgi-threads": ({"threads", "processes"}, set()),
    "uwsgi-gevent": ({"greenlets"}, {"greenlets"}),
    "gevent-pywsgi": ({"greenlets"}, {"greenlets"}),
    "granian-2x4": ({"threads", "processes"}, set()),
    "uvicorn-2": ({"threads", "processes"}, set()),
    "mod_wsgi-2x4": ({"threads", "processes"}, set()),
    "mod_wsgi-embedded": ({"threads", "processes"}, set()),
    "gthread-free-threaded": ({"threads"}, set()),
    "dev-threaded-free-threaded": ({"threads"}, {"threads"}),
}


@pytest.mark.parametrize("name", [*SPREADS, *ON_REQUEST])
def test_spread_follows_from_the_env_file(name: str) -> None:
    """What lies between two requests, and what of it is new for each, is read from the deployment's file."""
    deployment = DEPLOYED[name]
    assert (set(deployment.spread), set(deployment.fresh)) == (SPREADS | ON_REQUEST)[name]


@pytest.mark.parametrize(
    ("about", "deployment", "window", "expected"),
    [
        (claims(NOTHING), "sync", "io", ["never-persists"]),
        (claims(frozenset({"requests"})), "gthread", "io", ["divergent"]),
        (claims(frozenset({"requests"})), "dev-threaded", "io", ["never-persists"]),
        (claims(PROCESS), "sync", "io", []),
        (claims(PROCESS), "gthread", "tight", []),
        (claims(PROCESS), "gthread", "call", ["lost-update"]),
        (claims(PROCESS), "gthread-free-threaded", "tight", ["lost-update"]),
        (claims(PROCESS), "dev-threaded-free-threaded", "tight", ["lost-update"]),
        (claims(PROCESS, PROCESS), "gthread-free-threaded", "tight", []),
        (claims(PROCESS), "gevent", "call", []),
        (claims(PROCESS), "gevent", "io", ["lost-update"]),
        (claims(PROCESS), "sync-4", "io", ["divergent"]),
        (claims(PROCESS), "gthread-2x4", "io", ["divergent", "lost-update"]),
        (claims(PROCESS), "dev-processes", "io", ["never-persists"]),
        (claims(PROCESS, PROCESS, inherited=frozenset({"processes"})), "sync-4", "io", ["divergent"]),
        (claims(PROCESS, HOST, inherited=frozenset({"processes"})), "sync-4-preload", "io", []),
        (claims(HOST, HOST, blocks_hub=True), "gevent", "io", ["stalled"]),
        (claims(HOST, HOST, blocks_hub=True), "gevent", "call", []),
        (claims(HOST, HOST, blocks_hub=True), "gthread", "io", []),
        (claims(PROCESS), "sync-recycling", "io", ["divergent"]),
        (claims(HOST), "sync-recycling", "io", []),
        (claims(frozenset({"requests"}), unpatched=frozenset({"greenlets"})), "gevent", "io", ["never-persists"]),
        (
            claims(frozenset({"requests"}), unpatched=frozenset({"greenlets"})),
            "gevent-late-patch",
            "io",
            ["lost-update"],
        ),
        (claims(PROCESS, PROCESS, unpatched=frozenset({"greenlets"})), "gevent-late-patch", "io", ["lost-update"]),
        (claims(PROCESS, PROCESS, unpatched=frozenset({"greenlets"})), "gevent", "io", []),
        (claims(PROCESS, PROCESS, blocks_unpatched=True), "gevent-late-patch", "io", ["stalled"]),
        (claims(PROCESS, PROCESS, blocks_unpatched=True), "gevent", "io", []),
        (claims(PROCESS, PROCESS, blocks_unpatched=True), "gevent-unpatched", "io", []),
        (claims(PROCESS), "gevent-unpatched", "io", []),
        (claims(CLUSTER), "sync-4", "tight", ["lost-update"]),
        (claims(CLUSTER, switches_inside=frozenset({"greenlets"})), "gevent", "tight", ["lost-update"]),
        (claims(CLUSTER, CLUSTER), "gthread-2x4", "io", []),
        (claims(CLUSTER, CLUSTER, answers_later=True), "sync-4", "io", ["misreported"]),
        (claims(CLUSTER, CLUSTER, answers_later=True), "sync", "io", []),
        (claims(CLUSTER, CLUSTER, lease_ms=1), "sync-4", "io", ["lost-update"]),
        (claims(CLUSTER, CLUSTER, lease_ms=1), "sync-4", "call", []),
        (claims(CLUSTER, CLUSTER, lease_ms=1), "gevent", "call", []),
        (claims(CLUSTER, CLUSTER, lease_ms=2000), "sync-4", "io", []),
        (claims(CLUSTER, CLUSTER, lease_ms=1), "sync", "io", []),
        (claims(PROCESS, PROCESS, answers_later=True), "sync-4", "io", ["divergent"]),
        (claims(PROCESS, PROCESS, answers_later=True), "gthread-2x4", "io", ["divergent", "misreported"]),
    ],
)
def test_rule(about: Claims, deployment: str, window: str, expected: list[str]) -> None:
    """Each clause of the rule, on the smallest claims that need it."""
    assert list(predict(about, DEPLOYED[deployment], window).anomalies) == expected


INHERITED = claims(PROCESS, inherited=HOST, fails_in_turn=HOST - PROCESS)


@pytest.mark.parametrize(
    ("about", "deployment", "expected"),
    [
        (claims(HOST, thread="first-use"), "sync-recycling", ["never-done"]),
        (claims(HOST, thread="first-use"), "sync-4", []),
        (claims(HOST, thread="first-use", resumed=True), "sync-recycling", []),
        (claims(HOST, thread="first-use", resumed=True), "dev-processes", ["never-done"]),
        (INHERITED, "sync-recycling", ["fails-when-shared"]),
        (INHERITED, "sync-4", []),
        (INHERITED, "sync", []),
    ],
)
def test_what_ends_with_a_worker_and_what_it_leaves(about: Claims, deployment: str, expected: list[str]) -> None:
    """Where workers are replaced: work not done yet, and what the store has kept of an earlier worker."""
    shows = {fault: fault for fault in ("never-done", "fails-when-shared")}
    assert list(predict(about, DEPLOYED[deployment], "io", shows).anomalies) == expected


@pytest.mark.parametrize(
    ("about", "deployment", "window", "guaranteed"),
    [
        (claims(PROCESS), "gthread", "tight", False),
        (claims(PROCESS), "gevent", "call", False),
        (claims(PROCESS, PROCESS), "gthread", "io", True),
        (claims(PROCESS), "sync", "io", True),
        (claims(CLUSTER, CLUSTER), "gthread-2x4", "io", True),
    ],
)
def test_held_without_a_promise_is_not_guaranteed(
    about: Claims, deployment: str, window: str, guaranteed: bool
) -> None:
    """`held` for want of a switch point is told apart from `held` because the update excludes others."""
    prediction = predict(about, DEPLOYED[deployment], window)
    assert (prediction.anomalies, prediction.guaranteed) == ((), guaranteed)


MEASURED = {
    # state.md 3.0, window io: what one light run showed, firm where all or nothing
    "module-global": {
        "dev-threaded": {"lost-update"},
        "dev-processes": {"never-persists"},
        "gthread": {"lost-update"},
        "gthread-2x4": {"divergent", "lost-update"},
        "sync-4": {"divergent"},
        "gevent": {"lost-update"},
    },
    "module-global-lock": {"dev-threaded": set(), "gthread": set(), "sync-4": {"divergent"}, "gevent": set()},
    "thread-local": {"gthread": {"divergent"}, "gevent": {"never-persists"}, "dev-threaded": {"never-persists"}},
    "flask-g": {"sync-4": {"never-persists"}, "gthread": {"never-persists"}},
    "mp-value": {
        "dev-processes": set(),
        "gthread": set(),
        "sync-4": {"divergent"},
        "sync-4-preload": set(),
        "gevent": {"lost-update"},
    },
    "cachelib-inc-simple": {"dev-threaded": set(), "dev-processes": {"never-persists"}, "gevent": set()},
    "cachelib-inc-filesystem": {"dev-processes": {"lost-update"}, "sync-4": {"lost-update"}},
    "cachelib-inc-memcached": {"dev-processes": {"lost-update"}, "gthread": {"lost-update"}, "gevent": {"lost-update"}},
    "cachelib-inc-redis": {"dev-processes": set(), "sync-4": set(), "gevent": set()},
    "redis-get-set": {"dev-processes": {"lost-update"}, "gthread": {"lost-update"}, "gevent": {"lost-update"}},
    "redis-incr": {"dev-processes": set(), "sync-4": set(), "gevent": set()},
    "redis-watch": {"dev-processes": set(), "sync-4": set(), "gevent": set()},
    "redis-lock": {"dev-processes": set(), "sync-4": set(), "gevent": set()},
    "memcached-get-set": {"dev-processes": {"lost-update"}, "sync-4": {"lost-update"}, "gevent": {"lost-update"}},
    "memcached-incr": {"dev-processes": set(), "sync-4": set(), "gevent": set()},
    "memcached-cas": {"dev-processes": set(), "sync-4": set(), "gevent": set()},
    "file": {"dev-threaded": {"lost-update"}, "gthread": {"lost-update"}, "gevent": {"lost-update"}},
    "file-flock": {"dev-threaded": set(), "gthread": set(), "sync-4": set(), "gevent": {"stalled"}},
    "sqlite-read-write": {"sync-4": {"lost-update"}, "gevent": {"lost-update"}},
    "sqlite-update": {"dev-processes": set(), "sync-4": set(), "gevent": set()},
    "sqlite-immediate": {"gthread": set(), "sync-4": set(), "gevent": {"stalled"}},
    "gunicorn-stash": {"gthread": {"lost-update"}, "sync-4": {"lost-update"}, "gevent": {"lost-update"}},
    "gunicorn-dirty-actor": {"gthread-2x4": set(), "sync-4": set(), "gevent": set()},
}


def test_rule_agrees_with_every_cell_measured_before_it_was_written() -> None:
    """The claims beside the code and the rule give the table of state.md for all its mechanisms."""
    mechanisms = offered().workloads["counter"].mechanisms
    wrong = [
        (mechanism, deployment, predicted, expected)
        for mechanism, row in MEASURED.items()
        for deployment, expected in row.items()
        for predicted in [set(predict(mechanisms[mechanism].claims, DEPLOYED[deployment], "io").anomalies)]
        if predicted != expected
    ]
    assert wrong == []


def test_state_of_the_importing_thread_is_met_where_that_thread_serves() -> None:
    """What a later request finds there is found under sync, forked or not; held elsewhere, but not by a promise."""
    about = claims(frozenset({"requests"}), of_importing_thread=True)
    shows = {"left-behind": "found"}
    assert predict(about, DEPLOYED["sync-4"], "io", shows).anomalies == ("found",)
    elsewhere = predict(about, DEPLOYED["gthread"], "io", shows)
    assert (elsewhere.anomalies, elsewhere.guaranteed) == ((), False)


def test_a_copied_context_has_what_the_import_set_and_loses_what_a_request_sets() -> None:
    """As under an ASGI server with a2wsgi: what the import put there is met in every thread of the process."""
    copying = msgspec.structs.replace(DEPLOYED["gthread"], copies_context=True)
    set_by_requests = claims(frozenset({"requests"}), in_context=True)
    set_at_import = claims(frozenset({"requests"}), in_context=True, of_importing_thread=True)
    shows = {"left-behind": "found", "seen-by-others": "seen", "never-persists": "gone"}
    assert predict(set_by_requests, DEPLOYED["gthread"], "io", shows).anomalies == ("found",)
    assert predict(set_by_requests, copying, "io", shows).anomalies == ("gone",)
    assert predict(set_at_import, copying, "io", shows).anomalies == ("seen", "found")
    kept_by_threads = claims(frozenset({"requests"}))
    assert predict(kept_by_threads, copying, "io", shows).anomalies == ("found",)


def test_a_thread_of_the_import_is_lost_in_a_fork_unless_it_is_a_greenlet() -> None:
    """gevent's threads are objects, which a fork copies; what was made before it patched is a thread."""
    scheduler = claims(PROCESS, PROCESS, thread="import", copies="apart")
    shows = {"never-done": "never-ran"}
    lost = {name for name in DEPLOYED if predict(scheduler, DEPLOYED[name], "io", shows).anomalies}
    forked = {"dev-processes", "sync-4-preload", "sync-recycling", "gevent-late-patch", "gevent-unpatched"}
    assert lost == forked | {"uwsgi-4", "uwsgi-threads"}


def test_copies_break_a_lock_only_if_their_processes_run_at_the_same_time() -> None:
    """A worker that is replaced has ended before the next one begins, which has a lock of its own."""
    shows = {"copies-at-once": "two-holders"}
    one_each = claims(PROCESS, PROCESS)
    assert predict(one_each, DEPLOYED["sync-4"], "io", shows).anomalies == ("two-holders",)
    in_turn = predict(one_each, DEPLOYED["sync-recycling"], "io", shows)
    assert (in_turn.anomalies, in_turn.guaranteed) == ((), True)
    assert predict(one_each, DEPLOYED["sync-recycling"], "io", {"divergent": "stale"}).anomalies == ("stale",)


EVERYWHERE = frozenset(SPREADS)
ALONE = frozenset({"dev-single", "sync"})

LOCK = {
    # mechanism -> anomaly -> deployments in which it is expected; everywhere else the lock holds
    "threading-lock": {"two-holders": {"dev-processes", "sync-4", "sync-4-preload", "gthread-2x4", "gevent-2"}},
    "multiprocessing-lock": {"two-holders": {"sync-4", "gthread-2x4", "gevent-2"}, "stalled": {"gevent", "gevent-2"}},
    "file-flock": {"stalled": {"gevent", "gevent-2"}},
    "uwsgi-lock": {"stalled": {"gevent", "gevent-2"}},
    "memcached-add": {},
    "memcached-add-noreply": {"two-holders": EVERYWHERE - ALONE},
    "redis-lock": {},
    "redis-lock-short-lease": {"two-holders": EVERYWHERE - ALONE},
    "redis-lock-fencing": {},
    "postgres-advisory-lock": {},
}


def test_what_is_expected_of_locks() -> None:
    """Each mechanism of the workload under each deployment, window io."""
    workload = offered().workloads["lock"]
    assert {
        name: {
            anomaly: {
                deployment.name
                for deployment in (DEPLOYED[name] for name in SPREADS)
                if anomaly in predict(mechanism.claims, deployment, "io", workload.shows).anomalies
            }
            for anomaly in ("two-holders", "stalled")
        }
        for name, mechanism in workload.mechanisms.items()
    } == {name: {"two-holders": set(), "stalled": set(), **expected} for name, expected in LOCK.items()}


EACH = tuple(SPREADS)
BY_ITSELF = {"dev-single": set(), "sync": set()}
OVERSOLD = BY_ITSELF | {name: {"oversold"} for name in EACH if name not in BY_ITSELF}
OVER_LIMIT = BY_ITSELF | {name: {"over-limit"} for name in EACH if name not in BY_ITSELF}
SOUND: dict[str, set[str]] = {name: set() for name in EACH}

SEEN = {
    # what the lab showed under every deployment, window io
    "inventory": {
        "module-global": OVERSOLD,
        "module-global-lock": OVERSOLD | {"dev-threaded": set(), "gthread": set(), "gevent": set()},
        "sqlite-naive": OVERSOLD,
        "sqlite-for-update": OVERSOLD,
        "sqlite-conditional-update": SOUND,
        "redis-naive": OVERSOLD,
        "redis-lock-short-lease": OVERSOLD,
        "redis-lua": SOUND,
        "memcached-cas": SOUND,
        "postgres-naive": OVERSOLD,
        "postgres-for-update": SOUND,
        "postgres-conditional-update": SOUND,
        "postgres-constraint": SOUND,
    },
    "rate-limit": {
        "module-dict": OVER_LIMIT,
        "flask-limiter-memory": OVER_LIMIT
        | {name: {"over-refused"} for name in ("dev-threaded", "gthread", "gevent")}
        | {name: {"over-limit", "over-refused"} for name in ("gthread-2x4", "gevent-2")},
        "redis-get-set": OVER_LIMIT,
        "redis-incr": SOUND,
        "redis-lua": SOUND,
        "flask-limiter-redis": SOUND,
        "flask-limiter-redis-moving-window": SOUND,
        "flask-limiter-memcached": SOUND,
    },
}


@pytest.mark.parametrize("name", SEEN)
def test_rule_agrees_with_what_clients_of_a_workload_saw(name: str) -> None:
    """Every mechanism of the workload under every deployment, by its claims and by how its clients see a fault."""
    workload = offered().workloads[name]
    assert list(SEEN[name]) == list(workload.mechanisms)
    wrong = [
        (mechanism, deployment, predicted, expected)
        for mechanism, row in SEEN[name].items()
        for deployment, expected in row.items()
        for claimed in [workload.mechanisms[mechanism].claims]
        for predicted in [set(predict(claimed, DEPLOYED[deployment], "io", workload.shows).anomalies)]
        if predicted != expected
    ]
    assert wrong == []


STALE, BOTH, STAMPEDE = {"stale"}, {"stale", "stampede"}, {"stampede"}
SERIAL = dict.fromkeys(("dev-single", "sync"), frozenset[str]())
CONCURRENT = ("dev-threaded", "sync-4", "sync-4-preload", "gthread", "gthread-2x4", "gevent", "gevent-2")
IN_ALL = (*CONCURRENT, "dev-processes")
CACHES = {
    # measured, window io: the run is in docs/workloads.md
    "lru-cache": SERIAL | {"dev-processes": STAMPEDE} | dict.fromkeys(CONCURRENT, BOTH),
    "flask-caching-simple": SERIAL | {"dev-processes": STAMPEDE} | dict.fromkeys(CONCURRENT, BOTH),
    "flask-caching-filesystem": SERIAL | dict.fromkeys(IN_ALL, BOTH),
    "flask-caching-redis": SERIAL | dict.fromkeys(IN_ALL, BOTH),
    "flask-caching-memcached": SERIAL | dict.fromkeys(IN_ALL, BOTH),
    "memcached-cas": SERIAL | dict.fromkeys(IN_ALL, STAMPEDE),
    "single-flight": SERIAL | dict.fromkeys(IN_ALL, STALE),
    "versioned-keys": SERIAL | dict.fromkeys(IN_ALL, STAMPEDE),
    "versioned-single-flight": SERIAL | dict.fromkeys(IN_ALL, frozenset[str]()),
}


CR, BC, CL, STALLED = {"crossed-replies"}, {"broken-connection"}, {"connections-left"}, {"stalled"}
THREADS, GREENLETS = ("dev-threaded", "gthread", "gthread-2x4"), ("gevent", "gevent-2")
FORKED = ("dev-processes", "sync-4-preload")
THREADS_THAT_QUEUE, FORKS_THAT_QUEUE = ("gthread-2x4",), ("sync-4-preload",)
"""Their processes have fewer threads than the load has clients."""
APART = dict.fromkeys(("dev-single", "sync", "sync-4"), frozenset[str]())
FORKED_APART = APART | dict.fromkeys(FORKED, frozenset[str]())
NOWHERE = FORKED_APART | dict.fromkeys((*THREADS, *GREENLETS), frozenset[str]())
CONNECTIONS = {
    "sqlite-global": FORKED_APART | dict.fromkeys(THREADS, CR | BC) | dict.fromkeys(GREENLETS, CR),
    "sqlite-global-one-thread": FORKED_APART | dict.fromkeys(THREADS, BC) | dict.fromkeys(GREENLETS, CR),
    "redis-global": FORKED_APART
    | dict.fromkeys((*THREADS, *GREENLETS), CR | BC)
    | dict.fromkeys(THREADS_THAT_QUEUE, CR | BC | STALLED),
    "redis-before-fork": APART
    | dict.fromkeys((*FORKED, *THREADS, *GREENLETS), CR | BC)
    | dict.fromkeys((*THREADS_THAT_QUEUE, *FORKS_THAT_QUEUE), CR | BC | STALLED),
    "memcached-global": FORKED_APART
    | dict.fromkeys((*THREADS, *GREENLETS), CR | BC)
    | dict.fromkeys(THREADS_THAT_QUEUE, CR | BC | STALLED),
    "memcached-before-fork": APART
    | dict.fromkeys((*THREADS, *GREENLETS), CR | BC)
    | dict.fromkeys(THREADS_THAT_QUEUE, CR | BC | STALLED)
    | dict.fromkeys(FORKED, BC)
    | dict.fromkeys(FORKS_THAT_QUEUE, BC | STALLED),
    "postgres-global": FORKED_APART | dict.fromkeys((*THREADS, *GREENLETS), CR),
    "postgres-before-fork": APART
    | dict.fromkeys(FORKED, CR | BC | STALLED)
    | dict.fromkeys((*THREADS, *GREENLETS), CR),
    "sqlite-before-fork": FORKED_APART | dict.fromkeys(THREADS, CR | BC) | dict.fromkeys(GREENLETS, CR),
    "sqlite-on-g": NOWHERE,
    "postgres-on-g": NOWHERE,
    "redis-on-g": NOWHERE,
    "memcached-on-g": NOWHERE,
    "sqlite-pool": NOWHERE,
    "sqlite-pool-before-fork": NOWHERE,
    "redis-pool": NOWHERE,
    "postgres-on-g-no-teardown": NOWHERE,
    "postgres-closed-at-exit": dict.fromkeys(EACH, CL | BC) | {"dev-processes": frozenset()},
    "redis-pool-before-fork": NOWHERE,
    "memcached-pool": NOWHERE,
    "memcached-pool-before-fork": NOWHERE | dict.fromkeys(FORKED, BC) | dict.fromkeys(FORKS_THAT_QUEUE, BC | STALLED),
    "postgres-pool": NOWHERE,
    "postgres-pool-before-fork": NOWHERE | dict.fromkeys(FORKED, CR | BC | STALLED),
}


@pytest.mark.parametrize(("name", "showed"), [("cache", CACHES), ("connection", CONNECTIONS)])
def test_rule_agrees_with_what_the_workload_showed(name: str, showed: dict[str, dict[str, set[str]]]) -> None:
    """A late fill, a copy per process, computing together; a connection shared, or inherited: by claims alone."""
    workload = offered().workloads[name]
    assert set(showed) == set(workload.mechanisms)
    wrong = [
        (mechanism, deployment, predicted, expected)
        for mechanism, row in showed.items()
        for deployment, expected in row.items()
        for claims in [workload.mechanisms[mechanism].claims]
        for predicted in [set(predict(claims, DEPLOYED[deployment], "io", workload.shows).anomalies)]
        if predicted != expected
    ]
    assert wrong == []


@pytest.mark.parametrize("deployment", DEPLOYED)
def test_what_its_documentation_forbids_after_a_fork_is_never_guaranteed(deployment: str) -> None:
    about = claims(PROCESS, PROCESS, not_after_fork=True)
    predicted = predict(about, DEPLOYED[deployment], "io", {"seen-by-others": "crossed-replies"})
    assert not predicted.anomalies
    assert predicted.guaranteed is not DEPLOYED[deployment].forks_after_import


@pytest.mark.parametrize("left_to", ["interpreter", "process"])
@pytest.mark.parametrize("deployment", ["sync", "gthread", "dev-processes"])
def test_what_is_left_to_others_to_close(left_to: str, deployment: str) -> None:
    """A process that outlives its requests keeps what is left to its end; wherever it is closed, nobody promised it."""
    about = claims(NOTHING, left_to=left_to)
    prediction = predict(about, DEPLOYED[deployment], "io", {"left-open": "left", "used-up": "refused"})
    kept = left_to == "process" and deployment != "dev-processes"
    assert prediction.anomalies == (("left", "refused") if kept else ())
    assert not prediction.guaranteed
    assert predict(about, DEPLOYED[deployment], "io", {"lost-update": "lost"}).guaranteed


def test_what_is_shared_and_excludes_others_is_seen_by_nobody() -> None:
    """A pool is the process's, and gives a connection to one request at a time."""
    shows = {"seen-by-others": "crossed", "fails-when-shared": "broken", "stalled": "stalled"}
    for atomic, expected in ((NOTHING, ("broken", "stalled", "crossed")), (PROCESS, ())):
        about = claims(PROCESS, atomic, fails_across=frozenset({"threads"}), untimed=True)
        assert predict(about, DEPLOYED["gthread"], "io", shows).anomalies == expected


@pytest.mark.parametrize(
    ("deployment", "queues"),
    [
        ("gthread", False),  # as many threads as clients
        ("gthread-2x4", True),
        ("dev-threaded", False),  # a thread for each request
        ("gevent", False),
        ("dev-processes", False),
        ("sync-4-preload", True),
        ("sync-4", False),  # they share nothing
        ("sync", False),
    ],
)
def test_requests_wait_for_threads_that_wait_for_answers(deployment: str, queues: bool) -> None:
    """What a time limit frees is the thread, for the next request that waits for its answer as long."""
    about = claims(PROCESS, NOTHING, inherited=frozenset({"processes"}), fails_across=HOST - {"requests"}, timed=True)
    shows = {"fails-when-shared": "broken", "queued": "stalled"}
    assert ("stalled" in predict(about, DEPLOYED[deployment], "io", shows).anomalies) is queues


@pytest.mark.parametrize(
    ("about", "deployment", "expected"),
    [
        (claims(PROCESS, PROCESS, thread="import", copies="apart"), "sync-4", []),
        (claims(PROCESS, PROCESS, thread="import", copies="apart"), "sync-4-preload", ["never-done"]),
        (claims(PROCESS, PROCESS, thread="import", copies="apart"), "dev-processes", ["never-done"]),
        (claims(HOST, HOST, thread="import"), "sync-4-preload", []),
        (claims(HOST, PROCESS, thread="first-use"), "sync-4-preload", ["lost-update"]),
        (claims(HOST, PROCESS, thread="first-use"), "gthread", []),
        (claims(HOST, PROCESS, thread="first-use"), "dev-processes", ["never-done"]),
    ],
)
def test_work_that_is_left_to_a_thread(about: Claims, deployment: str, expected: list[str]) -> None:
    """A thread of the import is not in the forked workers; one of a process that ends with its request comes too late;
    what is never done collides with nothing."""
    shows = {fault: fault for fault in ("never-done", "divergent", "lost-update")}
    assert list(predict(about, DEPLOYED[deployment], "io", shows).anomalies) == expected


SEVERAL = frozenset({"dev-processes", "sync-4", "sync-4-preload", "gthread-2x4", "gevent-2"})

ONCE = {
    "idempotency-dict": {"ran-n-times": EVERYWHERE - ALONE},
    "idempotency-redis-naive": {"ran-n-times": EVERYWHERE - ALONE},
    "idempotency-redis-set-nx": {},
    "idempotency-postgres-unique": {},
    "lazy-init": {"ran-n-times": EVERYWHERE - ALONE},
    "lazy-init-file-lock": {"stalled": {"gevent", "gevent-2"}},
    "lazy-init-redis-lock": {},
    "apscheduler-add-job": {"never-ran": {"dev-processes", "sync-4-preload"}},
    "apscheduler-every-worker": {"ran-n-times": SEVERAL - {"dev-processes"}, "never-ran": {"dev-processes"}},
    "apscheduler-leader-file": {"never-ran": {"dev-processes"}},
    "uwsgi-spooler": {},
    "apscheduler-leader": {"never-ran": {"dev-processes"}},
    "apscheduler-leader-postgres": {"never-ran": {"dev-processes"}},
}


def test_what_is_expected_of_work_that_must_be_done_once() -> None:
    """Each mechanism of the workload under each deployment, window io."""
    workload = offered().workloads["once"]
    none: dict[str, set[str]] = {"ran-n-times": set(), "never-ran": set(), "stalled": set()}
    assert {
        name: {
            anomaly: {
                deployment.name
                for deployment in (DEPLOYED[name] for name in SPREADS)
                if anomaly in predict(mechanism.claims, deployment, "io", workload.shows).anomalies
            }
            for anomaly in none
        }
        for name, mechanism in workload.mechanisms.items()
    } == {name: {**none, **expected} for name, expected in ONCE.items()}

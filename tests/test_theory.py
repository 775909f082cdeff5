"""The rule against literal claims and against what was measured before the first line of code (state.md, section 3)."""

import pytest

from statelab.app import App
from statelab.catalogue import Claims
from statelab.catalogue import of_app
from statelab.deployments import load_all
from statelab.paths import DEPLOYMENTS
from statelab.theory import predict

DEPLOYED = load_all(DEPLOYMENTS)
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


@pytest.mark.parametrize("name", SPREADS)
def test_spread_follows_from_the_env_file(name: str) -> None:
    """What lies between two requests, and what of it is new for each, is read from the deployment's file."""
    deployment = DEPLOYED[name]
    assert (set(deployment.spread), set(deployment.fresh)) == SPREADS[name]


@pytest.mark.parametrize(
    ("about", "deployment", "window", "expected"),
    [
        (claims(NOTHING), "sync", "io", ["never-persists"]),
        (claims(frozenset({"requests"})), "gthread", "io", ["divergent"]),
        (claims(frozenset({"requests"})), "dev-threaded", "io", ["never-persists"]),
        (claims(PROCESS), "sync", "io", []),
        (claims(PROCESS), "gthread", "tight", []),
        (claims(PROCESS), "gthread", "call", ["lost-update"]),
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
        (claims(CLUSTER), "sync-4", "tight", ["lost-update"]),
        (claims(CLUSTER, switches_inside=frozenset({"greenlets"})), "gevent", "tight", ["lost-update"]),
        (claims(CLUSTER, CLUSTER), "gthread-2x4", "io", []),
        (claims(CLUSTER, CLUSTER, answers_later=True), "sync-4", "io", ["misreported"]),
        (claims(CLUSTER, CLUSTER, answers_later=True), "sync", "io", []),
    ],
)
def test_rule(about: Claims, deployment: str, window: str, expected: list[str]) -> None:
    """Each clause of the rule, on the smallest claims that need it."""
    assert list(predict(about, DEPLOYED[deployment], window).anomalies) == expected


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
    mechanisms = of_app(App()).workloads["counter"].mechanisms
    wrong = [
        (mechanism, deployment, predicted, expected)
        for mechanism, row in MEASURED.items()
        for deployment, expected in row.items()
        for predicted in [set(predict(mechanisms[mechanism].claims, DEPLOYED[deployment], "io").anomalies)]
        if predicted != expected
    ]
    assert wrong == []


STALE, BOTH, STAMPEDE = {"stale"}, {"stale", "stampede"}, {"stampede"}
SERIAL = dict.fromkeys(("dev-single", "sync"), frozenset[str]())
CONCURRENT = ("dev-threaded", "sync-4", "sync-4-preload", "gthread", "gthread-2x4", "gevent", "gevent-2")
EVERYWHERE = (*CONCURRENT, "dev-processes")
CACHES = {
    # measured, window io: the run is in docs/workloads.md
    "lru-cache": SERIAL | {"dev-processes": STAMPEDE} | dict.fromkeys(CONCURRENT, BOTH),
    "flask-caching-simple": SERIAL | {"dev-processes": STAMPEDE} | dict.fromkeys(CONCURRENT, BOTH),
    "flask-caching-filesystem": SERIAL | dict.fromkeys(EVERYWHERE, BOTH),
    "flask-caching-redis": SERIAL | dict.fromkeys(EVERYWHERE, BOTH),
    "flask-caching-memcached": SERIAL | dict.fromkeys(EVERYWHERE, BOTH),
    "memcached-cas": SERIAL | dict.fromkeys(EVERYWHERE, STAMPEDE),
    "single-flight": SERIAL | dict.fromkeys(EVERYWHERE, STALE),
    "versioned-keys": SERIAL | dict.fromkeys(EVERYWHERE, STAMPEDE),
    "versioned-single-flight": SERIAL | dict.fromkeys(EVERYWHERE, frozenset[str]()),
}


CR, BC = {"crossed-replies"}, {"broken-connection"}
THREADS, GREENLETS = ("dev-threaded", "gthread", "gthread-2x4"), ("gevent", "gevent-2")
FORKED = ("dev-processes", "sync-4-preload")
APART = dict.fromkeys(("dev-single", "sync", "sync-4"), frozenset[str]())
FORKED_APART = APART | dict.fromkeys(FORKED, frozenset[str]())
NOWHERE = FORKED_APART | dict.fromkeys((*THREADS, *GREENLETS), frozenset[str]())
CONNECTIONS = {
    "sqlite-global": FORKED_APART | dict.fromkeys((*THREADS, *GREENLETS), CR),
    "sqlite-global-one-thread": FORKED_APART | dict.fromkeys(THREADS, BC) | dict.fromkeys(GREENLETS, CR),
    "redis-global": FORKED_APART | dict.fromkeys((*THREADS, *GREENLETS), CR | BC),
    "redis-before-fork": APART | dict.fromkeys((*FORKED, *THREADS, *GREENLETS), CR | BC),
    "memcached-global": FORKED_APART | dict.fromkeys((*THREADS, *GREENLETS), BC),
    "memcached-before-fork": APART | dict.fromkeys((*FORKED, *THREADS, *GREENLETS), BC),
    "postgres-global": FORKED_APART | dict.fromkeys((*THREADS, *GREENLETS), CR),
    "sqlite-on-g": NOWHERE,
    "postgres-on-g": NOWHERE,
    "redis-pool-before-fork": NOWHERE,
    "memcached-pool": NOWHERE,
    "postgres-pool": NOWHERE,
}


@pytest.mark.parametrize(("name", "showed"), [("cache", CACHES), ("connection", CONNECTIONS)])
def test_rule_agrees_with_what_the_workload_showed(name: str, showed: dict[str, dict[str, set[str]]]) -> None:
    """A late fill, a copy per process, computing together; a connection shared, or inherited: by claims alone."""
    workload = of_app(App()).workloads[name]
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

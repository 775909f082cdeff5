"""Made-up results that look like a full run: 40 mechanisms, 10 deployments, 3 windows, every state of a cell."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from msgspec import structs

from statelab.core.results import Bounds, Cell, Counts, Coverage, Fix, Interval, Latency, Results, Runs, VerdictName
from statelab.report.content.states import STATES, UNCLAIMED

from .witnesses import HOSTILE, witness_of

SHOWN = [state for state in STATES if state not in UNCLAIMED]
"""The states that a run of the lab's own app can show."""

WINDOWS = ("tight", "yield", "io")

DEPLOYMENTS: list[dict[str, Any]] = [
    {"name": "dev-single", "worker_class": "single", "workers": 1, "threads": 1, "spread": []},
    {"name": "dev-threaded", "worker_class": "threaded", "workers": 1, "threads": 1, "spread": ["threads"]},
    {"name": "dev-processes", "worker_class": "forking", "workers": 10, "threads": 1, "spread": ["processes"]},
    {"name": "sync", "worker_class": "sync", "workers": 1, "threads": 1, "spread": []},
    {"name": "sync-4", "worker_class": "sync", "workers": 4, "threads": 1, "spread": ["processes"]},
    {"name": "sync-4-preload", "worker_class": "sync", "workers": 4, "threads": 1, "spread": ["processes"]},
    {"name": "gthread", "worker_class": "gthread", "workers": 1, "threads": 8, "spread": ["threads"]},
    {"name": "gthread-2x4", "worker_class": "gthread", "workers": 2, "threads": 4, "spread": ["processes", "threads"]},
    {"name": "gevent", "worker_class": "gevent", "workers": 1, "threads": 1, "spread": ["greenlets"]},
    {"name": "gevent-2", "worker_class": "gevent", "workers": 2, "threads": 1, "spread": ["greenlets", "processes"]},
]
DESCRIPTIONS = {
    "dev-threaded": "Werkzeug's development server as `flask run` starts it: a new thread for each request",
    "sync-4": "gunicorn with four sync workers: four processes, each with its own memory",
}

REACH = {"request": "", "thread": "t", "process": "tg", "host": "tgp", "cluster": "tgp"}
"""Which of threads, greenlets and processes the state of a group crosses."""


@dataclass(frozen=True)
class Kind:
    """What the made-up prediction needs of a mechanism: the boundaries that its update excludes, by first letter."""

    name: str
    group: str
    atomic: str
    summary: str
    store: str | None = None
    blocks: bool = False


KINDS = [
    Kind("flask-g", "request", "", "`flask.g`: made for each request and gone with it."),
    Kind("context-var", "thread", "", "A `ContextVar`, which no WSGI server resets between requests."),
    Kind("thread-local", "thread", "", "`threading.local`: one counter a thread."),
    Kind("module-global", "process", "", "A module global and `+= 1`, the StackOverflow question's own code."),
    Kind("module-global-lock", "process", "tg", "A module global under a `threading.Lock`."),
    Kind("app-config", "process", "", "A number in `app.config`."),
    Kind("app-extension", "process", "", "An attribute of an object in `app.extensions`."),
    Kind("class-attribute", "process", "", "An attribute of a class, as in `self.param += 1`."),
    Kind("lru-cache-object", "process", "", "An object that `functools.lru_cache` hands out."),
    Kind("itertools-count", "process", "tg", "`next(itertools.count())`: one step of C code."),
    Kind("simple-cache", "process", "", "cachelib's `SimpleCache`, `get` then `set`."),
    Kind("simple-cache-inc", "process", "tg", "cachelib's `SimpleCache.inc`, which takes the cache's lock."),
    Kind("asyncio-lock", "process", "g", "A lock that belongs to another kind of concurrency."),
    Kind("gevent-lock", "process", "g", "`gevent.lock.BoundedSemaphore` around the update."),
    Kind("mp-value", "host", "", "`multiprocessing.Value` made at import, no lock taken."),
    Kind("mp-value-lock", "host", "tp", "`multiprocessing.Value` under its own lock, keyed on the OS thread."),
    Kind("mp-manager-dict", "host", "", "A `multiprocessing.Manager` dict and `+= 1`."),
    Kind("shared-memory", "host", "", "A named segment of `multiprocessing.shared_memory`."),
    Kind("file", "host", "", "A file, read then written."),
    Kind("file-flock", "host", "tp", "A file under `fcntl.flock`.", blocks=True),
    Kind("file-system-cache", "host", "", "cachelib's `FileSystemCache.inc`, which is `get` then `set`."),
    Kind("diskcache-incr", "host", "tgp", "`diskcache.Cache.incr`, one SQLite transaction."),
    Kind("sqlite-read-write", "host", "", "SQLite, `SELECT` then `UPDATE`."),
    Kind("sqlite-update", "host", "tgp", "SQLite, `UPDATE … SET n = n + 1 RETURNING n`."),
    Kind("sqlite-begin-immediate", "host", "tp", "SQLite under `BEGIN IMMEDIATE`.", blocks=True),
    Kind("gunicorn-stash", "host", "", "gunicorn's `stash`: `get` then `put`."),
    Kind(
        "gunicorn-dirty-actor", "host", "tgp", "A gunicorn dirty app with one worker: one owner, one after the other."
    ),
    Kind("redis-get-set", "cluster", "", "Redis `GET`, then `SET`: the store is shared, the update is not.", "redis"),
    Kind("redis-incr", "cluster", "tgp", "Redis `INCR`: one command.", "redis"),
    Kind("redis-incr-get", "cluster", "tgp", "Redis `INCR`, and the answer from a `GET` after it.", "redis"),
    Kind("redis-watch", "cluster", "tgp", "Redis `WATCH` … `MULTI`, tried again on conflict.", "redis"),
    Kind("redis-lua", "cluster", "tgp", "Redis, a Lua script.", "redis"),
    Kind("redis-lock", "cluster", "tgp", "redis-py's `Lock` with a lease longer than the section.", "redis"),
    Kind("redis-lock-short-lease", "cluster", "", "The same with a lease shorter than the section.", "redis"),
    Kind("memcached-get-set", "cluster", "", "memcached `get`, then `set`.", "memcached"),
    Kind("memcached-incr", "cluster", "tgp", "memcached `incr`: one command.", "memcached"),
    Kind("memcached-cas", "cluster", "tgp", "memcached `gets` … `cas`, tried again on conflict.", "memcached"),
    Kind(
        "postgres-read-committed", "cluster", "", "PostgreSQL, `SELECT` then `UPDATE`, default isolation.", "postgres"
    ),
    Kind("postgres-for-update", "cluster", "tgp", "PostgreSQL, `SELECT … FOR UPDATE`.", "postgres"),
    Kind("postgres-update", "cluster", "tgp", "PostgreSQL, `UPDATE … RETURNING`.", "postgres"),
]

OVERRIDES: dict[str, tuple[VerdictName, list[str], str]] = {
    "redis-incr/gevent-2/io": ("violated", ["lost-update"], "12 of 4,000 acknowledged increments are missing"),
    "sqlite-update/gthread/io": ("violated", ["overcounted"], f"4,003 took effect of 4,000 asked for {HOSTILE}"),
    "module-global/gthread-2x4/io": ("violated", ["divergent"], "two copies"),
    "app-config/gthread-2x4/io": ("violated", ["divergent", "lost-update", "misreported"], "two copies, and more"),
    "file-system-cache/sync-4/tight": ("held", [], "every number was handed out once"),
    "file-system-cache/gevent-2/io": ("held", [], "every number was handed out once"),
    "file/dev-threaded/tight": ("held", [], "every number was handed out once"),
    "memcached-get-set/sync-4/tight": ("held", [], "every number was handed out once"),
    "thread-local/sync-4/io": ("not-exercised", [], "1 of 4 processes answered"),
    "memcached-cas/gevent/io": ("unknown", [], "the time limit of 30 s was reached after 3 of 5 checks"),
    "redis-lock/gthread-2x4/yield": ("unknown", [], HOSTILE),
}
"""Cells that do not come out as predicted, by mechanism/deployment/window."""

FIXES = {
    "module-global": "module-global-lock",
    "file": "diskcache-incr",
    "redis-get-set": "redis-incr",
    "sqlite-read-write": "sqlite-update",
    "postgres-read-committed": "postgres-update",
}
"""What the made-up rule puts in the place of a broken mechanism, wherever it held."""

LASTING = {"module-global": "diskcache-incr", "file": "diskcache-incr"}
"""What it says of one that holds everywhere: another one for `module-global`, the same for `file`."""

SOURCES = {
    "module-global": "def increment(key):\n    value = counters[key]\n    counters[key] = value + 1\n"
    "    return value + 1",
    "module-global-lock": "lock = Lock()\n\ndef increment(key):\n    with lock:\n        value = counters[key]\n"
    "        counters[key] = value + 1\n        return value + 1",
    "redis-get-set": f"def increment(key):\n    value = redis.get(key)  # {HOSTILE}\n"
    "    return redis.set(key, value + 1)",
    "redis-incr": "def increment(key):\n    return redis.incr(key)  # ``` one line that is too long for its column ``` "
    + "x" * 80,
    "sqlite-read-write": "def increment(key):\n    return write(read(key) + 1)",
    "sqlite-update": "def increment(key):\n    return write(read(key) + 1)",
}
"""The code of some; the others show none."""

NOT_RUN = ("postgres-update/gevent-2/tight", "redis-lua/gevent/yield", "redis-lua/gevent-2/yield")


def predict(kind: Kind, deployment: dict[str, Any], window: str) -> tuple[list[str], bool, str]:
    """Near enough to the theory to make pages look like real ones."""
    spread = {boundary[0] for boundary in deployment["spread"]}
    reach = set(REACH[kind.group])
    if kind.group == "request":
        return ["never-persists"], False, "the state ends with the request"
    found = []
    if deployment["name"] in ("dev-processes", "dev-threaded") and spread - reach:
        return ["never-persists"], False, "the state does not cross what is new for every request"
    if spread - reach:
        found.append("divergent")
    open_here = spread & ({"p"} if window == "tight" else {"p", "t", "g"})
    if (open_here & reach) - set(kind.atomic) and not kind.blocks:
        found.append("lost-update")
    if kind.name == "redis-incr-get" and spread:
        found.append("misreported")
    if kind.blocks and "g" in spread and window != "tight":
        found.append("stalled")
    if found:
        return (
            found,
            False,
            "; ".join(f"the rule for {name} applies across {', '.join(sorted(spread))}" for name in found),
        )
    if not spread - set(kind.atomic):
        return [], True, "an update excludes every other one that may run beside it"
    return (
        [],
        False,
        "nothing excludes other requests; this window only has no switch point",
    )


@cache
def sample() -> Results:
    """The whole of it; the same at every call."""
    chance = random.Random(7)
    cells = [cell for window in WINDOWS for kind in KINDS for cell in _line(kind, window, chance)]
    return Results(manifest=manifest(), cells=_with_fixes(cells))


def _with_fixes(cells: list[Cell]) -> list[Cell]:
    by_place = {(cell.mechanism, cell.deployment, cell.window): cell for cell in cells}
    return [
        structs.replace(cell, fix=_fix(cell, by_place, FIXES), lasting_fix=_fix(cell, by_place, LASTING))
        for cell in cells
    ]


def _fix(cell: Cell, by_place: dict[tuple[str, str, str], Cell], table: dict[str, str]) -> Fix | None:
    other = by_place.get((table.get(cell.mechanism, ""), cell.deployment, cell.window))
    if cell.verdict != "violated" or other is None or other.verdict != "held":
        return None
    assert cell.latency_ms
    assert other.latency_ms
    return Fix(
        mechanism=other.mechanism,
        rate_ratio=(other.rate_ops_s or 0) / (cell.rate_ops_s or 1),
        p95_ratio=other.latency_ms.p95 / cell.latency_ms.p95,
        passed_over=["class-attribute", HOSTILE] if cell.mechanism == "file" else [],
    )


def manifest() -> dict[str, Any]:
    return {
        "profile": "default",
        "engine": "local",
        "date": "2026-11-22 08:45 UTC",
        "commit": "109e8b2",
        "seed": 20261122,
        "cores": 2,
        "kernel": "Linux 6.1.0 x86_64",
        "versions": {"python": "3.11.7", "flask": "3.1.3", "gunicorn": "27.0.1", "gevent": "26.9.0", "valkey": "9.1.2"},
        "durations": {"deploy": "41 s", "drive": "612 s", "check": "3.1 s"},
        "think_time_ms": 0.5,
        "mechanisms": [
            {
                "name": k.name,
                "workload": "counter",
                "group": k.group,
                "summary": k.summary,
                "store": k.store,
                "source": SOURCES.get(k.name),
            }
            for k in KINDS
        ],
        "unfixed": [
            {"workload": "counter", "mechanism": "flask-g", "reason": HOSTILE, "cells": ["sync, window io"]},
        ],
        "deployments": [
            deployment
            | {
                "server": "werkzeug" if deployment["name"].startswith("dev") else "gunicorn",
                "description": DESCRIPTIONS.get(deployment["name"], f"{deployment['name']} in one sentence"),
            }
            for deployment in DEPLOYMENTS
        ],
        "missing": [f"counter/{name}" for name in NOT_RUN],
        "stopped": "the time budget of 20 min was used up",
        "notes": ["Clients keep no connection: each request may reach another process.", HOSTILE],
    }


def _line(kind: Kind, window: str, chance: random.Random) -> Iterator[Cell]:
    for deployment in DEPLOYMENTS:
        if f"{kind.name}/{deployment['name']}/{window}" not in NOT_RUN:
            yield _cell(kind, deployment, window, chance)


def _cell(kind: Kind, deployment: dict[str, Any], window: str, chance: random.Random) -> Cell:
    predicted, guaranteed, why = predict(kind, deployment, window)
    place = f"{kind.name}/{deployment['name']}/{window}"
    verdict, anomalies, reason = OVERRIDES.get(place) or _as_predicted(predicted)
    common: dict[str, Any] = {
        "workload": "counter",
        "mechanism": kind.name,
        "deployment": deployment["name"],
        "window": window,
        "predicted": predicted,
        "guaranteed": guaranteed,
        "prediction_reason": why,
    }
    if kind.store == "postgres" and deployment["name"] != "sync":
        return Cell(**common, verdict="unavailable", reason="postgres is not configured for this deployment")
    return Cell(
        **common, verdict=verdict, anomalies=anomalies, reason=reason, **_measured(deployment, anomalies, chance)
    )


def _as_predicted(predicted: list[str]) -> tuple[VerdictName, list[str], str]:
    if predicted:
        return "violated", predicted, f"{' and '.join(predicted)} in a run of 4,000 increments by 16 clients"
    return "held", [], "every acknowledged increment counts once, and every number was handed out once"


def _measured(deployment: dict[str, Any], anomalies: list[str], chance: random.Random) -> dict[str, Any]:
    overlaps = 0 if not deployment["spread"] else chance.randrange(900, 60_000)
    info = 37 if "stalled" in anomalies else 3 if "overcounted" in anomalies else 0
    lost = chance.randrange(12, 3_500) if {"lost-update", "never-persists"} & set(anomalies) else 0
    forking = deployment["worker_class"] == "forking"
    slow = chance.uniform(3, 12)
    return {
        "operations": Counts(ok=4_000 - info, fail=0, info=info, timed_out=info),
        "coverage": Coverage(
            processes=3_963 if forking else deployment["workers"],
            expected_processes=None if forking else deployment["workers"],
            threads=max(deployment["threads"], 1),
            greenlets=0,
            overlaps=overlaps,
        ),
        "lost": Bounds(min=lost, max=lost + info),
        "duplicates": lost // 2,
        "race_events": lost // 20,
        "inversions": lost // 9,
        "scope": "process" if "divergent" in anomalies else "none" if anomalies else "all",
        "witness": witness_of(anomalies[0], deployment, chance) if anomalies else None,
        "rate_ops_s": chance.uniform(300, 2_600),
        "latency_ms": Latency(p50=slow, p95=slow * 2.2, p99=slow * 4.1),
        "runs": Runs(
            total=5,
            violated=5 if anomalies else 0,
            interval=Interval(low=0.478, high=1.0) if anomalies else Interval(low=0.0, high=0.522),
            lost_share_median=lost / 4_000 if lost else None,
            lost_share_interval=Interval(low=lost / 4_400, high=lost / 3_700) if lost else None,
        ),
    }

"""The places to keep a counter, side by side, from made-up results."""

from io import StringIO
from typing import Any

import msgspec
import pytest
from rich.console import Console

from offered import offered
from statelab.core.results import Latency, Results, Survival
from statelab.plan.catalogue import group as app_group
from statelab.report.content.document import compose
from statelab.report.content.matrices import Mechanism
from statelab.report.content.store_comparison import Place, place_of
from statelab.report.docs.stores_page import page
from statelab.report.formats.html import render as html
from statelab.report.formats.markdown import render as markdown
from statelab.report.formats.terminal import print_report

from .cells import LOST, cell, results

DEPLOYMENTS = [
    {"name": "one", "spread": []},
    {"name": "both", "spread": ["processes", "threads"]},
    {"name": "green", "spread": ["greenlets"]},
]
MECHANISMS = [
    {"name": "module-global-lock", "group": "process", "workload": "counter"},
    {"name": "mp-manager-lock", "group": "host", "workload": "counter", "medium": "manager"},
    {"name": "redis-get-set", "group": "cluster", "workload": "counter", "store": "redis"},
    {"name": "redis-incr", "group": "cluster", "workload": "counter", "store": "redis"},
    {"name": "redis-lock", "group": "cluster", "workload": "lock", "store": "redis"},
]
BROKEN = {("module-global-lock", "both"), ("mp-manager-lock", "green"), ("redis-get-set", "both")}
BROKEN |= {("redis-get-set", "green")}
RATES = {"module-global-lock": 999.0, "mp-manager-lock": 100.0, "redis-get-set": 500.0, "redis-incr": 400.0}


def survival(mechanism: str, kept: str, store: bool) -> list[dict[str, Any]]:
    endings = ("request", "worker", "server", "store", "everything")
    return [
        msgspec.to_builtins(
            Survival(
                mechanism=mechanism,
                ending=ending,
                predicted=None if ending == "store" and not store else ending in kept,
                counted=3,
                found=None if ending == "store" and not store else 3 if ending in kept else 0,
            )
        )
        for ending in endings
    ]


def sample(**manifest: Any) -> Results:
    tried = survival("mp-manager-lock", "request worker", store=False) + survival("redis-incr", "request worker", True)
    cells = [
        cell(
            workload=mechanism["workload"],
            mechanism=mechanism["name"],
            deployment=deployment["name"],
            rate_ops_s=RATES.get(mechanism["name"]),
            latency_ms=Latency(p50=1.0, p95=2000 / RATES.get(mechanism["name"], 1.0), p99=9.0),
            **({"predicted": ["lost-update"], **LOST} if (mechanism["name"], deployment["name"]) in BROKEN else {}),
        )
        for mechanism in MECHANISMS
        for deployment in DEPLOYMENTS
    ]
    whole = {"mechanisms": MECHANISMS, "deployments": DEPLOYMENTS, "survival": tried}
    return results(*cells, **(whole | manifest))


def places(given: Results) -> dict[str, Place]:
    comparison = compose(given).comparison
    assert comparison
    return {place.name: place for place in comparison.places}


@pytest.mark.parametrize(
    ("group", "kept_in", "place"),
    [
        ("cluster", {"store": "redis"}, "Redis"),
        ("process", {"store": "memcached"}, "memcached"),
        ("host", {"medium": "manager"}, "multiprocessing.Manager"),
        ("host", {"medium": "sqlite"}, "SQLite"),
        ("request", {"medium": "sqlite"}, "SQLite"),
        ("host", {"medium": "file"}, "files"),
        ("process", {}, "module global"),
        ("request", {}, None),
        ("host", {}, None),
    ],
)
def test_where_a_mechanism_keeps_its_state(group: str, kept_in: dict[str, str], place: str | None) -> None:
    """The store or the medium that it claims, whatever its name; in the memory of a process, a module global."""
    assert place_of(Mechanism(name="redis-file-sqlite-manager", group=group, **kept_in)) == place


def test_everything_that_outlives_its_process_says_what_keeps_it() -> None:
    """Of the app's own counters only a segment of shared memory, a semaphore, and what a server has of its own are no
    place of the comparison."""
    counters = offered().workloads["counter"].mechanisms
    nowhere = {
        name
        for name, about in counters.items()
        if app_group(about.claims) in ("host", "cluster")
        and not (about.claims.store or about.claims.medium or about.claims.server)
    }
    assert nowhere == {"mp-value", "shared-memory"}


def test_counts_of_what_holds() -> None:
    """The operation that holds under most deployments stands for its place, beside what is read then written."""
    redis = places(sample())["Redis"]
    assert redis.naive
    assert (redis.naive.name, redis.naive.text) == ("redis-get-set", "1 of 3")
    assert (redis.atomic.name, redis.atomic.text) == ("redis-incr", "3 of 3")
    assert redis.promises["lock"].text == "3 of 3"
    assert places(sample())["module global"].naive is None


def test_speeds_are_compared_where_all_are_measured_and_only_of_what_holds() -> None:
    """The fastest that holds under processes and threads is 1; what does not hold there has no speed, however fast."""
    found = places(sample())
    assert [factor for _, factor in found["Redis"].speeds] == ["×1.00", "×1.00"]
    assert [factor for _, factor in found["multiprocessing.Manager"].speeds] == ["×0.25", "×4.00"]
    assert found["module global"].speeds == [("does not hold", "")] * 2


def test_advice_says_who_where_not_and_until_when() -> None:
    """From measurements alone: the boundary at which it fails, and the first ending that it did not outlive."""
    found = places(sample())
    assert found["multiprocessing.Manager"].advice == (
        "all workers of one host; not where greenlets lie between requests; until its server ends"
    )
    assert found["Redis"].advice == "all workers of all hosts; until its server ends"
    assert found["module global"].advice == "one process; what it outlives was not tried"


def test_a_survival_that_the_rule_does_not_predict_is_marked() -> None:
    """Kept although lost is predicted, or the other way round, shows beside the sign."""
    tried = [msgspec.to_builtins(Survival(mechanism="redis-incr", ending="worker", predicted=True, counted=3, found=0))]
    marks = [mark.text for mark in places(sample(survival=tried))["Redis"].lived]
    assert marks == ["–", "✗≠", "–", "–", "–"]


HOSTS = {"name": "two", "spread": ["hosts", "processes", "threads"]}


def test_what_a_place_is_worth_on_two_hosts() -> None:
    """Only where the run has such a deployment, or a second run that is given beside it; a host is tried only there."""
    plain = compose(sample())
    tried = [
        msgspec.to_builtins(Survival(mechanism=name, ending="host", predicted=kept, counted=3, found=3 if kept else 0))
        for name, kept in (("mp-manager-lock", False), ("redis-incr", True))
    ]
    measured = [
        cell(workload="counter", mechanism=name, deployment="two", **({} if holds else {"predicted": ["x"], **LOST}))
        for name, holds in (("mp-manager-lock", False), ("redis-incr", True))
    ]
    run = {"mechanisms": MECHANISMS, "deployments": [HOSTS], "survival": tried}
    replicas = compose(results(*measured, **run))
    assert plain.comparison
    assert replicas.comparison
    assert (plain.comparison.replicated, replicas.comparison.replicated) == ([], ["two"])
    assert replicas.comparison.endings == ["host"]
    assert "on two hosts" not in page(plain)
    lines = {line.split("**")[1]: line.split(" | ") for line in page(plain, replicas).splitlines() if "**" in line[:4]}
    assert [cells[5] for cells in (lines["multiprocessing.Manager"], lines["Redis"])] == ["0 of 1", "1 of 1"]
    assert [cells[-2] for cells in (lines["multiprocessing.Manager"], lines["Redis"])] == ["✗", "✓"]
    assert "on two hosts" in html(replicas)


def test_every_form_has_it() -> None:
    """Markdown, page, docs and terminal show the same places; a run of one place has nothing to compare."""
    report = compose(sample())
    console = Console(width=120, record=True, file=StringIO())
    print_report(sample(), console, tables=True)
    for text in (markdown(report), html(report), page(report), console.export_text()):
        assert "multiprocessing.Manager" in text
        assert "redis-incr" in text
    alone = results(cell())
    assert compose(alone).comparison is None
    with pytest.raises(ValueError, match="fewer than two places"):
        page(compose(alone))

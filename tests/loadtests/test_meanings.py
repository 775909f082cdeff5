"""The web UI's tab: each workload's operations in one sentence, wrong ones named and right ones not called safe."""

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Response

from meanings import NOTHING_SEEN
from state_tab import NOTHING_DONE, StateTab
from statelab.core.load import Cell
from statelab.core.operation import Operation, Result, Value
from statelab.plan.app import App
from statelab.plan.catalogue import of_app
from workloads import load_of

clock = itertools.count(10, 10)


def done(op: str, result: Result, key: str = "k", value: Value | None = None) -> Operation:
    """An operation after all others before it."""
    start = next(clock)
    return Operation(process=1, op=op, start=start, end=start + 5, status="ok", key=key, result=result, value=value)


def many(op: str, *results: Result, key: str = "k") -> list[Operation]:
    return [done(op, result, key) for result in results]


WRITES = [done("write", "ok", value=1), done("write", "ok", value=2)]

SAID = [
    ("counter", many("increment", 1, 2), [2], NOTHING_SEEN),
    ("counter", many("increment", 1, 2), [1], "1 acknowledged increments are missing"),
    ("counter", many("increment", 1, 1), [2], "numbers handed out"),
    ("counter", many("increment", 1), [1, 0], "several copies"),
    ("counter", many("increment", 1), [3], "more was counted"),
    ("counter", many("increment", 1), [], "could not be read"),
    ("unique-id", many("new-id", "a", "b"), [], NOTHING_SEEN),
    ("unique-id", many("new-id", "a", "b", "a"), [], "1 ids"),
    ("request-scope", [done("echo", "a", value="a")], [], NOTHING_SEEN),
    ("request-scope", [done("echo", "b", value="a")], [], "1 answers were not"),
    ("connection", [done("echo", 4, value=5)], [], "1 answers were not"),
    ("lock", many("work", [1, 2], "busy", [2, 3]), [], NOTHING_SEEN),
    ("lock", many("work", [1, 4], [3, 5]), [], "1 times"),
    ("inventory", many("buy", "ok", "ok", "sold-out"), [], NOTHING_SEEN),
    ("inventory", many("buy", "ok", "ok", "ok"), [], "1 more were sold"),
    ("rate-limit", many("hit", "ok", "ok", "refused") + many("hit", "ok", key="other"), [], NOTHING_SEEN),
    ("rate-limit", many("hit", "ok", "ok", "ok", "ok"), [], "2 more requests"),
    ("cache", [*WRITES, done("read", 2), done("read", [2, 0, 1])], [], NOTHING_SEEN),
    ("cache", [*WRITES, done("read", 1)], [], "1 reads returned an older"),
    ("cache", [done("read", None), *WRITES], [], NOTHING_SEEN),
    ("session", many("count", "b0-1 1", "b0-1 2", key="k.b0-1"), [], NOTHING_SEEN),
    ("session", many("count", "b0-1 1", "b0-1 1", key="k.b0-1"), [], "1 counts"),
    ("session", many("whoami", "b1-1", "", key="k.b0-1"), [], "1 answers were about another user"),
    ("once", many("execute", "r1"), [["r1 7 10", "r2 7 11"]], NOTHING_SEEN),
    ("once", many("execute", "r1"), [["r1 7 10", "r1 8 11"]], "1 effects"),
    ("once", many("execute", "r1"), [], "could not be read"),
]


@pytest.mark.parametrize(("workload", "operations", "final", "said"), SAID)
def test_what_is_said(workload: str, operations: list[Operation], final: list[Result], said: str) -> None:
    """The smallest wrong history of each kind is named, the right one beside it is not."""
    assert said in load_of(workload).meaning(operations, final)


def test_every_workload_has_a_sentence() -> None:
    """Whatever is judged, the tab can speak of; each has a right and a wrong history above."""
    workloads = of_app(App()).workloads.keys()
    assert {workload for workload, _, _, said in SAID if said != NOTHING_SEEN} == workloads


def test_a_read_during_an_update_may_be_either() -> None:
    """The older value is wrong only after the newer one was acknowledged before the read began."""
    first = Operation(process=1, op="write", start=1, end=2, status="ok", value=1)
    second = Operation(process=1, op="write", start=3, end=9, status="ok", value=2)
    read = Operation(process=2, op="read", start=5, end=6, status="ok", result=1)
    assert load_of("cache").meaning([first, second, read], []) == NOTHING_SEEN


class Console:
    """What the tab asks of Locust's web UI."""

    def __init__(self) -> None:
        self.template_args: dict[str, object] = {}
        self.app = self

        self.json = json

    def after_request(self, function: Callable[[Any], Any]) -> None:
        self.added = function

    def told(self, answer: dict[str, Any]) -> dict[str, Any]:
        """What the page gets where Locust answers so."""
        response = Response(json.dumps(answer), content_type="application/json")
        found: dict[str, Any] = self.added(response).json
        return found


LOCK = Cell(
    url="http://127.0.0.1:1",
    workload="lock",
    mechanism="m",
    window="io",
    key="k",
    processes=None,
    servers=1,
    min_seconds=0.0,
    max_seconds=1.0,
    min_operations=0,
    audits=1,
)


def test_a_row_is_of_the_workload_that_was_picked() -> None:
    """It counts each operation by its name, and what was refused or has no answer apart."""
    tab = StateTab(Console())
    tab.begin(LOCK, "d")
    assert not tab.anything
    busy = Operation(process=1, op="work", start=1, end=2, status="fail")
    lost = Operation(process=1, op="work", start=1, end=None, status="info")
    for operation in [*many("work", [1, 4], [3, 5]), busy, lost]:
        tab.note(operation)
    tab.end([])
    (row,) = tab._rows
    assert (row["cell"], row["acknowledged"], row["failed"], row["unknown"]) == ("lock, m, d, io", "2 work", 1, 1)
    assert row["meaning"].startswith("1 times")


def test_the_page_is_told_of_a_run_until_its_row_is_there() -> None:
    """Locust's page asks no more once a run has stopped; a row that came later would never be seen."""
    console = Console()
    tab = StateTab(console)
    assert console.told({"stats": [], "state": "ready"})["state"] == "ready"
    tab.begin(LOCK, "d")
    assert console.told({"stats": [], "state": "stopped"})["state"] == "running"
    tab.note(Operation(process=1, op="work", start=1, end=2, status="fail"))
    tab.end([])
    tab.settle()
    told = console.told({"stats": [], "state": "stopped"})
    assert told["state"] == "stopped"
    assert told["extended_stats"][0]["data"][0]["meaning"] == NOTHING_DONE
    assert "extended_stats" not in console.told({"state": "stopped"})


def test_without_a_web_ui_nothing_is_kept() -> None:
    """A measured run has millions of operations, and nobody to show them to."""
    tab = StateTab(None)
    tab.note(done("increment", 1))
    assert not tab.anything

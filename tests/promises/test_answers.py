"""What another app's answers mean, by status and body; and what is refused before the load."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server

from statelab.check.assess import exit_code
from statelab.check.judges.counter.judge import judge
from statelab.check.judges.judgement import Expectation
from statelab.core.ask import Ask
from statelab.core.errors import BadInput
from statelab.core.operation import Operation
from statelab.core.results import Cell, Results
from statelab.drive.try_out import try_out
from statelab.plan import promises
from statelab.record.columns import History

HERE = Path(__file__).parent
SENT: dict[str, str | int] = {"key": "k", "value": "v7", "user": "ann", "id": "k-1"}
NO_JSON = "the answer is not JSON: <p>Hits"


@pytest.mark.parametrize(
    ("means", "more", "code", "body", "outcome"),
    [
        ("number", {}, 200, b'{"r": 7}', ("ok", 7, None)),
        ("number", {}, 200, b'{"r": "7"}', ("ok", 7, None)),
        ("number", {}, 200, b'{"r": true}', ("info", None, '$.r of the answer is not a whole number: {"r": true}')),
        ("number", {}, 200, b'{"x": 7}', ("info", None, '$.r matches nothing in the answer: {"x": 7}')),
        ("number", {}, 200, b"<p>Hits", ("info", None, NO_JSON)),
        ("number", {"reads": True}, 200, b"<p>Hits", ("fail", None, NO_JSON)),
        ("number", {}, 302, b'{"r": 7}', ("info", None, 'HTTP 302: {"r": 7}')),
        ("number", {}, 404, b"nothing here", ("info", None, "HTTP 404: nothing here")),
        ("done", {"result": None, "status": 302}, 302, b"", ("ok", None, None)),
        ("done", {"result": None, "status": 302}, 200, b"log in", ("info", None, "HTTP 200: log in")),
        ("done", {"result": None}, 302, b"", ("info", None, "HTTP 302: (an empty body)")),
        ("text", {}, 201, b'{"r": 7}', ("ok", "7", None)),
        ("sent", {}, 200, b'{"r": "v7"}', ("ok", "v7", None)),
        (
            "sent",
            {},
            200,
            b'{"r": null}',
            ("info", None, '$.r of the answer is neither a text nor a whole number: {"r": null}'),
        ),
        ("sent", {"reads": True}, 200, b'{"r": null}', ("ok", "v7", None)),
        ("sold", {"result": None, "no": 409}, 200, b"", ("ok", "ok", None)),
        ("sold", {"result": None, "no": 409}, 409, b"", ("ok", "sold-out", None)),
        ("sold", {"result": None, "no": 409}, 410, b"", ("info", None, "HTTP 410: (an empty body)")),
        ("sold", {"no": "gone"}, 200, b'{"r": "gone"}', ("ok", "sold-out", None)),
        ("sold", {"no": False}, 200, b'{"r": false}', ("ok", "sold-out", None)),
        ("sold", {"no": False}, 200, b'{"r": 0}', ("ok", "ok", None)),
        ("lock", {"no": 423}, 423, b"", ("ok", "busy", None)),
        ("own-user", {"result": None}, 302, b"", ("ok", "ann", None)),
        ("own-user", {}, 200, b'{"r": "bob"}', ("ok", "bob", None)),
        ("own-user", {}, 200, b"<form>", ("info", None, "the answer is not JSON: <form>")),
        ("user", {"no": 401}, 401, b"", ("ok", None, None)),
        ("user", {}, 200, b'{"r": null}', ("ok", None, None)),
        ("user-number", {"user": "$.u"}, 200, b'{"r": 3, "u": "bob"}', ("ok", "bob 3", None)),
        ("user-number", {}, 200, b'{"r": 3}', ("ok", "ann 3", None)),
        ("ledger", {"result": "$.r[*].n"}, 200, b'{"r": [{"n": "k-1"}, {"n": "k1-1"}]}', ("ok", ["k-1"], None)),
        ("ledger", {"result": "$.r[*].n"}, 200, b'{"r": []}', ("ok", [], None)),
    ],
)
def test_an_answer_is_the_outcome_that_the_promise_names(
    means: Any, more: dict[str, Any], code: int, body: bytes, outcome: object
) -> None:
    """An answer that does not fit a change leaves its outcome unknown, whatever the status."""
    ask = Ask(**{"method": "POST", "path": "/", "means": means, "result": "$.r", **more})
    assert ask.outcome(SENT, code, body, None) == outcome


def test_what_is_sent_stands_in_path_headers_and_body() -> None:
    ask = Ask(
        method="POST",
        path="/{key}?v={value}",
        means="done",
        headers={"X": "<{id}>"},
        json={"n": "{value}", "all": ["{key}", "a {key}", 1]},
    )
    path, headers, body = ask.fill({**SENT, "key": "a/b", "value": 2})
    assert (path, headers["X"]) == ("/a%2Fb?v=2", "<k-1>")
    assert body == b'{"n":2,"all":["a/b","a a/b",1]}'
    assert ask.fill(SENT)[1]["Content-Type"] == "application/json"
    form = Ask(method="POST", path="/", means="done", form={"name": "{user} & co"})
    assert form.fill(SENT)[2] == b"name=ann+%26+co"


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Flask]]:
    """The app `desk` on a server in a thread of the test."""
    monkeypatch.syspath_prepend(str(HERE / "desk"))
    sys.modules.pop("desk", None)
    from desk import app  # type: ignore[import-not-found]

    server = make_server("127.0.0.1", 0, app)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", app
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_app_that_answers_as_it_promises_is_accepted(desk: tuple[str, Flask]) -> None:
    try_out(desk[0], promises.load(HERE / "desk").values(), alone=True)


@pytest.mark.parametrize(
    ("name", "op", "changes", "sentence"),
    [
        (
            "tickets",
            "new-id",
            {"result": "$.number"},
            'new-id: $.number matches nothing in the answer: {"ticket":{"numb',
        ),
        (
            "tickets",
            "new-id",
            {"method": "GET", "path": "/page"},
            "promise.tickets.new-id: the answer is not JSON: <h1>De",
        ),
        (
            "orders",
            "read",
            {"result": "$.orders[0].text"},
            "promise.orders.read: $.orders[0].text of the answer is not a li",
        ),
        ("search", "echo", {"result": "$.words"}, "promise.search.echo: try-"),
        ("accounts", "login", {"path": "/page", "method": "GET"}, "promise.accounts.whoami: after the login of try-"),
        (
            "articles",
            "buy",
            {"no": 410},
            "promise.articles.buy.sold_out: of one article a second one was asked for, and",
        ),
    ],
)
def test_a_promise_that_does_not_fit_the_answers_is_refused(
    desk: tuple[str, Flask], name: str, op: str, changes: dict[str, Any], sentence: str
) -> None:
    """With file, key and the beginning of the answer, before anything is measured."""
    url, app = desk
    app.add_url_rule("/page", "page", lambda: "<h1>Desk</h1>")
    promise = promises.load(HERE / "desk")[name]
    ask = promise.asks[op]
    wrong = Ask(**{field: getattr(ask, field) for field in ask.__struct_fields__} | changes)
    with pytest.raises(BadInput) as refused:
        try_out(url, [replace(promise, asks={**promise.asks, op: wrong})], alone=True)
    assert sentence in str(refused.value)
    assert str(refused.value).startswith(str(HERE / "desk" / "statelab.toml"))


def test_a_route_that_is_not_there_is_left_to_the_load(desk: tuple[str, Flask]) -> None:
    promise = promises.load(HERE / "desk")["tickets"]
    asks = {"new-id": Ask(method="POST", path="/nowhere", means="text", result="$.id")}
    try_out(desk[0], [replace(promise, asks=asks)], alone=True)


def operation(op: str, start: int, result: int | None, process: int = 0) -> Operation:
    return Operation(process=process, op=op, key="k", start=start, end=start + 5, status="ok", result=result)


def test_a_counter_that_is_older_than_its_server_begins_where_the_first_read_found_it() -> None:
    history = [operation("read", 0, 41), operation("increment", 10, 42), operation("read", 20, 42)]
    expectation = Expectation(expected_processes=None, initial=None)
    one_process = replace(expectation, expected_processes=0)
    assert judge(History.from_operations(history), one_process).verdict == "held"
    lost = [*history[:2], operation("read", 20, 41)]
    assert judge(History.from_operations(lost), one_process).anomalies == ["lost-update"]
    late = judge(History.from_operations(history[1:]), one_process)
    assert (late.verdict, late.reason) == (
        "not-exercised",
        "no read was answered before the first increment, so the value at the start is not known",
    )


def test_a_counter_whose_increments_are_told_no_number_is_judged_by_its_reads() -> None:
    counted = [operation("increment", start, None, process=start) for start in (10, 12, 14)]
    one_process = Expectation(expected_processes=0, initial=None)

    def verdict(*operations: Operation) -> tuple[str, list[str]]:
        judged = judge(History.from_operations([operation("read", 0, 5), *operations]), one_process)
        return judged.verdict, judged.anomalies

    assert verdict(*counted, operation("read", 30, 8)) == ("held", [])
    assert verdict(*counted, operation("read", 30, 7)) == ("violated", ["lost-update"])
    assert verdict(*counted, operation("read", 30, 9)) == ("violated", ["overcounted"])
    assert verdict(*counted, operation("read", 13, 6)) == ("not-exercised", [])


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [(("held", "held"), 0), (("held", "violated"), 1), (("held", "not-exercised"), 3), (("unknown", "violated"), 1)],
)
def test_only_promises_that_are_known_to_hold_are_a_success(verdicts: tuple[Any, ...], code: int) -> None:
    cells = [
        Cell(
            workload="counter",
            mechanism="hits",
            deployment="sync",
            window="none",
            predicted=[],
            guaranteed=False,
            prediction_reason="",
            verdict=verdict,
            reason="",
            claimed=False,
        )
        for verdict in verdicts
    ]
    assert exit_code(Results(manifest={}, cells=cells)) == code

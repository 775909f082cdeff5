"""One contract for all shelves, seen in one process: what is sold, what is refused, and what is no request at all."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask
from flask.testing import FlaskClient

from webapp.catalogue import WORKLOADS

MECHANISMS = WORKLOADS["inventory"].mechanisms
HERE = [name for name, mechanism in MECHANISMS.items() if not mechanism.unavailable]
ATOMIC = [name for name in HERE if "threads" in MECHANISMS[name].claims.atomic_across]


def path(name: str, operation: str, key: str, **arguments: object) -> str:
    query = "".join(f"&{argument}={value}" for argument, value in arguments.items())
    return f"/inventory/{name}/{operation}?key={key}{query}"


def stock(client: FlaskClient, name: str, key: str, value: int) -> None:
    response = client.post(path(name, "stock", key, value=value))
    assert (response.status_code, response.get_json()) == (200, {"result": value})


def buy(client: FlaskClient, name: str, key: str, window: str = "call") -> str:
    response = client.post(path(name, "buy", key, window=window))
    assert response.status_code == 200, response.get_json()
    return str(response.get_json()["result"])


def left(client: FlaskClient, name: str, key: str) -> int:
    return int(client.get(f"/inventory/{name}?key={key}").get_json()["result"])


def test_only_stores_are_missing_here() -> None:
    """Everything that needs no server is tried by these tests."""
    assert {name for name in MECHANISMS if name not in HERE} == {
        name for name, mechanism in MECHANISMS.items() if mechanism.claims.store
    }
    assert len(HERE) == 5


@pytest.mark.parametrize("name", HERE)
@pytest.mark.parametrize("window", ["tight", "call", "io"])
def test_one_buyer_after_the_other_gets_all_and_no_more(client: FlaskClient, name: str, window: str) -> None:
    """Three in stock: three are sold, then everybody is refused, and nothing is below zero."""
    key = f"serial-{window}"
    stock(client, name, key, 3)
    assert [buy(client, name, key, window) for _ in range(5)] == ["ok"] * 3 + ["sold-out"] * 2
    assert left(client, name, key) == 0


@pytest.mark.parametrize("name", HERE)
def test_an_empty_shelf_sells_nothing_and_can_be_filled_again(client: FlaskClient, name: str) -> None:
    """A stock of zero is a stock; the next delivery replaces what was there."""
    stock(client, name, "empty", 0)
    assert buy(client, name, "empty") == "sold-out"
    stock(client, name, "empty", 1)
    assert [buy(client, name, "empty") for _ in range(2)] == ["ok", "sold-out"]


@pytest.mark.parametrize("name", HERE)
def test_articles_are_shelves_of_their_own(client: FlaskClient, name: str) -> None:
    """Keys share nothing, even where one is the beginning of the other; mechanisms share nothing either."""
    for key in ("own", "own.1", "own-"):
        stock(client, name, key, 1)
    assert buy(client, name, "own") == "ok"
    assert [left(client, name, key) for key in ("own", "own.1", "own-")] == [0, 1, 1]


@pytest.mark.parametrize("name", HERE)
@pytest.mark.parametrize("value", ["-1", "", "many", "1.5", "99999999999"])
def test_a_stock_that_cannot_be_is_refused_and_changes_nothing(client: FlaskClient, name: str, value: str) -> None:
    """A negative stock, none, or no number: 422, JSON that says so, and the shelf is as it was."""
    stock(client, name, "kept", 2)
    response = client.post(path(name, "stock", "kept", value=value))
    assert (response.status_code, response.mimetype) == (422, "application/json")
    assert "value" in response.get_json()["error"]
    assert left(client, name, "kept") == 2


@pytest.mark.parametrize("name", HERE)
def test_an_unknown_article_is_not_sold_out(client: FlaskClient, name: str) -> None:
    """To buy or to read what was never in stock is a 404 that names it, and it is not known afterwards either."""
    for response in (
        client.post(path(name, "buy", "no.such")),
        client.get(f"/inventory/{name}?key=no.such"),
        client.post(path(name, "buy", "no.such", window="io")),
    ):
        assert response.status_code == 404
        assert "'no.such'" in response.get_json()["error"]


def bought_at_once(app: Flask, name: str, key: str, *, buyers: int = 8) -> list[str]:
    """What so many buyers are told who ask at the same time, through a window of 2 ms."""
    start = Barrier(buyers)

    def use(_: int) -> str:
        client = app.test_client()
        start.wait()
        return buy(client, name, key, "io")

    with ThreadPoolExecutor(buyers) as threads:
        return list(threads.map(use, range(buyers)))


@pytest.mark.parametrize("name", ATOMIC)
def test_what_claims_to_exclude_threads_sells_the_last_one_once(client: FlaskClient, name: str) -> None:
    """Eight buyers, one article, ten times: one of them gets it."""
    for number in range(10):
        stock(client, name, f"last-{number}", 1)
        assert sorted(bought_at_once(client.application, name, f"last-{number}")) == ["ok"] + ["sold-out"] * 7
        assert left(client, name, f"last-{number}") == 0


@pytest.mark.parametrize("name", sorted(set(HERE) - set(ATOMIC)))
def test_what_does_not_claim_it_sells_the_last_one_more_than_once(client: FlaskClient, name: str) -> None:
    """The same load: in ten tries somebody looks before another has taken, so the claim is missing for a reason."""
    sold = 0
    for number in range(10):
        stock(client, name, f"last-{number}", 1)
        sold += bought_at_once(client.application, name, f"last-{number}").count("ok")
    assert sold > 10


def test_sqlalchemy_leaves_for_update_out_on_sqlite() -> None:
    """What the mechanism says of its library: the same query asks for a lock on PostgreSQL and for none on SQLite."""
    from sqlalchemy import select
    from sqlalchemy.dialects import postgresql, sqlite

    from webapp.inventory.sqlite_for_update import ARTICLES

    query = select(ARTICLES.c.n).with_for_update()
    assert "FOR UPDATE" in str(query.compile(dialect=postgresql.dialect()))
    assert "FOR UPDATE" not in str(query.compile(dialect=sqlite.dialect()))

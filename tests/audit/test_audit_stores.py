"""Apps that keep their state in Redis: the lab's own is started, put back between worlds, and looked at."""

import sys
from pathlib import Path

import psycopg
import pytest
from small_apps import BUY, HEAD

from statelab.audit import Audit
from statelab.audit.http_file import read
from statelab.audit.processes import App
from statelab.audit.run import Asked, perform
from statelab.audit.stores import Stores
from statelab.core.errors import BadInput
from statelab.core.paths import DEPLOYMENTS
from statelab.plan.deployments import load_all

STORE = """
import redis
store = redis.from_url(os.environ["REDIS_URL"])
store.setnx("left", 1)
"""

GET_THEN_SET = (
    STORE
    + """
@app.post("/buy")
def buy():
    left = int(store.get("left"))
    if left < 1:
        return "sold out", 409
    store.set("left", left - 1)
    return "sold"
"""
)

DECREMENT = (
    STORE
    + """
@app.post("/buy")
def buy():
    if store.decr("left") < 0:
        store.incr("left")
        return "sold out", 409
    return "sold"
"""
)


DATABASE = """
import psycopg
ask = lambda query: psycopg.connect(os.environ["DATABASE_URL"], autocommit=True).execute(query)
ask("CREATE TABLE IF NOT EXISTS stock (units int)")
ask("CREATE TABLE IF NOT EXISTS sale (number serial PRIMARY KEY)")
ask("INSERT INTO stock SELECT 1 WHERE NOT EXISTS (SELECT FROM stock)")
"""

READ_THEN_UPDATE = (
    DATABASE
    + """
@app.post("/buy")
def buy():
    units = ask("SELECT units FROM stock").fetchone()[0]
    if units < 1:
        return "sold out", 409
    ask("UPDATE stock SET units = %d" % (units - 1))
    return jsonify(ask("INSERT INTO sale DEFAULT VALUES RETURNING number").fetchone())
"""
)

UPDATE_WHERE = (
    DATABASE
    + """
@app.post("/buy")
def buy():
    if not ask("UPDATE stock SET units = units - 1 WHERE units > 0").rowcount:
        return "sold out", 409
    return jsonify(ask("INSERT INTO sale DEFAULT VALUES RETURNING number").fetchone())
"""
)


def audited(folder: Path, source: str, python: str) -> Audit:
    (folder / "shop.py").write_text(HEAD + source)
    (folder / "story.http").write_text(BUY)
    return perform(
        Asked(
            app=App(
                name="shop:app",
                folder=folder,
                python=python,
                stores={"DATABASE_URL": "postgres"} if "DATABASE_URL" in source else {"REDIS_URL": "redis"},
            ),
            stories=[read(folder / "story.http")],
            deployments=load_all(DEPLOYMENTS, ()),
            most_steps=6,
        )
    )


@pytest.mark.process
@pytest.mark.parametrize(
    ("source", "place"),
    [(GET_THEN_SET, "key of REDIS_URL left"), (READ_THEN_UPDATE, "table of DATABASE_URL public.stock")],
)
def test_check_then_act_in_a_store_is_lost_between_processes_too(tmp_path: Path, source: str, place: str) -> None:
    found = audited(tmp_path, source, sys.executable)
    assert {finding.anomaly for finding in found.findings} == {"lost-update"}
    assert found.verdicts["sync-4"].verdict == found.verdicts["gthread"].verdict == "violated"
    assert found.verdicts["sync"].verdict == "not-seen"
    assert place in [change.place for change in found.findings[0].places]


@pytest.mark.process
@pytest.mark.parametrize("source", [DECREMENT, UPDATE_WHERE])
def test_one_step_in_a_store_is_lost_nowhere(tmp_path: Path, source: str) -> None:
    assert audited(tmp_path, source, sys.executable).findings == ()


@pytest.mark.process
def test_tables_and_sequences_are_put_back(tmp_path: Path) -> None:
    stores = Stores({"DATABASE_URL": "postgres"}, tmp_path)
    try:
        with psycopg.connect(stores.environment["DATABASE_URL"], autocommit=True) as app:
            app.execute("CREATE TABLE person (id serial PRIMARY KEY, name text)")
            app.execute("CREATE TABLE bill (id serial PRIMARY KEY, payer int REFERENCES person)")
            app.execute("INSERT INTO person (name) VALUES (E'amber\\n\\t')")
            before, kept = stores.contents(), stores.save()
            assert before == {"table of DATABASE_URL public.person": ["1\tamber\\n\\t"]}
            app.execute("INSERT INTO bill (payer) VALUES (1)")
            app.execute("UPDATE person SET name = 'other'")
            app.execute("CREATE TABLE more (id int)")
            stores.put_back(kept)
            assert stores.contents() == before
            assert app.execute("INSERT INTO bill (payer) VALUES (1) RETURNING id").fetchone() == (1,)
            assert app.execute("INSERT INTO person (name) VALUES ('b') RETURNING id").fetchone() == (2,)
            assert app.execute("SELECT to_regclass('more')").fetchone() == (None,)
    finally:
        stores.close()


@pytest.mark.process
def test_every_type_is_shown_and_put_back(tmp_path: Path) -> None:
    with_each = [
        (b"SET", b"text", b"\xff"),
        (b"RPUSH", b"list", b"1", b"2"),
        (b"HSET", b"hash", b"k", b"v"),
        (b"SADD", b"set", b"b", b"a"),
        (b"ZADD", b"zset", b"1", b"m"),
        (b"XADD", b"stream", b"1-1", b"k", b"v"),
    ]
    stores = Stores({"REDIS_URL": "redis"}, tmp_path)
    try:
        redis = stores._redis["REDIS_URL"]
        for command in with_each:
            redis.ask(*command)
        redis.ask(b"PEXPIRE", b"text", b"600000")
        before, kept = stores.contents(), stores.save()
        assert before["key of REDIS_URL set"] == ["a", "b"]
        assert before["key of REDIS_URL text"] == ["\\xff"]
        redis.ask(b"FLUSHALL")
        redis.ask(b"SET", b"other", b"1")
        stores.put_back(kept)
        assert stores.contents() == before
        assert 0 < int(redis.ask(b"PTTL", b"text")) <= 600000  # type: ignore[call-overload]
    finally:
        stores.close()


def test_a_store_that_cannot_be_started_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="'mysql' is not a store that the audit can start"):
        Stores({"URL": "mysql"}, tmp_path)

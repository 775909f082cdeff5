"""A random session id in Flask's signed cookie; user and counter in a row of PostgreSQL that one statement updates.

People fear a database query for each request. It is one statement that adds and answers, and it changes nothing once
the logout has deleted the row; and the session outlives every restart.
"""

import secrets

from flask import Flask, session

from webapp.claims import CLUSTER, Claims
from webapp.own_app import own_app
from webapp.session.answers import nobody, shown
from webapp.tables import Tables
from webapp.window import Window

CLAIMS = Claims(shared_across=CLUSTER, atomic_across=CLUSTER, survives="store", store="postgres", keyed=True)

TABLES = Tables(
    "session",
    'CREATE TABLE IF NOT EXISTS sessions (id text PRIMARY KEY, "user" text NOT NULL, counter integer NOT NULL)',
)


def init_app(app: Flask) -> None:
    mine = own_app(app, "session", "cookie-id-postgres", store="postgres")
    mine.config["SECRET_KEY"] = "one for all processes; yours is a secret"


def login(key: str, window: Window, user: str) -> str:
    window()
    session["id"] = secrets.token_urlsafe(32)
    with TABLES.postgres().connection() as transaction:
        transaction.execute("INSERT INTO sessions VALUES (%s, %s, 0)", [session["id"], user])
    return user


def count(key: str, window: Window) -> str:
    window()
    with TABLES.postgres().connection() as transaction:
        found = transaction.execute(
            'UPDATE sessions SET counter = counter + 1 WHERE id = %s RETURNING "user", counter', [session.get("id")]
        ).fetchone()
    if found is None:
        raise nobody()
    user, value = found
    return shown(user, value)


def logout(key: str, window: Window) -> str:
    window()
    with TABLES.postgres().connection() as transaction:
        found = transaction.execute(
            'DELETE FROM sessions WHERE id = %s RETURNING "user"', [session.get("id")]
        ).fetchone()
    if found is None:
        raise nobody()
    session.clear()
    return str(found[0])


def read(key: str) -> str:
    with TABLES.postgres().connection() as transaction:
        found = transaction.execute(
            'SELECT "user", counter FROM sessions WHERE id = %s', [session.get("id")]
        ).fetchone()
    if found is None:
        raise nobody()
    user, value = found
    return shown(user, value)


def whoami(key: str) -> str | None:
    with TABLES.postgres().connection() as transaction:
        found = transaction.execute('SELECT "user" FROM sessions WHERE id = %s', [session.get("id")]).fetchone()
    return None if found is None else str(found[0])

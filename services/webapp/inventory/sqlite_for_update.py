"""SQLAlchemy's `select(...).with_for_update()` on SQLite, then write what was read less one.

People copy from PostgreSQL the call that locks a row there. SQLite has no `FOR UPDATE`; SQLAlchemy leaves it out
without a word, and the row is not locked.
"""

from sqlalchemy import URL, BigInteger, Column, Engine, MetaData, Table, Text, create_engine, select, update
from sqlalchemy.dialects.sqlite import insert

from webapp import stores
from webapp.claims import BLOCKING, HOST, NOTHING, Claims
from webapp.inventory import deliveries, tables
from webapp.inventory.answers import Answer, unknown_article
from webapp.window import Window

CLAIMS = Claims(shared_across=HOST, atomic_across=NOTHING, switches_inside=BLOCKING, survives="server", medium="sqlite")

ARTICLES = Table("articles", MetaData(), Column("key", Text, primary_key=True), Column("n", BigInteger, nullable=False))


@stores.per_process
def database() -> Engine:
    with tables.sqlite():  # makes the table where there is none
        return create_engine(URL.create("sqlite", database=str(tables.sqlite_path)))


def stock(key: str, window: Window, value: int) -> int:
    window()
    deliveries.deliver(key, value)
    put = insert(ARTICLES).values(key=key, n=value)
    with database().begin() as transaction:
        transaction.execute(put.on_conflict_do_update(index_elements=["key"], set_={"n": value}))
    return value


def buy(key: str, window: Window) -> Answer:
    tables.hear_of(key)
    with database().begin() as transaction:
        left = transaction.scalar(select(ARTICLES.c.n).where(ARTICLES.c.key == key).with_for_update())
        if left is None:
            raise unknown_article(key)
        if left < 1:
            return "sold-out"
        window()
        transaction.execute(update(ARTICLES).where(ARTICLES.c.key == key).values(n=left - 1))
        return "ok"


def read(key: str) -> int:
    tables.hear_of(key)
    with database().begin() as transaction:
        left = transaction.scalar(select(ARTICLES.c.n).where(ARTICLES.c.key == key))
    if left is None:
        raise unknown_article(key)
    return int(left)

"""How many connections there are, counted by the store's server.

Redis and PostgreSQL know connections by a name that the client gives them: here the mechanism's, in this deployment.
memcached knows no names and counts those of everybody, so only how the number changes says something. SQLite has no
server.
"""

from binascii import crc32

from webapp import stores
from webapp.connection import opening
from webapp.connection.conversation import POSTGRES
from webapp.settings import PLACE

_PLACE = crc32(PLACE.encode())


def name(mechanism: str) -> str:
    """What a mechanism's connections are called; other deployments use the same servers under other names."""
    return f"{mechanism}.{_PLACE:08x}"


def at_redis(called: str) -> int:
    return sum(client["name"] == called for client in stores.redis().client_list())


def at_memcached() -> int:
    """All connections, including the one that asks."""
    client = opening.memcached()
    try:
        return int(client.stats()[b"curr_connections"])  # type: ignore[no-untyped-call]
    finally:
        client.close()


def at_postgres(called: str) -> int:
    with POSTGRES.postgres().connection() as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s", [called]
        ).fetchone()
    assert row
    return int(row[0])

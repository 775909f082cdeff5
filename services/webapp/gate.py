"""A gate: a window that holds a request between its read and its write until it is released.

Only where the environment says GATES=1, which `statelab repro` does. A request with `window=gate` is held when it calls
its window for the `point`-th time (default 1); the id of its operation names its gate. Arrivals and releases are lists
in the lab's Redis: a blocking pop holds only the thread, greenlet or process that serves the request, wherever that
runs.

POST /gates/<operation>/arrival   waits until the request is at its gate; answers the point and who serves it
                                  (?within=1: waits one second at most, not 8)
POST /gates/<operation>/release   lets it go
POST /gates/<operation>/hold      this request itself is held, to keep its process or thread busy
"""

import contextlib
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import GatewayTimeout

from statelab_identity import served_by
from webapp import stores
from webapp.errors import Refused, StoreDown
from webapp.settings import SETTINGS
from webapp.window import WINDOWS, Window

if TYPE_CHECKING:
    from redis import Redis

NAME = "gate"

LIMIT_S = 8
"""How many seconds a gate waits for its release, and a client for an arrival."""

KEPT_S = 60
"""Seconds after which Redis drops messages that were not fetched."""


@contextlib.contextmanager
def _redis() -> Iterator["Redis"]:
    """A connection of its own: a held request must not take one from a mechanism's pool."""
    from redis import Redis, RedisError

    assert SETTINGS.redis
    options = stores.redis_options() | {"socket_timeout": LIMIT_S + stores.TIMEOUT}
    try:
        with Redis.from_url(SETTINGS.redis, **options) as redis:
            yield redis
    except RedisError as error:
        raise StoreDown("redis", error) from error


def _put(redis: "Redis", key: str, message: str) -> None:
    with redis.pipeline() as both:
        both.rpush(key, message)
        both.expire(key, KEPT_S)
        both.execute()


def _take(redis: "Redis", key: str, limit_s: float) -> str | bytes | None:
    """Waits for the next message; None if none comes."""
    found = redis.blpop([key], limit_s)
    return found[1] if found else None


def _keys(operation: str) -> tuple[str, str]:
    return f"gate.{operation}.arrival", f"gate.{operation}.release"


class Gate:
    """Holds one request at one of its points and lets it pass at the others."""

    def __init__(self, operation: str, point: int) -> None:
        self._operation = operation
        self._point = point
        self._passed = 0

    def __call__(self) -> None:
        self._passed += 1
        if self._passed == self._point:
            self._hold()

    def _hold(self) -> None:
        """Returns when the request is released; answers 504 if it never is. Leaves nothing in Redis."""
        arrival, release = _keys(self._operation)
        here = json.dumps({"point": self._point, "served_by": json.loads(served_by())})
        with _redis() as redis:
            _put(redis, arrival, here)
            if _take(redis, release, LIMIT_S) is None:
                redis.delete(arrival, release)
                raise GatewayTimeout(f"held at point {self._point} and not let go within {LIMIT_S} s")


def window() -> Window:
    """The window of a request that asks for a gate; raises Refused if it cannot have one."""
    if not SETTINGS.gates:
        raise Refused(
            400, "no window 'gate' here: gates are off (GATES=1 in the environment switches them on)", WINDOWS
        )
    if SETTINGS.redis is None:
        raise Refused(501, "a gate needs redis, which is not configured for this deployment")
    operation, point = request.headers.get("X-Operation-Id"), request.args.get("point", "1")
    if not operation or not point.isdecimal() or int(point) < 1:
        raise Refused(400, "a gate needs an X-Operation-Id, and a point that is 1 or higher")
    return Window(NAME, Gate(operation, int(point)))


def await_arrival(operation: str) -> Response:
    limit_s = min(request.args.get("within", float(LIMIT_S), type=float), LIMIT_S)
    with _redis() as redis:
        arrival = _take(redis, _keys(operation)[0], limit_s)
    if arrival is None:
        raise GatewayTimeout(f"{operation} did not come to its gate within {limit_s} s")
    return Response(arrival, mimetype="application/json")


def release(operation: str) -> Response:
    with _redis() as redis:
        _put(redis, _keys(operation)[1], "go")
    return jsonify(released=operation)


def hold(operation: str) -> Response:
    Gate(operation, 1)()
    return jsonify(held=operation)


def register_gates(app: Flask) -> None:
    app.add_url_rule("/gates/<operation>/arrival", view_func=await_arrival, methods=["POST"])
    app.add_url_rule("/gates/<operation>/release", view_func=release, methods=["POST"])
    app.add_url_rule("/gates/<operation>/hold", view_func=hold, methods=["POST"])

"""How Flask-Limiter finds the client and its limit, and the app with which it is registered."""

from flask import Flask, g
from flask_limiter import Limiter


def asker() -> str:
    """The client: in most apps `get_remote_address`, here the key of the request."""
    return str(g.asker)


def per_hour() -> str:
    return f"{g.limit} per hour"


def register(limiter: Limiter) -> None:
    """Registers the limiter with an app of its own, because its hooks run before and after every request of that app,
    and would slow down the other workloads. Decorated functions are limited all the same."""
    limiter.init_app(Flask(__name__))

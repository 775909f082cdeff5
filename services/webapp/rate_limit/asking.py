"""Where Flask-Limiter finds who asks and how much he may, and the app that it is registered with."""

from flask import Flask
from flask import g
from flask_limiter import Limiter


def asker() -> str:
    """What `get_remote_address` is in most apps; here the key of the request."""
    return str(g.asker)


def per_hour() -> str:
    return f"{g.limit} per hour"


def register(limiter: Limiter) -> None:
    """Registers the limiter with an app of its own: its hooks run before and after every request of the app that it is
    registered with, and this one measures other things as well. What is decorated is limited all the same."""
    limiter.init_app(Flask(__name__))

"""The window put inside a library's own `inc`: from outside, after the read that it does."""

from typing import Any

from flask import g


class Widened:
    """Comes before the class whose `get` an `inc` reads with: `class Cache(Widened, SimpleCache)`.

    The window is the request's own, so it is kept in `flask.g`; without one there (a GET) nothing waits.
    """

    def get(self, key: str, *arguments: Any) -> Any:
        value = super().get(key, *arguments)  # type: ignore[misc]
        window = g.get("window")
        if window:
            window()
        return value

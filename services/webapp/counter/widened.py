"""Puts the window inside a library's own `inc`, after its read."""

from typing import Any

from flask import g


class Widened:
    """Comes before the class whose `get` an `inc` reads with: `class Cache(Widened, SimpleCache)`.

    The window belongs to the request, so it is kept in `flask.g`; a GET has none and does not wait.
    """

    def get(self, key: str, *arguments: Any) -> Any:
        value = super().get(key, *arguments)  # type: ignore[misc]
        window = g.get("window")
        if window:
            window()
        return value

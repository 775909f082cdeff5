"""Holds the counters of `gunicorn-dirty-actor`: one object in one process, which handles one call at a time.

It stands beside the app because gunicorn's dirty workers import it without the app.
"""

from gunicorn.dirty import DirtyApp


class Counters(DirtyApp):
    workers = 1  # type: ignore[assignment]

    def init(self) -> None:
        self.values: dict[str, int] = {}

    def increment(self, key: str) -> int:
        self.values[key] = self.values.get(key, 0) + 1
        return self.values[key]

    def read(self, key: str) -> int:
        return self.values.get(key, 0)

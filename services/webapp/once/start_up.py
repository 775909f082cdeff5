"""What the app has to do once when it starts."""

from webapp.window import Window

START_UP = "start-up"
"""Its name in the ledger."""

QUERIES = 10


def prepare(window: Window) -> None:
    """The work takes its time, like a migration or a model that is loaded: as long as several queries."""
    for _ in range(QUERIES):
        window()

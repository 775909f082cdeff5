"""What the app has to do once when it starts."""

from webapp.window import Window

START_UP = "start-up"
"""Its name in the ledger."""

QUERIES = 10


def prepare(window: Window) -> None:
    """Work that takes as long as several queries, like a migration or loading a model."""
    for _ in range(QUERIES):
        window()

"""The workload `inventory`: all clients buy the same article until well after it is sold out, then the next one."""

from collections import defaultdict
from itertools import count

from meanings import more_than
from recording import RecordingClient
from statelab.core.load import STOCK, Cell
from statelab.core.operation import Operation

BUYS = 6
"""How often each article is asked for before the next one: three times as often as there are pieces."""

ARTICLES = 24

_asked: defaultdict[str, "count[int]"] = defaultdict(count)


def _article(cell: Cell, number: int) -> str:
    return f"{cell.key}.{number}"


def prepare(client: RecordingClient, cell: Cell) -> None:
    """Puts the articles in stock, one after the other and before the load, so the window can be narrow."""
    for number in range(ARTICLES):
        client.change(cell.path, "stock", key=_article(cell, number), window="call", value=STOCK)


def act(client: RecordingClient, cell: Cell) -> Operation:
    """Buys the current article; the last one is bought until the load ends."""
    number = min(next(_asked[cell.key]) // BUYS, ARTICLES - 1)
    return client.change(cell.path, "buy", key=_article(cell, number), window=cell.window)


def audit(client: RecordingClient, cell: Cell) -> Operation | None:
    """How many are left of the first article. The judge needs only that every process answers."""
    return client.read(cell.path, key=_article(cell, 0)) if cell.has("read") else None


meaning = more_than(STOCK, "buy", "more were sold than there were")

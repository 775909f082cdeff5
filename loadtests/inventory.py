"""The workload `inventory`: everybody buys the same article until well after it is sold out, then the next one."""

from collections import defaultdict
from itertools import count

from meanings import more_than
from recording import RecordingClient
from statelab.core.load import STOCK
from statelab.core.load import Cell
from statelab.core.operation import Operation

BUYS = 6
"""Asked of an article before all go on to the next one: three times as many as there are."""

ARTICLES = 24

_asked: defaultdict[str, "count[int]"] = defaultdict(count)


def _article(cell: Cell, number: int) -> str:
    return f"{cell.key}.{number}"


def prepare(client: RecordingClient, cell: Cell) -> None:
    """One article after the other; nobody is there who could come between, so no window need be wide."""
    for number in range(ARTICLES):
        client.change(cell.path, "stock", key=_article(cell, number), window="call", value=STOCK)


def act(client: RecordingClient, cell: Cell) -> Operation:
    """The last article is bought until the load ends."""
    number = min(next(_asked[cell.key]) // BUYS, ARTICLES - 1)
    return client.change(cell.path, "buy", key=_article(cell, number), window=cell.window)


def audit(client: RecordingClient, cell: Cell) -> Operation:
    """How many are left of the first article; where it stands says the judge nothing, that everybody answers does."""
    return client.read(cell.path, key=_article(cell, 0))


meaning = more_than(STOCK, "buy", "more were sold than there were")

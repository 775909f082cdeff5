"""The price list of the shop: how many of each article were delivered, which every process can read.

Shops that keep their stock in memory start with the deliveries that a file, a table or the code names, and every
process starts with all of them. So all processes know what was delivered, but each has its own count of what is left.
"""

from webapp import world
from webapp.inventory.answers import unknown_article


def _note(key: str) -> str:
    return f"{key}.delivered"


def deliver(key: str, value: int) -> None:
    """Records a delivery."""
    world.put(_note(key), value)


def delivered(key: str) -> int:
    """Raises Refused (404) for an article that was never delivered."""
    value = world.get(_note(key))
    if value is None:
        raise unknown_article(key)
    return value

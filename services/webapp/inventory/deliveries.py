"""The price list of the shop: how many of each article were delivered, in a file that every process reads.

Shops that keep their stock in memory start with the deliveries that a file, a table or the code names, and every
process starts with all of them. So all processes know what was delivered, but each has its own count of what is left.
"""

from pathlib import Path

from webapp.inventory.answers import unknown_article
from webapp.settings import SETTINGS


def _note(key: str) -> Path:
    return SETTINGS.state_dir / f"{key}.delivered"


def deliver(key: str, value: int) -> None:
    """Records a delivery, as a whole or not at all."""
    unfinished = _note(key).with_suffix(".unfinished")
    unfinished.write_text(str(value))
    unfinished.replace(_note(key))


def delivered(key: str) -> int:
    """Raises Refused (404) for an article that was never delivered."""
    try:
        return int(_note(key).read_text())
    except FileNotFoundError:
        raise unknown_article(key) from None

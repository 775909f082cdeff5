"""The answers to a buyer."""

from typing import Literal

from webapp.errors import Refused

Answer = Literal["ok", "sold-out"]


def unknown_article(key: str) -> Refused:
    """The refusal of an article that was never in stock, which is not the same as sold out."""
    return Refused(404, f"no article {key.split('.', 2)[-1]!r}: nobody has put it on the shelf")

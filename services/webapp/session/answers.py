"""The answers of all mechanisms: who is logged in, and that user's counter; or that nobody is."""

from webapp.errors import Refused


def nobody() -> Refused:
    """The refusal of a request that needs a session: 401, nothing has changed."""
    return Refused(401, "nobody is logged in: the request has no cookie, or one that opens no session here")


def known(user: str | None) -> str:
    """Who is logged in; raises Refused for nobody."""
    if user is None:
        raise nobody()
    return user


def shown(user: str | None, value: int | None) -> str:
    """The user and the value of the counter; raises Refused if nobody is logged in."""
    return f"{known(user)} {value}"

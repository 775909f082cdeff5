"""What answers say, wherever the session is kept: who is logged in, and that user's counter; or that it is nobody."""

from webapp.errors import Refused


def nobody() -> Refused:
    """Why a request that needs a session is refused: 401, nothing has changed."""
    return Refused(401, "nobody is logged in: the request has no cookie, or one that opens no session here")


def known(user: str | None) -> str:
    """Who is logged in; raises Refused for nobody."""
    if user is None:
        raise nobody()
    return user


def shown(user: str | None, value: int | None) -> str:
    """Whose counter it is, and its value; raises Refused where it is nobody's."""
    return f"{known(user)} {value}"

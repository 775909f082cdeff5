"""A key for a retry belongs to one request: with another body it is a mistake, and nothing is done."""

from webapp.errors import Refused


def require_same(op_id: str, body: str, known: str) -> None:
    """Raises Refused (422) if the op_id was used with another body."""
    if body != known:
        raise Refused(422, f"the op_id {op_id} was used with another body: a retry must send the same one")

"""How a call ended: did it take effect, did it not, or is that unknown?"""

from statelab.core.operation import Status

REFUSALS = frozenset({400, 401, 403, 404, 405, 409, 422, 501})
"""Answers that the app gives before it changes anything."""


def sort_ending(reads: bool, code: int, error: BaseException | None, answered: bool) -> Status:
    """`ok`, `fail` (certainly no effect) or `info` (unknown), from what came back; `answered`: with a body as promised.

    A read without an answer is `fail`: it changed nothing and says nothing.
    """
    if error is None and 200 <= code < 300 and answered:
        return "ok"
    if reads or isinstance(error, ConnectionRefusedError) or code in REFUSALS:
        return "fail"
    return "info"

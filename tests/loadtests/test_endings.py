"""How the load sorts the ending of a call, by what came back."""

import pytest

from endings import sort_ending

TIMEOUT = TimeoutError("timed out")
RESET = ConnectionResetError()
REFUSED = ConnectionRefusedError()


@pytest.mark.parametrize(
    ("reads", "code", "error", "answered", "expected"),
    [
        (False, 200, None, True, "ok"),
        (False, 200, None, False, "info"),
        (False, 409, RuntimeError("bad status"), False, "fail"),
        (False, 404, RuntimeError("bad status"), False, "fail"),
        (False, 0, REFUSED, False, "fail"),
        (False, 0, TIMEOUT, False, "info"),
        (False, 0, RESET, False, "info"),
        (False, 500, RuntimeError("bad status"), False, "info"),
        (False, 502, RuntimeError("bad status"), False, "info"),
        (False, 503, RuntimeError("bad status"), False, "info"),
        (False, 504, RuntimeError("bad status"), False, "info"),
        (True, 200, None, True, "ok"),
        (True, 0, TIMEOUT, False, "fail"),
        (True, 503, RuntimeError("bad status"), False, "fail"),
    ],
)
def test_endings(reads: bool, code: int, error: Exception | None, answered: bool, expected: str) -> None:
    """Only an answer is `ok`; only what certainly had no effect is `fail`; a time-out is never `fail`."""
    assert sort_ending(reads, code, error, answered) == expected

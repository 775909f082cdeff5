"""How the load sorts the ending of a call, by what came back."""

import pytest

from endings import sort_ending

TIMEOUT = TimeoutError("timed out")
RESET = ConnectionResetError()
REFUSED = ConnectionRefusedError()


@pytest.mark.parametrize(
    ("reads", "code", "error", "result", "expected"),
    [
        (False, 200, None, 7, "ok"),
        (False, 200, None, None, "info"),
        (False, 409, RuntimeError("bad status"), None, "fail"),
        (False, 404, RuntimeError("bad status"), None, "fail"),
        (False, 0, REFUSED, None, "fail"),
        (False, 0, TIMEOUT, None, "info"),
        (False, 0, RESET, None, "info"),
        (False, 500, RuntimeError("bad status"), None, "info"),
        (False, 502, RuntimeError("bad status"), None, "info"),
        (False, 503, RuntimeError("bad status"), None, "info"),
        (False, 504, RuntimeError("bad status"), None, "info"),
        (True, 200, None, 7, "ok"),
        (True, 0, TIMEOUT, None, "fail"),
        (True, 503, RuntimeError("bad status"), None, "fail"),
    ],
)
def test_endings(reads: bool, code: int, error: Exception | None, result: int | None, expected: str) -> None:
    """Only an answer is `ok`; only what certainly had no effect is `fail`; a time-out is never `fail`."""
    assert sort_ending(reads, code, error, result) == expected

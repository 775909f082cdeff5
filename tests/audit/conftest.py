"""All audits of these tests fork from one interpreter that has imported Flask: most of an audit's time is its start."""

import sys
from collections.abc import Iterator

import pytest

from statelab.audit.ready import Ready


@pytest.fixture(scope="session", autouse=True)
def one_interpreter_for_all() -> Iterator[None]:
    with Ready(sys.executable) as Ready.kept:
        yield
    Ready.kept = None

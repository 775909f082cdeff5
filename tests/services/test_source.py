"""A mechanism's code as others see it: what it does, not what it says of itself."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from webapp.catalogue import WORKLOADS
from webapp.source import code_of

WHOLE = '''
"""What it is."""

import threading
from typing import TYPE_CHECKING

from webapp.claims import Claims

if TYPE_CHECKING:
    from redis import Redis

CLAIMS = Claims(
    shared_across=frozenset(),
    atomic_across=frozenset(),
    survives=None,
)
LIMIT = 3
"""How many."""


def unavailable() -> str | None:
    return None


class Named:
    """Its docstring is its body."""


@staticmethod
def increment(key: str) -> int:
    """Adds one.

    And says so.
    """
    import time

    # why
    return time.time_ns()  # type: ignore[return-value]
'''

CODE = '''LIMIT = 3

class Named:
    """Its docstring is its body."""

@staticmethod
def increment(key: str) -> int:
    import time

    # why
    return time.time_ns()'''


@pytest.fixture
def module(tmp_path: Path) -> ModuleType:
    path = tmp_path / "whole.py"
    path.write_text(WHOLE)
    spec = importlib.util.spec_from_file_location("whole", path)
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_what_a_module_says_of_itself_is_left_out(module: ModuleType) -> None:
    """No docstring, import, claim or note to a type checker; comments and the imports of a function stay."""
    assert code_of(module) == CODE


def test_a_module_without_source_has_none() -> None:
    """Built into the interpreter, or made without a file."""
    assert code_of(sys) is None
    assert code_of(ModuleType("made-up")) is None


@pytest.mark.parametrize("name", [f"{w}/{m}" for w, about in WORKLOADS.items() for m in about.mechanisms])
def test_every_mechanism_shows_code_that_can_be_read(name: str) -> None:
    """It is Python by itself, has each operation, and claims nothing."""
    workload, _, mechanism = name.partition("/")
    code = code_of(WORKLOADS[workload].mechanisms[mechanism].module)
    assert code
    compile(code, name, "exec")
    assert all(f"def {operation.replace('-', '_')}(" in code for operation in WORKLOADS[workload].operations)
    assert "CLAIMS" not in code

"""Packages without a build for this interpreter: mechanisms that need one are unavailable, the rest is served."""

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import TypeVar

from webapp.claims import NOTHING, REQUEST, Claims
from webapp.settings import SETTINGS

T = TypeVar("T")


def tried(action: Callable[[], T], otherwise: Callable[[str], T]) -> T:
    """Calls `action`, which imports packages, and returns its result. If a package is missing that this interpreter may
    lack, it calls `otherwise` with the reason instead; any other ImportError is raised."""
    try:
        return action()
    except ImportError as error:
        if not SETTINGS.missing:
            raise
        why = "; ".join(f"{name}: {reason}" for name, reason in SETTINGS.missing.items())
        return otherwise(f"{error}. What cannot be installed for this interpreter: {why}")


def module(name: str) -> ModuleType:
    """A mechanism's module, or a stand-in that only says why it is unavailable."""

    def stand_in(reason: str) -> ModuleType:
        found = ModuleType(name, "A package of it is missing.")
        found.CLAIMS = Claims(shared_across=REQUEST, atomic_across=NOTHING, survives=None)  # type: ignore[attr-defined]
        found.unavailable = lambda: reason  # type: ignore[attr-defined]
        return found

    return tried(lambda: importlib.import_module(name), stand_in)

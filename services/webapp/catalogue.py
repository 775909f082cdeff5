"""The table of workloads, and its JSON form, which is all that `statelab` knows about the app."""

import inspect
import platform
import sys
from dataclasses import fields
from types import ModuleType
from typing import Any

from webapp.cache import CACHE
from webapp.claims import Claims
from webapp.connection import CONNECTION
from webapp.counter import COUNTER
from webapp.inventory import INVENTORY
from webapp.lock import LOCK
from webapp.once import ONCE
from webapp.rate_limit import RATE_LIMIT
from webapp.request_scope import REQUEST_SCOPE
from webapp.session import SESSION
from webapp.settings import SETTINGS
from webapp.source import code_of
from webapp.unique_id import UNIQUE_ID
from webapp.window import WINDOWS
from webapp.workload import Mechanism, Workload

WORKLOADS: dict[str, Workload] = {
    workload.name: workload
    for workload in (
        COUNTER,
        UNIQUE_ID,
        REQUEST_SCOPE,
        LOCK,
        INVENTORY,
        RATE_LIMIT,
        CACHE,
        SESSION,
        ONCE,
        CONNECTION,
    )
    if not SETTINGS.workloads or workload.name in SETTINGS.workloads
}


def _claims(claims: Claims) -> dict[str, Any]:
    values = {field.name: getattr(claims, field.name) for field in fields(claims)}
    return {name: sorted(value) if isinstance(value, frozenset) else value for name, value in values.items()}


def _description(module: ModuleType) -> str:
    """The docstring without its first line."""
    return (inspect.getdoc(module) or "").partition("\n")[2].strip()


def _mechanism(mechanism: Mechanism) -> dict[str, Any]:
    return {
        "summary": mechanism.summary,
        "description": _description(mechanism.module),
        "claims": _claims(mechanism.claims),
        "unavailable": mechanism.unavailable,
        "source": code_of(mechanism.module),
        "file": mechanism.file,
    }


def _workload(workload: Workload) -> dict[str, Any]:
    return {
        "promise": workload.promise,
        "operations": {name: "GET" if reads else "POST" for name, reads in workload.operations.items()},
        "arguments": {name: list(arguments) for name, arguments in workload.arguments.items()},
        "windows": list(workload.windows),
        "shows": dict(workload.shows),
        "mechanisms": {name: _mechanism(mechanism) for name, mechanism in workload.mechanisms.items()},
    }


def catalogue() -> dict[str, Any]:
    locked = getattr(sys, "_is_gil_enabled", lambda: True)()
    return {
        "python": platform.python_version() + ("" if locked else " without the GIL"),
        "windows": list(WINDOWS),
        "workloads": {name: _workload(workload) for name, workload in WORKLOADS.items()},
    }

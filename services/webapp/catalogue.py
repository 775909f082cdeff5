"""The table of workloads, and its JSON form: all that the instrument knows of the app."""

from dataclasses import fields
from typing import Any

from webapp.claims import Claims
from webapp.counter import COUNTER
from webapp.window import WINDOWS
from webapp.workload import Mechanism
from webapp.workload import Workload

WORKLOADS: dict[str, Workload] = {workload.name: workload for workload in (COUNTER,)}


def _claims(claims: Claims) -> dict[str, Any]:
    values = {field.name: getattr(claims, field.name) for field in fields(claims)}
    return {name: sorted(value) if isinstance(value, frozenset) else value for name, value in values.items()}


def _mechanism(mechanism: Mechanism) -> dict[str, Any]:
    return {
        "summary": mechanism.summary,
        "claims": _claims(mechanism.claims),
        "unavailable": mechanism.unavailable,
    }


def _workload(workload: Workload) -> dict[str, Any]:
    return {
        "promise": workload.promise,
        "operations": {name: "GET" if reads else "POST" for name, reads in workload.operations.items()},
        "mechanisms": {name: _mechanism(mechanism) for name, mechanism in workload.mechanisms.items()},
    }


def catalogue() -> dict[str, Any]:
    return {
        "windows": list(WINDOWS),
        "workloads": {name: _workload(workload) for name, workload in WORKLOADS.items()},
    }

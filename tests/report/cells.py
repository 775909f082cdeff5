"""Single cells for the tests."""

from typing import Any

from statelab.core.results import Bounds, Cell, Counts, Coverage, Results


def cell(**changes: Any) -> Cell:
    """A cell that held as promised, with the changes."""
    plain: dict[str, Any] = {
        "workload": "counter",
        "mechanism": "redis-incr",
        "deployment": "sync-4",
        "window": "io",
        "predicted": [],
        "guaranteed": True,
        "prediction_reason": "an update excludes every other",
        "verdict": "held",
        "reason": "one counter explains all of it",
        "operations": Counts(ok=1_000, fail=0, info=0),
        "coverage": Coverage(processes=4, expected_processes=4, threads=4, greenlets=0, overlaps=3_000),
        "lost": Bounds(min=0, max=0),
    }
    return Cell(**(plain | changes))


def results(*cells: Cell, **manifest: Any) -> Results:
    return Results(manifest=manifest, cells=list(cells))


LOST = {"verdict": "violated", "anomalies": ["lost-update"], "reason": "12 are missing"}

"""The two promises of a stock, decided apart: never more than there is, and nobody refused for nothing.

The model `inventory` says whether a history fits one stock, and shows the smallest piece that does not. A cell needs
to know which of the two promises was broken. A buy that is told ok after another one was told sold-out breaks the
first where more was sold than there was, and else the second: then the refusal was false.
Exact: both parts are the model's own check, each on those operations that say something of its promise.
"""

from dataclasses import replace

import numpy as np

from statelab.checkers import inventory
from statelab.checkers.inventory_sales import Sales
from statelab.checkers.inventory_sales import sales
from statelab.checkers.model import Deadline
from statelab.checkers.model import Finding
from statelab.columns import History
from statelab.columns import Mask
from statelab.history import Value

NAMES = {"oversold": "oversold", "false-sold-out": "false-sold-out", "late-sale": "false-sold-out"}
"""The model's words as anomalies; a late sale is left where no more was sold than there was."""


def check(history: History, *, initial: Value | None, deadline: Deadline) -> Finding:
    """The model's finding; where it is violated, with one part for each of the two promises."""
    whole = inventory.check(history, initial=initial, deadline=deadline)
    if whole.verdict != "violated" or not isinstance(initial, int):
        return whole
    found = sales(history, initial)
    rows = {"never more": ~found.refused, "never refused": _of_refusals(found)}
    parts = {name: _on(history, kept, initial, deadline) for name, kept in rows.items()}
    return replace(whole, parts=parts)


def _of_refusals(found: Sales) -> Mask:
    """All rows, but of what was oversold only those that show a false refusal before."""
    key = found.history.key
    return ~found.oversold[key] | (found.false[key] & ~found.late)


def _on(history: History, kept: Mask, initial: int, deadline: Deadline) -> Finding:
    """The model's finding on some rows, in the numbers of all."""
    rows = np.flatnonzero(kept)
    finding = inventory.check(history.take(kept), initial=initial, deadline=deadline)
    if finding.proof is None:
        return finding
    return replace(finding, proof=replace(finding.proof, rows=tuple(rows[list(finding.proof.rows)].tolist())))


MODEL = replace(inventory.MODEL, check=check)

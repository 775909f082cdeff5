"""The two promises of a stock, decided apart: never more than there is, and nobody refused for nothing.

The model `inventory` says whether a history fits one stock, and shows the smallest piece that does not. A cell needs
to know which of the two promises was broken. A buy that is told ok after another one was told sold-out breaks the
first where more was sold than there was, and else the second: then the refusal was false. A limit of requests is the
same with other words: so many places, and each request that is let through takes one.
Exact: both parts are the model's own check, each on those operations that say something of its promise.
"""

from dataclasses import replace
from functools import partial

import numpy as np

from statelab.check.judges.by_model import ByModel
from statelab.check.kernels.model import Deadline
from statelab.check.kernels.model import Finding
from statelab.check.kernels.model import Model
from statelab.check.models.inventory import MODEL
from statelab.check.models.inventory import Sales
from statelab.check.models.inventory import Terms
from statelab.check.models.inventory import decide
from statelab.check.models.inventory import sales
from statelab.core.operation import Value
from statelab.record.columns import History
from statelab.record.columns import Mask
from statelab.record.shapes import Shape


def stock_judge(terms: Terms, *, stock: int, over: str, refused: str) -> ByModel:
    """The judge of a workload that gives away `stock` of each key; the anomalies by the promise that is broken."""
    return ByModel(
        model=_model(terms),
        names={"oversold": over, "false-sold-out": refused, "late-sale": refused},
        initial=stock,
    )


def _model(terms: Terms) -> Model:
    return replace(
        MODEL,
        operations={terms.op: Shape(result="answer")},
        check=partial(_check, terms),
        answers=(terms.no, "ok"),
    )


def _check(terms: Terms, history: History, *, initial: Value | None, deadline: Deadline) -> Finding:
    """The model's finding; where it is violated, with one part for each of the two promises."""
    if not isinstance(initial, int):
        raise TypeError(f"a stock is a number, not {initial!r}")
    whole = decide(history, initial, terms)
    if whole.verdict != "violated":
        return whole
    found = sales(history, initial, terms.op)
    rows = {"never more": ~found.refused, "never refused": _of_refusals(found)}
    return replace(whole, parts={name: _on(history, kept, initial, terms) for name, kept in rows.items()})


def _of_refusals(found: Sales) -> Mask:
    """All rows, but of what was oversold only those that show a false refusal before."""
    key = found.history.key
    kept: Mask = ~found.oversold[key] | (found.false[key] & ~found.late)
    return kept


def _on(history: History, kept: Mask, initial: int, terms: Terms) -> Finding:
    """The model's finding on some rows, in the numbers of all."""
    rows = np.flatnonzero(kept)
    finding = decide(history.take(kept), initial, terms)
    if finding.proof is None:
        return finding
    return replace(finding, proof=replace(finding.proof, rows=tuple(rows[list(finding.proof.rows)].tolist())))

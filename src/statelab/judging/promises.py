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

from statelab.checkers import inventory
from statelab.checkers.inventory_sales import Sales
from statelab.checkers.inventory_sales import sales
from statelab.checkers.inventory_words import LIMIT
from statelab.checkers.inventory_words import SHOP
from statelab.checkers.inventory_words import Terms
from statelab.checkers.model import Deadline
from statelab.checkers.model import Finding
from statelab.checkers.model import Model
from statelab.core.operation import Value
from statelab.judging.by_model import ByModel
from statelab.record.columns import History
from statelab.record.columns import Mask
from statelab.record.shapes import Shape


def judge(terms: Terms, *, stock: int, over: str, refused: str) -> ByModel:
    """The judge of a workload that gives away `stock` of each key; the anomalies by the promise that is broken."""
    return ByModel(
        model=_model(terms),
        names={"oversold": over, "false-sold-out": refused, "late-sale": refused},
        initial=stock,
    )


def inventory_judge(stock: int) -> ByModel:
    return judge(SHOP, stock=stock, over="oversold", refused="false-sold-out")


def limit_judge(limit: int) -> ByModel:
    return judge(LIMIT, stock=limit, over="over-limit", refused="over-refused")


def _model(terms: Terms) -> Model:
    return replace(
        inventory.MODEL,
        operations={terms.op: Shape(result="answer")},
        check=partial(_check, terms),
        answers=(terms.no, "ok"),
    )


def _check(terms: Terms, history: History, *, initial: Value | None, deadline: Deadline) -> Finding:
    """The model's finding; where it is violated, with one part for each of the two promises."""
    if not isinstance(initial, int):
        raise TypeError(f"a stock is a number, not {initial!r}")
    whole = inventory.decide(history, initial, terms)
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
    finding = inventory.decide(history.take(kept), initial, terms)
    if finding.proof is None:
        return finding
    return replace(finding, proof=replace(finding.proof, rows=tuple(rows[list(finding.proof.rows)].tolist())))

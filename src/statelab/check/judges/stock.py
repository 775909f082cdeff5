"""The two promises of a stock, judged separately: never sell more than there is, and refuse nobody without need.

The model `inventory` says whether a history fits one stock, and shows the smallest part that does not. This judge also
says which of the two promises was broken. A buy that was answered ok after another was answered sold-out breaks the
first promise if more was sold than there was, and otherwise the second: then the refusal was false. A limit of requests
is the same in other words: the limit is the stock, and each request that is let through takes one.
Exact: both parts are the model's own check, each on the operations that say something about its promise.
"""

from dataclasses import replace
from functools import partial

import numpy as np

from statelab.check.judges.by_model import ByModel
from statelab.check.kernels.model import Deadline, Finding
from statelab.check.models.inventory import MODEL, Terms, decide, sales
from statelab.core.operation import Value
from statelab.record.columns import History
from statelab.record.shapes import Shape


def stock_judge(terms: Terms, *, stock: int, over: str, refused: str) -> ByModel:
    """The judge of a workload with a `stock` of each key; `over` and `refused` name the anomaly of each promise."""
    return ByModel(
        model=replace(
            MODEL,
            operations={terms.op: Shape(result="answer")},
            check=partial(_check, terms),
            answers=(terms.no, "ok"),
        ),
        names={"oversold": over, "false-sold-out": refused, "late-sale": refused},
        initial=stock,
    )


def _check(terms: Terms, history: History, *, initial: Value | None, deadline: Deadline) -> Finding:
    """The model's finding; if it is a violation, with one part for each of the two promises."""
    if not isinstance(initial, int):
        raise TypeError(f"a stock is a number, not {initial!r}")
    whole = decide(history, initial, terms)
    if whole.verdict != "violated":
        return whole
    found = sales(history, initial, terms.op)
    key = found.history.key
    # Of a key that was oversold, the second promise looks only at what shows that a refusal before was false.
    refusals = ~found.oversold[key] | (found.false[key] & ~found.late)
    rows = {"never more": np.flatnonzero(~found.refused), "never refused": np.flatnonzero(refusals)}
    parts = {name: decide(history.take(kept), initial, terms).at(kept) for name, kept in rows.items()}
    return replace(whole, parts=parts)

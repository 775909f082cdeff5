"""Makes witnesses: the operations in order, the proof, and a few neighbours for the picture. Also the witness of a
stall, which every workload may have."""

from collections.abc import Sequence

import numpy as np

from statelab.check.kernels.words import Cast
from statelab.core.errors import counted
from statelab.core.results import Witness
from statelab.record.columns import OK, History, Mask

NEIGHBOURS = 4
"""Context operations on each side of a witness."""


def witness(
    history: History,
    anomaly: str,
    rows: Sequence[int],
    text: str,
    *,
    among: Mask | None = None,
    also: int | None = None,
    slack_ns: int | None = None,
    culprit: int | None = None,
) -> Witness:
    """A witness made of `rows`. Its context is taken from the rows `among` (default: all) and always includes
    `also`."""
    ordered = Cast(history, rows).rows
    others = np.ones(len(history), np.bool_) if among is None else among.copy()
    others[list(rows)] = False
    eligible = np.flatnonzero(others)
    eligible = eligible[np.argsort(history.start[eligible], kind="stable")]
    # Those that started last before the first of the rows, and first after the last of them.
    begin, end = np.searchsorted(history.start[eligible], history.start[[ordered[0], ordered[-1]]], "left")
    near = {*eligible[max(0, begin - NEIGHBOURS) : begin].tolist(), *eligible[end : end + NEIGHBOURS].tolist()}
    extra = set() if also is None else {also}
    context = sorted((near | extra) - set(rows), key=lambda row: int(history.start[row]))
    return Witness(
        anomaly=anomaly,
        operations=history.operations(ordered),
        text=text,
        context=history.operations(context),
        slack_ns=slack_ns,
        culprit=None if culprit is None else history.op_ids[history.op_id[culprit]],
    )


def stall(history: History) -> Witness:
    """The first operation that timed out, of a history that has one. No order of operations could explain it."""
    late = np.flatnonzero(history.timed_out)
    row = int(late[np.argmin(history.start[late])])
    error = history.errors[history.error[row]]
    text = f"A ({history.ops[history.op[row]]}) got no answer within the time limit{f' ({error})' if error else ''}."
    answered = history.status == OK
    if answered.any():
        usual = float(np.quantile((history.end[answered] - history.start[answered]) / 1e6, 0.5))
        text += f" Half of the {counted(int(answered.sum()), 'answered operation')} took at most {usual:,.3f} ms."
    return witness(
        history, "stalled", [row], f"{text} {counted(len(late), 'operation')} of {len(history):,} timed out."
    )

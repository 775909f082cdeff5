"""A stall is shown by one operation that waited in vain; no order of operations can explain it away."""

import numpy as np

from statelab.check.judges.witness import witness
from statelab.check.kernels.words import plural
from statelab.core.results import Witness
from statelab.record.columns import OK
from statelab.record.columns import History


def stall(history: History) -> Witness:
    """The operation that waited in vain and was asked for first, of a history in which one did."""
    late = np.flatnonzero(history.timed_out)
    row = int(late[np.argmin(history.start[late])])
    error = history.errors[history.error[row]]
    text = f"A ({history.ops[history.op[row]]}) got no answer within the time limit{f' ({error})' if error else ''}."
    answered = history.status == OK
    if answered.any():
        usual = float(np.quantile((history.end[answered] - history.start[answered]) / 1e6, 0.5))
        text += f" Half of the {plural(int(answered.sum()), 'answered operation')} took at most {usual:,.3f} ms."
    return witness(history, "stalled", [row], f"{text} {plural(len(late), 'operation')} of {len(history):,} timed out.")

"""One file per model, and the kernels that they share (`order`, ...). No I/O: history in, verdict out."""

from statelab.checkers import at_most_once
from statelab.checkers import blind_counter
from statelab.checkers import counter_model
from statelab.checkers import echo
from statelab.checkers import inventory
from statelab.checkers import key_value
from statelab.checkers import mutex
from statelab.checkers import register
from statelab.checkers import session
from statelab.checkers import set_model
from statelab.checkers import unique_ids
from statelab.checkers.model import Model

_TABLE = (
    counter_model.MODEL,
    blind_counter.MODEL,
    register.MODEL,
    key_value.MODEL,
    set_model.MODEL,
    inventory.MODEL,
    mutex.MODEL,
    unique_ids.MODEL,
    at_most_once.MODEL,
    echo.MODEL,
    session.MODEL,
)  # fmt: skip

MODELS: dict[str, Model] = {model.name: model for model in _TABLE}
"""The models of `statelab check` by name, in the order of the docs."""

"""The formats that are read beside our own, in the order in which a file is held against them.

To add one: a file beside this one with `NAME`, `sniff` and `read`, and a line here.
"""

from types import ModuleType

from statelab.foreign import array
from statelab.foreign import elle_json
from statelab.foreign import jepsen_edn
from statelab.foreign import jepsen_log
from statelab.foreign import seconds
from statelab.foreign import spread_json

FORMATS: tuple[ModuleType, ...] = (
    jepsen_edn,
    elle_json,
    array,
    spread_json,
    seconds,
    jepsen_log,
)
"""`NAME` is what the output calls it. `sniff(head)` says whether a file that begins so is one, and
`read(text, model)` gives its `Records` or raises Refused; `model` is the one that the person named, if any."""

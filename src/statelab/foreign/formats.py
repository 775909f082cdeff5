"""The formats that are read beside our own, in the order in which they are tried.

`NAME` of a format's module is what the output calls it. `sniff(head)` says whether a file with this beginning has the
format, and `read(text, model)` gives its `Records` or raises Refused; `model` is the one that the person named, if any.
"""

from importlib import import_module

_TABLE = (
    "jepsen_edn",
    "elle_json",
    "array",
    "spread_json",
    "seconds",
    "jepsen_log",
)

FORMATS = tuple(import_module(f"statelab.foreign.{name}") for name in _TABLE)

"""Fields by which other tools say what an operation did or got, under names that the lab does not use."""

from collections.abc import Mapping

_AMOUNTS = dict.fromkeys(("amount", "delta", "by", "count", "quantity"), 1)
_ANSWERS = {
    **dict.fromkeys(("output", "ret", "return", "returned", "response", "input", "arg", "args"), None),
    **dict.fromkeys(("success", "succeeded"), True),
}
_CONDITIONS = dict.fromkeys(("ttl", "expire", "expires", "expiry", "nx", "xx", "if_absent", "if_version"), None)
MEANT: Mapping[str, Mapping[str, int | None]] = {
    "increment": _AMOUNTS | _ANSWERS,
    "decrement": _AMOUNTS | _ANSWERS,
    "buy": _AMOUNTS | _ANSWERS | {"item": None, "items": None},
    "cas": dict.fromkeys(("old", "new", "from", "to", "current", "previous", "old_value", "new_value", "if_version"))
    | _ANSWERS,
    **dict.fromkeys(("write", "put", "append", "add", "enqueue"), _CONDITIONS | _ANSWERS),
    "acquire": dict.fromkeys(("ttl", "lease", "shared", "mode", "permits", "limit")) | _ANSWERS,
}
"""By operation, the fields by which other tools say what it did or got.

To ignore such a field could make the verdict wrong, so a history that has one is refused. Only two values are allowed,
because they change nothing: null, and the value given here beside the field. Operations that are not listed have the
fields of `OTHERS`.
"""

OTHERS: Mapping[str, int | None] = _ANSWERS

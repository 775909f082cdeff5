"""Fields by which other tools say what an operation did or got, under names that are not ours."""

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
"""By operation, fields by which other tools say what it did or got, under names that are not ours.

Whoever gives one of them means it, so it is refused, unless it is null or what the operation means anyhow, which stands
beside it. Operations that are not here have those of `OTHERS`.
"""

OTHERS: Mapping[str, int | None] = _ANSWERS

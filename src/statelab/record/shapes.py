"""The form of a model's operations: which fields each has and what they hold. Readers need this of a model, no more."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import Literal

Kind = Literal["integer", "text", "value", "answer", "values"]
"""What a field holds: an integer, a text, either of them, one of the model's two answers, or a list of values."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The fields of one operation; None: it has no such field, and one that is there is refused.

    `result` is that of an ok operation; `value`, `expected` and `op_id` belong to the request, so an operation of
    unknown outcome has them too. `nothing` names the fields that may be null, `optional` those that may be left out.
    Of the fields `either` an ok operation has exactly one. An op_id occurs once among the operations of one name,
    unless it `repeats`.
    A field that is `fixed` may hold that number only: the model means no other.
    An operation that `changes` nothing and is not ok says nothing: it is dropped.
    """

    result: Kind | None = None
    value: Kind | None = None
    expected: Kind | None = None
    seen: Kind | None = None
    op_id: bool = False
    nothing: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    either: frozenset[str] = frozenset()
    fixed: Mapping[str, int] = field(default_factory=dict)
    repeats: bool = False
    changes: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Shapes:
    """The operations of the model called `name`. `answers` are no and yes of its yes-or-no operations."""

    name: str
    operations: Mapping[str, Shape]
    answers: tuple[bool | str, bool | str] = (False, True)

    @property
    def repeating(self) -> frozenset[str]:
        """The operations of which several may have the same op_id."""
        return frozenset(name for name, shape in self.operations.items() if shape.repeats)

    @property
    def changes(self) -> frozenset[str]:
        """The operations that may change state."""
        return frozenset(name for name, shape in self.operations.items() if shape.changes)

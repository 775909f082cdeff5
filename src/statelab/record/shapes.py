"""The form of a model's operations: which fields each has and what they hold. Readers need this of a model, no more."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["integer", "text", "value", "answer", "values"]
"""What a field holds: an integer, a text, either of them, one of the model's two answers, or a list of values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The fields of one operation; None: it has no such field, and one that is there is refused.

    `result` is that of an ok operation; `value`, `expected` and `op_id` belong to the request, so an operation of
    unknown outcome has them too. `nothing` names the fields that may be null, `optional` those that may be left out.
    Of the fields `either` an ok operation has exactly one. An op_id occurs once among the operations of one name,
    unless it `repeats`.
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

"""A mechanism's own code as text, to compare it with another mechanism's."""

import ast
import inspect
import re
from collections.abc import Iterator
from functools import cache
from types import ModuleType

TYPING = re.compile(r"  # type: ignore(\[[^\]]*\])?")
DECLARATIONS = frozenset({"CLAIMS", "unavailable"})
"""Names that describe a module and are left out of its code."""


@cache
def code_of(module: ModuleType) -> str | None:
    """The source of a module without docstrings, imports and declarations; None if it has no source."""
    try:
        text = inspect.getsource(module)
    except (OSError, TypeError):
        return None
    left_out = {line for node in _left_out(ast.parse(text)) for line in range(node.lineno, _end(node) + 1)}
    kept = (TYPING.sub("", line) for number, line in enumerate(text.splitlines(), 1) if number not in left_out)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip("\n")


def _left_out(tree: ast.Module) -> Iterator[ast.stmt]:
    yield from (node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom | ast.Expr))
    yield from (node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    yield from (node for node in tree.body if DECLARATIONS & set(_names(node)))
    for node in ast.walk(tree):
        # a body needs a statement
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) and len(node.body) > 1:
            yield node.body[0]


def _names(node: ast.stmt) -> Iterator[str]:
    """The names that a statement defines."""
    if isinstance(node, ast.Assign):
        yield from (target.id for target in node.targets if isinstance(target, ast.Name))
    elif isinstance(node, ast.FunctionDef):
        yield node.name


def _end(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno

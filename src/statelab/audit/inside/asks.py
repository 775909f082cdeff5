"""Finds, in a view's source, the names that it reads from a request: in the query, in a form, in a JSON body.

`request.json["name"]`, `request.args.get("page", 1)` and the like are found, also if the body is first assigned to a
variable (`data = request.get_json()`). No code of the app is run. Values that a view passes to other functions are not
followed.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from typing import Any

PARTS = {"args": "query", "form": "form", "values": "query", "json": "json", "get_json": "json"}
"""Attributes of Flask's `request`, and the part of a request that each reads."""
TAKES = frozenset(("get", "getlist", "pop"))
SOUNDS_LIKE_A_NUMBER = re.compile(r"(?:^|_)(?:n|amount|age|count|limit|number|page|price|qty|quantity|size|total)$")
NUMBER, TEXT, LIST = 1, "amber", ["amber"]


def asked(view: Any, method: str) -> dict[str, dict[str, Any]]:
    """For each part (`query`, `form`, `json`) the names that the view reads there, each with a value that fits: its
    default, a number if it is used as one, else a text."""
    try:
        function = inspect.unwrap(view)
        owner = getattr(function, "view_class", None)
        if owner is not None:
            function = inspect.unwrap(getattr(owner, method.lower(), None) or owner.dispatch_request)
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except Exception:  # built in, made by exec, or its source is gone
        return {}
    named = {
        node.targets[0].id: part
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        for part in [_part(node.value, {})]
        if part
    }
    numbers = {id(inner) for node in ast.walk(tree) for inner in _used_as_a_number(node)}
    lists = {id(node.iter) for node in ast.walk(tree) if isinstance(node, (ast.For, ast.comprehension))}
    found: dict[str, dict[str, Any]] = {}
    for node in ast.walk(tree):
        for part, name, default in _read(node, named):
            like_a_number = id(node) in numbers or SOUNDS_LIKE_A_NUMBER.search(name)
            guess = LIST if id(node) in lists else NUMBER if like_a_number else TEXT
            found.setdefault(part, {}).setdefault(name, guess if default in (None, "", 0, False) else default)
    return found


def _part(node: ast.AST, named: dict[str, str]) -> str | None:
    """The part of the request that an expression stands for: `request.form`, `request.get_json() or {}`, or a variable
    that holds such a part."""
    if isinstance(node, ast.BoolOp):
        return _part(node.values[0], named)
    if isinstance(node, ast.Name):
        return named.get(node.id)
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute) and node.attr in PARTS:
        name = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
        return PARTS[node.attr] if name == "request" else None
    return None


def _read(node: ast.AST, named: dict[str, str]) -> Iterator[tuple[str, str, Any]]:
    """Part, name and default for each name of the request that an expression reads."""
    if isinstance(node, ast.Subscript):
        key, of, default = node.slice, node.value, None
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in TAKES and node.args:
        key, of = node.args[0], node.func.value
        given = [*node.args[1:2], *(one.value for one in node.keywords if one.arg == "default")]
        default = given[0].value if given and isinstance(given[0], ast.Constant) else None
        if any(one.arg == "type" and getattr(one.value, "id", "") in ("int", "float") for one in node.keywords):
            default = default or NUMBER
    else:
        return
    part = _part(of, named)
    if part and isinstance(key, ast.Constant) and isinstance(key.value, str):
        yield part, key.value, default


def _used_as_a_number(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("int", "float"):
        yield from node.args
    elif isinstance(node, ast.BinOp) and not isinstance(node.op, (ast.Add, ast.Mod)):
        yield from (node.left, node.right)
    elif isinstance(node, ast.Compare):
        both = [node.left, *node.comparators]
        if any(isinstance(one, ast.Constant) and type(one.value) in (int, float) for one in both):
            yield from both
    elif isinstance(node, ast.AugAssign) and isinstance(node.op, (ast.Add, ast.Sub)):
        yield node.value

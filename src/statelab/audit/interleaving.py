"""Shows what two overlapping requests read and write of a place, line by line, in the order in which it happened.

In: a world in which both were traced. Out: rows of two columns, one for each request; each row has a line of one
request.
"""

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from statelab.audit.play import Seen

MOST_ROWS = 24
LONGEST_STATEMENT = 60
OF_SQLITE = re.compile(r"\s*(BEGIN|PRAGMA|--)", re.IGNORECASE).match
"""Statements that no line of the app asks for; for example, Python's `sqlite3` begins a transaction by itself."""
CHANGING = frozenset(
    (
        "add",
        "append",
        "appendleft",
        "clear",
        "discard",
        "extend",
        "insert",
        "pop",
        "popitem",
        "popleft",
        "put",
        "remove",
        "set",
        "setdefault",
        "sort",
        "update",
    )
)
"""Methods that change the object on which they are called."""

Row = tuple[str, str]


def rows(seen: Seen, names: Iterable[str], path: Callable[[Mapping[str, Any]], Path]) -> list[Row]:
    """The lines of both requests that touch one of the names, change a file, or run SQL in SQLite; `path` gives the
    file of a step. Empty if they are too many to read."""
    wanted, found = frozenset(names), list[Row]()
    done = [0, 0]
    for turn in seen.turns:
        steps = seen.steps_of.get(turn.request, [])[done[turn.request] : turn.taken]
        done[turn.request] = turn.taken
        for step in steps:
            for told in _told(step, wanted, path(step)):
                found.append((told, "") if turn.request == 0 else ("", told))
    return found if len(found) <= MOST_ROWS else []


def _told(step: Mapping[str, Any], wanted: frozenset[str], path: Path) -> Iterator[str]:
    """The line and what it does, if it touches a name or a file; then the SQL statements, each with its line."""
    touched = touches(path).get(step["line"], {})
    does = [f"{touched[name]} {name}" for name in sorted(wanted & touched.keys())]
    if step["at"] not in ("line", "switch"):
        does = [f"changes a file ({step['at']})"]
    if does:
        yield f"{step['line']:4} {_lines(path).get(step['line'], '')}  [{', '.join(does)}]"
    for line, statement in step.get("statements", []):
        if not OF_SQLITE(statement):
            text = " ".join(statement.split())
            yield f"{line:4} {text if len(text) <= LONGEST_STATEMENT else text[:LONGEST_STATEMENT] + '...'}"


@lru_cache
def _lines(path: Path) -> dict[int, str]:
    try:
        return {number: text.strip() for number, text in enumerate(path.read_text().splitlines(), 1)}
    except (OSError, ValueError):
        return {}


@lru_cache
def touches(path: Path) -> dict[int, dict[str, str]]:
    """For each line of a file, the names and attributes that it touches, and whether it reads or writes each. An object
    counts as written if a part of it is written, or if a method changes it."""
    found: dict[int, dict[str, str]] = {}
    try:
        tree = ast.parse(path.read_text())
    except (OSError, SyntaxError, ValueError):
        return found
    changed, both = set[int](), set[int]()
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(value=value, ctx=ast.Store() | ast.Del()):
                changed.add(id(value))
            case ast.Call(func=ast.Attribute(value=value, attr=method)) if method in CHANGING:
                changed.add(id(value))
            case ast.AugAssign(target=target):
                both.add(id(target.value if isinstance(target, ast.Subscript) else target))
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="getattr" | "setattr" as how), args=[_, ast.Constant(value=str(name)), *_]):
                found.setdefault(node.lineno, {})[name] = "reads" if how == "getattr" else "writes"
        if isinstance(node, ast.Name | ast.Attribute):
            writes = id(node) in changed or not isinstance(node.ctx, ast.Load)
            does = "reads and writes" if id(node) in both else "writes" if writes else "reads"
            known, name = found.setdefault(node.lineno, {}), node.id if isinstance(node, ast.Name) else node.attr
            known[name] = does if known.get(name, does) == does else "reads and writes"
    return found


def told(found: Sequence[Row]) -> list[str]:
    """The rows as text in two columns."""
    width = max((len(left) for left, _ in found), default=0)
    return [f"{left:{width}} | {right}".rstrip() for left, right in found]

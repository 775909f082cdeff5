"""Mechanisms from files outside of the lab (MECHANISM_FILES): each is taken whole, or refused with file and line."""

import ast
import inspect
import re
import sys
import traceback
from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from webapp.claims import Claims

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")

_CLAIMS_HELP = "services/webapp/claims.py says what each claim means"


class BadFile(Exception):
    """A file that holds no mechanism; `sentence` says where and what to do."""

    def __init__(self, path: Path, line: int, what: str) -> None:
        self.sentence = f"{path}, line {line}: {what}"
        super().__init__(self.sentence)


def name_of(path: Path) -> str:
    """What the mechanism is called: the file's name with dashes."""
    return path.stem.replace("_", "-")


def module(path: Path, package: str, taken: Collection[str], operations: Mapping[str, list[str]]) -> ModuleType:
    """The module of a mechanism; `operations` are the functions that it must have, each with its parameters. Raises
    BadFile for the first thing that is wrong."""
    if not _NAME.fullmatch(path.stem) or name_of(path) in taken:
        why = "there is a mechanism" if name_of(path) in taken else "a mechanism cannot be called"
        advice = "give the file another name, of small letters, digits and underscores"
        raise BadFile(path, 1, f"{why} {name_of(path)!r}{' already' * (name_of(path) in taken)}: {advice}")
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError) as error:
        raise BadFile(path, getattr(error, "lineno", 1) or 1, f"this is no Python: {error.args[0]}") from None
    if not ast.get_docstring(tree):
        raise BadFile(path, 1, "begin with a docstring: its first line says in the tables what this is")
    lines = dict(_defined(tree))
    for name, parameters in operations.items():
        if name not in lines:
            raise BadFile(path, 1, f"there is no `def {name}({', '.join(parameters)})`: {_all(operations)}")
    if "CLAIMS" not in lines:
        raise BadFile(path, 1, f"there is no `CLAIMS = Claims(...)`: {_CLAIMS_HELP}")
    loaded = _imported(path, f"{package}.{path.stem}")
    for name, parameters in operations.items():
        _check_function(path, lines[name], getattr(loaded, name), name, parameters)
    _check_claims(path, lines["CLAIMS"], loaded.CLAIMS)
    return loaded


def _defined(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """The names that the file itself defines at its top level, and where."""
    for node in tree.body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name, node.lineno
            case ast.Assign():
                yield from ((name.id, node.lineno) for name in node.targets if isinstance(name, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name, node.lineno
            case ast.Import() | ast.ImportFrom():
                yield from ((alias.asname or alias.name, node.lineno) for alias in node.names)


def _all(operations: Mapping[str, list[str]]) -> str:
    return "a mechanism has " + ", ".join(f"{name}({', '.join(of)})" for name, of in operations.items())


def _imported(path: Path, name: str) -> ModuleType:
    spec = spec_from_file_location(name, path)
    assert spec
    assert spec.loader
    loaded = sys.modules[name] = module_from_spec(spec)
    try:
        spec.loader.exec_module(loaded)
    except Exception as error:
        del sys.modules[name]
        frames = traceback.extract_tb(error.__traceback__)
        line = next((frame.lineno or 1 for frame in reversed(frames) if frame.filename == str(path)), 1)
        raise BadFile(path, line, f"{type(error).__name__}: {error}; {_help(error)}") from None
    return loaded


def _help(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError):
        return f"install it for {sys.executable}, or name another interpreter with --python"
    if isinstance(error, TypeError) and "Claims" in str(error):
        return _CLAIMS_HELP
    if isinstance(error, ImportError):
        return "CONTRIBUTING.md shows what a mechanism imports"
    return "the file is imported where no store is: open what it needs in init_app(app), or at the first use"


def _check_function(path: Path, line: int, found: Any, name: str, parameters: list[str]) -> None:
    """Arguments other than key and window are passed by keyword; a function may leave the window out."""
    wanted = f"make it `def {name}({', '.join(parameters)})`, where `window` may be left out"
    if not callable(found) or inspect.iscoroutinefunction(found):
        raise BadFile(path, line, f"{name} is no ordinary function: {wanted}")
    signature = inspect.signature(found)
    given = [each for each in parameters if each != "window" or "window" in signature.parameters]
    positional = [each for each in given if each in ("key", "window")]
    try:
        signature.bind(*positional, **{each: None for each in given if each not in positional})
    except TypeError as error:
        raise BadFile(path, line, f"{name}{signature} does not fit ({error}): {wanted}") from None
    if "window" in given and [*signature.parameters].index("window") != 1:
        raise BadFile(path, line, f"{name}{signature} does not fit (`window` comes second): {wanted}")


def _check_claims(path: Path, line: int, claims: Any) -> None:
    if not isinstance(claims, Claims):
        raise BadFile(path, line, "CLAIMS is no webapp.claims.Claims: make it `CLAIMS = Claims(...)`")
    hints = get_type_hints(Claims)
    for field in fields(Claims):
        value, known = getattr(claims, field.name), _words(hints[field.name])
        for word in sorted(value) if isinstance(value, frozenset) else [value]:
            if known and isinstance(word, str) and word not in known:
                raise BadFile(path, line, f"{field.name} is {word!r}; valid are {', '.join(sorted(known))}")
        is_set = get_origin(hints[field.name]) is frozenset
        if is_set != isinstance(value, frozenset):
            raise BadFile(path, line, f"{field.name} is {value!r}; it must be a {'set' if is_set else 'single value'}")


def _words(hint: Any) -> set[str]:
    """The words that are valid in a claim."""
    if get_origin(hint) is Literal:
        return {*get_args(hint)}
    return {word for part in get_args(hint) for word in _words(part)}

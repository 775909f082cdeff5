"""Lists what a process holds in memory, by name: the places that requests may change.

From the globals of the app's own modules, their classes, functions and closures, the app object and its extensions, we
walk to every object reachable from them, nearest first, so that a place has its shortest name. A place is a value (a
text, a number) or a container with its size. No code of these objects is called: attributes are read without
`__getattr__`, because a proxy raises outside of a request, and an object of a class derived from dict or str is read
with the methods of dict or str.
"""

from __future__ import annotations

import functools
import sys
import threading
import time
import types
from collections import deque
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

MOST_PLACES = 20_000
LONGEST_S = 0.5
"""The longest walk, in seconds of processor time, so that the same places are found on a busy machine."""
DEEPEST = 9
LONGEST_TEXT = 80

TEXTS = (str, bytes, bytearray)
NUMBERS = (bool, int, float, complex, type(None))
DICTS = (dict, types.MappingProxyType)
LISTS = (list, tuple, deque)
SETS = (set, frozenset)
PLAIN = (*TEXTS, *NUMBERS, *DICTS, *LISTS, *SETS)
CACHED = type(functools.lru_cache(maxsize=None)(lambda: None))
ITERATORS = ("itertools.count",)
LOCAL = threading.local
"""The interpreter's own class, which gevent replaces when it patches. Only the class's own method returns its
attributes."""

PASSED_BY = (
    "threading",
    "jinja2",
    "werkzeug.routing",
    "logging",
    "click",
    "blinker",
    "weakref",
    "_statelab_inside",
    "importlib",
    "sqlalchemy",
)
"""Modules whose objects change on first use and hold nothing of a request."""


KEEP_NOTHING = frozenset(
    ("flask", "werkzeug", "jinja2", "click", "itsdangerous", "markupsafe", "blinker", "gevent", "greenlet", "typing")
) | getattr(sys, "stdlib_module_names", frozenset())
"""Packages whose globals are not places: what they keep for a request is reachable from the app."""


def look(packages: list[str], app: Any, words: list[str]) -> dict[str, Any]:
    """`places`: name and value of each; `holding`: for each word the places whose text contains it; `stopped`: why the
    walk ended early, or None."""
    found: dict[str, str] = {}
    holding: dict[str, list[str]] = {word: [] for word in words}
    seen: set[int] = {id(found), id(holding), id(sys.modules)}
    waiting: deque[tuple[str, Any, int]] = deque(_roots(packages, app))
    deadline, stopped = time.thread_time() + LONGEST_S, None
    while waiting:
        if len(found) >= MOST_PLACES or time.thread_time() > deadline:
            stopped = f"after {len(found)} places"
            break
        name, value, depth = waiting.popleft()
        kind = type(value)
        plain = _plain(kind)
        if plain in TEXTS or plain in NUMBERS:
            text = plain.__repr__(value)
            found[name] = text if len(text) <= LONGEST_TEXT else f"{text[:60]}... ({len(text)})"
            for word in words:
                if word in text:
                    holding[word].append(name)
            continue
        if id(value) in seen or (kind.__module__ or "").startswith(PASSED_BY):
            continue
        seen.add(id(value))
        try:
            size = _size(kind, value)
            if size is not None:
                found[name] = size
            if depth < DEEPEST:
                waiting.extend((inner, part, depth + 1) for inner, part in _parts(name, kind, value, packages))
            if plain in DICTS:
                keys = [key for key in plain.__iter__(value) if type(key) is str]
                for word in words:
                    holding[word].extend(_place(name, key) for key in keys if word in key)
        except Exception:  # foreign code; a value that it does not show is not a place
            continue
    return {"places": found, "holding": holding, "stopped": stopped}


def _roots(packages: list[str], app: Any) -> Iterator[tuple[str, Any, int]]:
    for module_name in sorted(sys.modules):
        module = sys.modules[module_name]
        if module_name.split(".")[0] in packages and type(module) is types.ModuleType:
            for name, value in list(vars(module).items()):
                if not name.startswith("__") and _is_ours(value, packages):
                    yield module_name + "." + name, value, 0
    extensions = getattr(app, "extensions", None)
    if type(extensions) is dict:
        for name, value in extensions.items():
            yield "ext:" + str(name), value, 0
    if app is not None:
        yield "app", app, 0


def _is_ours(value: Any, packages: list[str]) -> bool:
    """Whether a global is a place of the app: not a module, nor a function or class of another package."""
    kind = type(value)
    if kind is types.ModuleType or kind is types.BuiltinFunctionType:
        return False
    if kind is types.FunctionType or (isinstance(kind, type) and issubclass(kind, type)):
        return str(getattr(value, "__module__", "")).split(".")[0] in packages
    return True


def _plain(kind: type) -> Any:
    """The built-in type whose methods read a value, such as dict for Flask's Config; None if there is none."""
    return kind if kind in PLAIN else next((plain for plain in PLAIN if issubclass(kind, plain)), None)


def _size(kind: type, value: Any) -> str | None:
    plain = _plain(kind)
    if plain is not None:
        return f"{kind.__name__} of {plain.__len__(value)}"
    if kind is CACHED:
        return f"lru_cache of {value.cache_info().currsize}"
    if kind.__module__ + "." + kind.__name__ in ITERATORS:
        return repr(value)
    if kind.__module__ in ("queue", "_queue"):
        return f"{kind.__name__} of {value.qsize()}"
    return None


def _place(name: str, key: Any) -> str:
    return "{}[{}]".format(name, repr(key)[:LONGEST_TEXT] if type(key) in TEXTS or type(key) in NUMBERS else "...")


def _parts(name: str, kind: type, value: Any, packages: list[str]) -> Iterator[tuple[str, Any]]:
    plain = _plain(kind)
    if plain in DICTS:
        for key, part in list(plain.items(value)):
            yield _place(name, key), part
    elif plain in LISTS:
        for index, part in enumerate(list(plain.__iter__(value))):
            yield f"{name}[{index}]", part
    elif plain in SETS:
        for part in list(plain.__iter__(value)):
            if type(part) in TEXTS or type(part) in NUMBERS:
                yield f"{name}{{{repr(part)[:LONGEST_TEXT]}}}", part
    if kind in PLAIN:
        return
    if kind is ContextVar:
        yield name + ".get()", value.get(None)
    elif kind is types.FunctionType:
        yield from _of_function(name, value, packages)
    elif kind is types.MethodType:
        yield name + ".__self__", value.__self__
    elif kind is functools.partial:
        yield name + ".args", value.args
        yield name + ".keywords", value.keywords
    elif issubclass(kind, type):
        if str(getattr(value, "__module__", "")).split(".")[0] in packages:
            for key, part in list(vars(value).items()):
                if not key.startswith("__") and type(part) not in (property, classmethod, staticmethod):
                    yield name + "." + key, part
    elif issubclass(kind, (threading.local, LOCAL)):
        owner: Any = LOCAL if issubclass(kind, LOCAL) else threading.local
        for key, part in list(owner.__getattribute__(value, "__dict__").items()):
            yield f"{name}.{key} (of this thread)", part
    else:
        try:
            attributes = object.__getattribute__(value, "__dict__")
        except (AttributeError, TypeError):
            attributes = {}
        if type(attributes) is dict:
            for key, part in list(attributes.items()):
                yield f"{name}.{key}", part
        for owner in kind.__mro__:
            slots = vars(owner).get("__slots__", ())
            for key in (slots,) if type(slots) is str else slots:
                try:
                    yield name + "." + key, object.__getattribute__(value, key)
                except (AttributeError, TypeError):
                    continue


def _of_library(function: types.FunctionType, packages: list[str]) -> Iterator[tuple[str, Any]]:
    """The globals that a function of another package's module reads: a decorator may keep its arguments there."""
    module = str(function.__globals__.get("__name__", ""))
    top = module.split(".")[0]
    if top in packages or top in KEEP_NOTHING or module.startswith(PASSED_BY):
        return
    names = function.__code__.co_names
    for name in names:
        value: Any = function.__globals__.get(name)
        kind = type(value)
        if kind is types.ModuleType and value.__name__.split(".")[0] == top:
            yield from ((f"{value.__name__}.{inner}", vars(value)[inner]) for inner in names if inner in vars(value))
        elif kind is types.FunctionType or (name in function.__globals__ and _is_ours(value, packages)):
            yield f"{module}.{name}", value


def _of_function(name: str, function: types.FunctionType, packages: list[str]) -> Iterator[tuple[str, Any]]:
    yield from _of_library(function, packages)
    if str(function.__module__ or "").split(".")[0] not in packages:
        wrapped = function.__dict__.get("__wrapped__")
        if wrapped is not None:
            yield name + ".__wrapped__", wrapped
        return
    own = f"{function.__module__}.{function.__qualname__}"
    for index, default in enumerate(function.__defaults__ or ()):
        yield f"{own}.__defaults__[{index}]", default
    for key, default in (function.__kwdefaults__ or {}).items():
        yield f"{own}.__kwdefaults__[{key!r}]", default
    for free, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):  # noqa: B905 (3.10)
        try:
            content = cell.cell_contents
        except ValueError:
            continue
        yield "{}.{}".format(own.rpartition(".")[0], free), content
    for key, part in function.__dict__.items():
        yield f"{own}.{key}", part

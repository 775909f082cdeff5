"""The HTTP API: POST changes state, GET reads; every response says who answered."""

import inspect
import re
import time
from collections.abc import Callable
from functools import update_wrapper

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from statelab_identity import identified
from webapp import catalogue, gate
from webapp.arguments import Arguments, integer
from webapp.errors import Refused, StoreDown
from webapp.settings import SETTINGS
from webapp.window import WINDOWS, Window
from webapp.workload import Mechanism, Workload

_TIMES = integer(1, 10_000)
_KEY = re.compile(r"[A-Za-z0-9._-]{1,64}")  # keys become file names


def _argument(name: str, default: str) -> str:
    """An argument from the query, or else from the body, which is parsed only if it is needed."""
    found = request.args.get(name)
    if found is None and request.content_length:
        found = request.form.get(name)
    return default if found is None else found


def _key() -> str:
    key = _argument("key", "default")
    if not _KEY.fullmatch(key):
        raise Refused(400, "a key is 1 to 64 letters, digits, dots, dashes or underscores")
    return key


def _window() -> Window:
    name = _argument("window", "call")
    if name in WINDOWS:
        return WINDOWS[name]
    if name == gate.NAME:
        return gate.window()
    raise Refused(400, f"no window {name!r}", WINDOWS)


def _given(arguments: Arguments) -> dict[str, object]:
    """The operation's own arguments; raises Refused for a missing or invalid one."""
    given = {}
    for name, parse in arguments.items():
        text = _argument(name, "")
        if not text:
            raise Refused(422, f"the argument {name} is missing", arguments)
        given[name] = parse(name, text)
    return given


def _absent(*_: object) -> None:
    """Stands for each operation of a mechanism that lacks a package; the view refuses before it calls this."""


def _many(once: Callable[[], object]) -> object:
    """The answer of the operation. With the argument `times` it is done that many times, and the answer is a list: when
    the first began, when the last ended (ns of the monotonic clock), and then all answers."""
    times = _argument("times", "")
    if not times:
        return once()
    number, begun = _TIMES("times", times), time.monotonic_ns()
    assert isinstance(number, int)
    answers = [once() for _ in range(number)]
    return [begun, time.monotonic_ns(), *answers]


def _view(workload: Workload, mechanism: Mechanism, operation: str) -> Callable[[], Response]:
    """The view of one operation. What does not depend on the request is computed once, here."""
    function = getattr(mechanism.module, operation.replace("-", "_"), _absent)
    arguments = workload.arguments.get(operation, {})
    waits = "window" in inspect.signature(function).parameters  # it takes as long as its window
    prefix = f"{workload.name}.{mechanism.name}."  # mechanisms may share a store
    store = mechanism.claims.store

    def view() -> Response:
        if mechanism.unavailable:
            raise Refused(501, f"{mechanism.name} is unavailable here: {mechanism.unavailable}")
        key = prefix + _key()
        try:
            given = _given(arguments) if arguments else {}
            if waits:
                window = _window()
                return jsonify(result=_many(lambda: function(key, window, **given)))
            return jsonify(result=function(key, **given))
        except (Refused, StoreDown, HTTPException):
            raise
        except Exception as error:
            if store is None:
                raise
            raise StoreDown(store, error) from error

    return update_wrapper(view, function)


def refuse(workload_name: str, mechanism_name: str, operation: str = "") -> Response:
    """Answers a path that no rule matches: says which part is unknown, and the valid ones."""
    if workload_name not in catalogue.WORKLOADS:
        raise Refused(404, f"no workload {workload_name!r}", catalogue.WORKLOADS)
    workload = catalogue.WORKLOADS[workload_name]
    if mechanism_name not in workload.mechanisms:
        raise Refused(404, f"{workload.name} has no mechanism {mechanism_name!r}", workload.mechanisms)
    if operation in workload.operations:
        raise MethodNotAllowed(["GET" if workload.operations[operation] else "POST"])
    valid = [name for name, reads in workload.operations.items() if reads == (request.method == "GET")]
    raise Refused(404, f"{workload.name} has no {request.method} operation {operation!r}", valid)


def healthz() -> Response:
    return jsonify(status="ok")


def introduce() -> Response:
    """Redirects to the front page of the lab; without one, says in one line what this is."""
    if SETTINGS.front:
        return Response(status=302, headers={"Location": SETTINGS.front})
    name = f"the deployment {SETTINGS.deployment} of State Lab" if SETTINGS.deployment else "an app of State Lab"
    said = f"This is {name}, server {SETTINGS.server}: GET /catalogue names all that it does.\n"
    return Response(said, mimetype="text/plain")


def show_catalogue() -> Response:
    return jsonify(catalogue.catalogue())


def _register(app: Flask, workload: Workload, mechanism: Mechanism) -> None:
    """Adds an exact rule for each operation, which is faster than a pattern; a read has no name in its path."""
    path = f"/{workload.name}/{mechanism.name}"
    for operation, reads in workload.operations.items():
        rule = path if operation == "read" else f"{path}/{operation}"
        view = _view(workload, mechanism, operation)
        app.add_url_rule(rule, rule, view, methods=["GET" if reads else "POST"])


def register_views(app: Flask, only: tuple[str, str] | None = None) -> None:
    """Adds the whole API, or only that of one mechanism; all other paths are refused."""
    app.add_url_rule("/", view_func=introduce)
    app.add_url_rule("/healthz", view_func=healthz)
    app.add_url_rule("/catalogue", "catalogue", view_func=show_catalogue)
    for workload in catalogue.WORKLOADS.values():
        for mechanism in workload.mechanisms.values():
            if only in (None, (workload.name, mechanism.name)):
                _register(app, workload, mechanism)
    if SETTINGS.gates:
        gate.register_gates(app)
    app.add_url_rule("/<workload_name>/<mechanism_name>/<operation>", view_func=refuse, methods=["GET", "POST"])
    app.add_url_rule("/<workload_name>/<mechanism_name>", "refuse_read", view_func=refuse, methods=["GET"])
    app.wsgi_app = identified(app.wsgi_app)  # type: ignore[assignment,method-assign]

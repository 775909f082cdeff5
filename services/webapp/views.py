"""The HTTP API: POST changes state, GET reads; every response says who answered."""

import re
from functools import partial

from flask import Flask
from flask import Response
from flask import jsonify
from flask import request

from webapp import catalogue
from webapp.errors import Refused
from webapp.errors import StoreDown
from webapp.identity import served_by
from webapp.window import WINDOWS
from webapp.window import Window
from webapp.workload import Mechanism
from webapp.workload import Workload

_KEY = re.compile(r"[A-Za-z0-9._-]{1,64}")  # keys become file names, so nothing else is let in


def _argument(name: str, default: str) -> str:
    """From the query, else from the body: that is parsed only if it has to be."""
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
    if name not in WINDOWS:
        raise Refused(400, f"no window {name!r}", WINDOWS)
    return WINDOWS[name]


def _perform(workload: Workload, mechanism: Mechanism, operation: str, *arguments: object) -> Response:
    if mechanism.unavailable:
        raise Refused(501, f"{mechanism.name} is unavailable here: {mechanism.unavailable}")
    own_key = f"{workload.name}.{mechanism.name}.{_key()}"  # several mechanisms share a store, none shares its state
    try:
        return jsonify(result=workload.perform(mechanism.name, operation, own_key, *arguments))
    except Refused:
        raise
    except Exception as error:
        if mechanism.claims.store is None:
            raise
        raise StoreDown(mechanism.claims.store, error) from error


def change(workload: Workload, mechanism: Mechanism, operation: str) -> Response:
    return _perform(workload, mechanism, operation, _window())


def read(workload: Workload, mechanism: Mechanism) -> Response:
    operation = request.args.get("operation", "read")
    if not workload.operations.get(operation):
        raise _unknown_operation(workload, operation, reads=True)
    return _perform(workload, mechanism, operation)


def _unknown_operation(workload: Workload, name: str, *, reads: bool) -> Refused:
    valid = [operation for operation, only_reads in workload.operations.items() if only_reads is reads]
    return Refused(404, f"{workload.name} has no {'GET' if reads else 'POST'} operation {name!r}", valid)


def refuse(workload_name: str, mechanism_name: str, operation: str = "") -> Response:
    """What no exact rule matches: says which part of the path is unknown, and the valid ones."""
    if workload_name not in catalogue.WORKLOADS:
        raise Refused(404, f"no workload {workload_name!r}", catalogue.WORKLOADS)
    workload = catalogue.WORKLOADS[workload_name]
    if mechanism_name not in workload.mechanisms:
        raise Refused(404, f"{workload.name} has no mechanism {mechanism_name!r}", workload.mechanisms)
    raise _unknown_operation(workload, operation, reads=False)


def healthz() -> Response:
    return jsonify(status="ok")


def show_catalogue() -> Response:
    return jsonify(catalogue.catalogue())


def identify(response: Response) -> Response:
    response.headers.add("X-Served-By", served_by())
    operation_id = request.environ.get("HTTP_X_OPERATION_ID")
    if operation_id:
        response.headers.add("X-Operation-Id", operation_id)
    return response


def _register(app: Flask, workload: Workload, mechanism: Mechanism) -> None:
    """An exact rule for each operation that changes and one for the reads, which Flask finds faster than a pattern."""
    path = f"/{workload.name}/{mechanism.name}"
    app.add_url_rule(path, path, partial(read, workload, mechanism), methods=["GET"])
    for operation, reads in workload.operations.items():
        if not reads:
            rule = f"{path}/{operation}"
            app.add_url_rule(rule, rule, partial(change, workload, mechanism, operation), methods=["POST"])


def register_views(app: Flask) -> None:
    app.add_url_rule("/healthz", view_func=healthz)
    app.add_url_rule("/catalogue", "catalogue", view_func=show_catalogue)
    for workload in catalogue.WORKLOADS.values():
        for mechanism in workload.mechanisms.values():
            _register(app, workload, mechanism)
    app.add_url_rule("/<workload_name>/<mechanism_name>/<operation>", view_func=refuse, methods=["POST"])
    app.add_url_rule("/<workload_name>/<mechanism_name>", "refuse_read", view_func=refuse, methods=["GET"])
    app.after_request(identify)

"""The HTTP API: POST changes state, GET reads; every response says who answered."""

import re

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


def _workload(name: str) -> Workload:
    if name not in catalogue.WORKLOADS:
        raise Refused(404, f"no workload {name!r}", catalogue.WORKLOADS)
    return catalogue.WORKLOADS[name]


def _mechanism(workload: Workload, name: str) -> Mechanism:
    if name not in workload.mechanisms:
        raise Refused(404, f"{workload.name} has no mechanism {name!r}", workload.mechanisms)
    mechanism = workload.mechanisms[name]
    if mechanism.unavailable:
        raise Refused(501, f"{name} is unavailable here: {mechanism.unavailable}")
    return mechanism


def _operation(workload: Workload, name: str, *, reads: bool) -> None:
    valid = [operation for operation, only_reads in workload.operations.items() if only_reads is reads]
    if name not in valid:
        raise Refused(404, f"{workload.name} has no {'GET' if reads else 'POST'} operation {name!r}", valid)


def _key() -> str:
    key = request.values.get("key", "default")
    if not _KEY.fullmatch(key):
        raise Refused(400, "a key is 1 to 64 letters, digits, dots, dashes or underscores")
    return key


def _window() -> Window:
    name = request.values.get("window", "call")
    if name not in WINDOWS:
        raise Refused(400, f"no window {name!r}", WINDOWS)
    return WINDOWS[name]


def _perform(workload: Workload, mechanism: Mechanism, operation: str, key: str, *arguments: object) -> Response:
    own_key = f"{workload.name}.{mechanism.name}.{key}"  # several mechanisms share a store, none shares its state
    try:
        return jsonify(result=workload.perform(mechanism.name, operation, own_key, *arguments))
    except Refused:
        raise
    except Exception as error:
        if mechanism.claims.store is None:
            raise
        raise StoreDown(mechanism.claims.store, error) from error


def change(workload_name: str, mechanism_name: str, operation: str) -> Response:
    workload = _workload(workload_name)
    mechanism = _mechanism(workload, mechanism_name)
    _operation(workload, operation, reads=False)
    return _perform(workload, mechanism, operation, _key(), _window())


def read(workload_name: str, mechanism_name: str) -> Response:
    workload = _workload(workload_name)
    mechanism = _mechanism(workload, mechanism_name)
    operation = request.args.get("operation", "read")
    _operation(workload, operation, reads=True)
    return _perform(workload, mechanism, operation, _key())


def healthz() -> Response:
    return jsonify(status="ok")


def show_catalogue() -> Response:
    return jsonify(catalogue.catalogue())


def identify(response: Response) -> Response:
    response.headers["X-Served-By"] = served_by()
    operation_id = request.headers.get("X-Operation-Id")
    if operation_id:
        response.headers["X-Operation-Id"] = operation_id
    return response


def register_views(app: Flask) -> None:
    app.add_url_rule("/healthz", view_func=healthz)
    app.add_url_rule("/catalogue", "catalogue", view_func=show_catalogue)
    app.add_url_rule("/<workload_name>/<mechanism_name>/<operation>", view_func=change, methods=["POST"])
    app.add_url_rule("/<workload_name>/<mechanism_name>", view_func=read, methods=["GET"])
    app.after_request(identify)

"""Errors as JSON: what is wrong, and which values are valid."""

import json
from collections.abc import Iterable

from flask import Flask, Response, jsonify
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse


class Refused(Exception):
    """A request refused before any effect: HTTP status, what is wrong, which values are valid."""

    def __init__(self, status: int, error: str, valid: Iterable[str] = ()) -> None:
        super().__init__(error)
        self.status = status
        self.valid = sorted(valid)


class StoreDown(Exception):
    """The store behind a mechanism did not answer; whether the update took effect is unknown."""

    def __init__(self, store: str, error: BaseException) -> None:
        super().__init__(f"{store} did not answer: {type(error).__name__}: {error}")
        self.store = store


def _refused(refused: Refused) -> tuple[Response, int]:
    return jsonify(error=str(refused), valid=refused.valid), refused.status


def _store_down(down: StoreDown) -> tuple[Response, int]:
    return jsonify(error=str(down), store=down.store), 503


def _http_error(error: HTTPException) -> BaseResponse:
    response = error.get_response()  # keeps what belongs to the status, such as `Allow`
    response.data = json.dumps({"error": f"{error.name}: {error.description}"})
    response.content_type = "application/json"
    return response


def register_errors(app: Flask) -> None:
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(StoreDown, _store_down)

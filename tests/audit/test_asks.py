"""What a view asks of a request, read from its source."""

from typing import Any

import pytest
from flask import Flask, request
from flask.views import MethodView

from statelab.audit.inside.asks import asked

app = Flask(__name__)


def json_body() -> Any:
    data = request.get_json(silent=True) or {}
    return data["name"], data.get("amount"), request.json["email"]  # type: ignore[index]


def defaults() -> Any:
    return request.args.get("page", 3), request.args.get("sort", "new"), request.args.get("n", type=int)


def numbers() -> Any:
    return int(request.form["first"]) + int(request.form["other"]), 5 - request.values["third"]  # type: ignore[operator]


def lists() -> Any:
    return [one for one in request.json["items"]]  # type: ignore[index]


def of_somebody_else(request_: Any, data: dict[str, str]) -> Any:
    return request_.json["name"], data["name"], request.headers["name"]


class Both(MethodView):
    def get(self) -> Any:
        return request.args["name"]

    def put(self) -> Any:
        return request.form["name"]


def wrapped() -> Any:
    return app.ensure_sync(json_body)()


@pytest.mark.parametrize(
    ("view", "method", "asks"),
    [
        (json_body, "POST", {"json": {"name": "amber", "amount": 1, "email": "amber"}}),
        (defaults, "GET", {"query": {"page": 3, "sort": "new", "n": 1}}),
        (numbers, "POST", {"form": {"first": 1, "other": 1}, "query": {"third": 1}}),
        (lists, "POST", {"json": {"items": ["amber"]}}),
        (of_somebody_else, "POST", {}),
        (Both.as_view("both"), "GET", {"query": {"name": "amber"}}),
        (Both.as_view("both"), "PUT", {"form": {"name": "amber"}}),
        (wrapped, "GET", {}),
        (len, "GET", {}),
        (None, "GET", {}),
    ],
)
def test_names_and_values(view: Any, method: str, asks: dict[str, dict[str, Any]]) -> None:
    assert asked(view, method) == asks

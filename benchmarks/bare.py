"""The least that Flask can serve: what the app's routing and identity are compared with."""

from flask import Flask, Response, jsonify, request

app = Flask(__name__)
app.json.compact = True  # type: ignore[attr-defined]


@app.get("/healthz")
def healthz() -> Response:
    return jsonify(status="ok")


counters: dict[str, int] = {}


@app.get("/counter")
def counter() -> Response:
    return jsonify(result=counters.get(request.args["key"], 0))

"""Work handed to flask-executor, and polled by the key of its future, as in the README of the package."""

from flask import Flask, jsonify
from flask_executor import Executor

app = Flask(__name__)
executor = Executor(app)


def work():
    return 42


@app.post("/start")
def start():
    executor.submit_stored("sum", work)
    return jsonify(started=True), 202


@app.get("/result")
def result():
    if not executor.futures.done("sum"):
        return jsonify(status=executor.futures._state("sum"))
    return jsonify(status="done", result=executor.futures.pop("sum").result())

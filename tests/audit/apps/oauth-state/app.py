"""The state of a login under way is a dictionary of the worker that began it. (after ptrlrd/spire-codex#379)"""

import secrets

from flask import Flask, jsonify, request

app = Flask(__name__)
pending = {}


@app.get("/login/start")
def start():
    state = secrets.token_hex(8)
    pending[state] = request.args.get("user")
    return jsonify(state=state)


@app.get("/login/callback")
def callback():
    user = pending.pop(request.args["state"], None)
    return (jsonify(user=user), 200) if user else (jsonify(error="invalid state"), 400)

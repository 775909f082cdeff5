"""An app with a promise of every kind, each kept in the memory of the process and guarded by a lock:
right in one process, wrong in several."""

import itertools
import secrets
import threading

from flask import Flask, jsonify, redirect, request

app = Flask(__name__)
guard = threading.Lock()
tickets = itertools.count(1)
articles = {}
sessions = {}
carts = {}
orders = []
ordered = set()
holders = {}
current = threading.local()
visits = 0


@app.post("/visits")
def visit():
    global visits
    with guard:
        visits += 1
    return redirect("/")


@app.get("/visits")
def count_visits():
    return str(visits)


@app.post("/tickets")
def new_ticket():
    return jsonify(ticket={"number": next(tickets)}), 201


@app.post("/search")
def search():
    current.words = request.form["words"]
    return jsonify(found=current.words, words=current.words.upper())


@app.put("/articles/<name>")
def stock(name):
    with guard:
        articles[name] = request.json["pieces"]
    return "", 204


@app.post("/articles/<name>/sales")
def buy(name):
    with guard:
        if articles.get(name, 0) < 1:
            return jsonify(error="sold out"), 409
        articles[name] -= 1
    return jsonify(sold=name)


@app.post("/login")
def login():
    token = secrets.token_hex(8)
    with guard:
        sessions[token] = request.form["name"]
    answer = redirect("/")
    answer.set_cookie("desk", token)
    return answer


def user():
    return sessions.get(request.cookies.get("desk"))


@app.get("/me")
def me():
    return (jsonify(name=user()), 200) if user() else ("Please log in", 401)


@app.post("/cart")
def cart():
    with guard:
        name = user()
        if name is None:
            return "Please log in", 401
        carts[name] = carts.get(name, 0) + 1
        return jsonify(cart={"of": name, "things": carts[name]})


@app.post("/logout")
def logout():
    with guard:
        sessions.pop(request.cookies.get("desk"), None)
    return redirect("/")


@app.post("/orders")
def order():
    key = request.headers["Idempotency-Key"]
    with guard:
        if key not in ordered:
            ordered.add(key)
            orders.append({"key": key, "text": request.json["text"]})
    return jsonify(ok=True)


@app.get("/orders")
def list_orders():
    return jsonify(orders=orders)


@app.post("/lease/<name>")
def take(name):
    with guard:
        if name in holders:
            return "busy", 409
        holders[name] = secrets.token_hex(4)
        return jsonify(lease=holders[name])


@app.delete("/lease/<name>")
def give_back(name):
    with guard:
        if holders.get(name) == request.args["lease"]:
            del holders[name]
    return "", 204

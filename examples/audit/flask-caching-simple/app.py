"""A price cached with Flask-Caching's SimpleCache, and forgotten when it is changed."""

import os

from flask import Flask
from flask_caching import Cache

app = Flask(__name__)
cache = Cache(app, config={"CACHE_TYPE": "SimpleCache"})
PRICE = os.path.join(os.environ.get("STATE_DIR", "."), "price")


@cache.memoize(60)
def price():
    with open(PRICE) as file:
        return file.read()


@app.put("/price/<int:cents>")
def change(cents):
    with open(PRICE, "w") as file:
        file.write(str(cents))
    cache.delete_memoized(price)
    return "", 204


@app.get("/price")
def show():
    return price()

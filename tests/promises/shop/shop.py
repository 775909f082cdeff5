"""A small shop as people write it: one counter in a global of the module, one in a row of SQLite."""

import os
import sqlite3
import time

from flask import Flask, jsonify

app = Flask(__name__)
hits = 0
DATABASE = os.path.join(os.environ["STATE_DIR"], "shop.db")


def database():
    connection = sqlite3.connect(DATABASE, timeout=10, isolation_level=None)
    connection.execute("CREATE TABLE IF NOT EXISTS sales (id INTEGER PRIMARY KEY, number INTEGER)")
    connection.execute("INSERT OR IGNORE INTO sales VALUES (1, 0)")
    return connection


@app.post("/hit")
def hit():
    global hits
    number = hits + 1
    time.sleep(0.002)  # as long as a question to another server takes
    hits = number
    return jsonify(hits=number)


@app.get("/hits")
def read_hits():
    return jsonify(hits=hits)


@app.post("/sale")
def sale():
    connection = database()
    row = connection.execute("UPDATE sales SET number = number + 1 WHERE id = 1 RETURNING number").fetchone()
    connection.close()
    return jsonify(shop={"sales": [row[0]]})


@app.get("/sales")
def read_sales():
    connection = database()
    row = connection.execute("SELECT number FROM sales WHERE id = 1").fetchone()
    connection.close()
    return jsonify(shop={"sales": [row[0]]})

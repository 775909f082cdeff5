"""For each kind of finding the smallest app that has it, and the nearest app that has it not."""

HEAD = """
import functools, os, threading, time
from flask import Flask, g, jsonify, request, session
app = Flask(__name__)
app.secret_key = "one"
def path(name): return os.path.join(os.environ["STATE_DIR"], name)
"""

JOBS = "POST /jobs/paint\n###\nGET /jobs"

IN_MEMORY = """
jobs = []
@app.post("/jobs/<name>")
def make(name):
    jobs.append(name)
    return "", 201
@app.get("/jobs")
def show():
    return jsonify(jobs)
"""

IN_A_FILE = """
@app.post("/jobs/<name>")
def make(name):
    with open(path("jobs"), "a") as file:
        file.write(name + "\\n")
    return "", 201
@app.get("/jobs")
def show():
    return jsonify(open(path("jobs")).read().split() if os.path.exists(path("jobs")) else [])
"""

BUY = "POST /buy"

CHECK_THEN_ACT = """
stock = {"left": 1}
@app.post("/buy")
def buy():
    left = stock["left"]
    if left < 1:
        return "sold out", 409
    stock["left"] = left - 1
    return "sold"
"""

CHECK_THEN_ACT_LOCKED = """
stock = {"left": 1}
lock = threading.Lock()
@app.post("/buy")
def buy():
    with lock:
        left = stock["left"]
        if left < 1:
            return "sold out", 409
        stock["left"] = left - 1
        return "sold"
"""

FILE_CHECK_THEN_ACT = """
@app.post("/buy")
def buy():
    name = path("sold")
    if os.path.exists(name):
        return "sold out", 409
    open(name, "w").close()
    return "sold"
"""

FILE_CREATED_ONCE = """
@app.post("/buy")
def buy():
    try:
        open(path("sold"), "x").close()
    except FileExistsError:
        return "sold out", 409
    return "sold"
"""

GREET = "GET /greet?name=amber"

GLOBAL_USER = """
class Current:
    user = None
@app.get("/greet")
def greet():
    Current.user = request.args["name"]
    audit()
    return "hello " + Current.user
def audit():
    pass
"""

G_USER = """
@app.get("/greet")
def greet():
    g.user = request.args["name"]
    audit()
    return "hello " + g.user
def audit():
    pass
"""

LOGIN = "POST /login?name=amber\n###\nGET /me"

USER_LEFT_BEHIND = """
class Current:
    user = None
@app.post("/login")
def login():
    Current.user = request.args["name"]
    return "", 204
@app.get("/me")
def me():
    return jsonify(user=Current.user)
"""

USER_IN_THREAD = """
current = threading.local()
@app.post("/login")
def login():
    current.user = request.args["name"]
    return "", 204
@app.get("/me")
def me():
    return jsonify(user=getattr(current, "user", None))
"""

USER_IN_SESSION = """
@app.post("/login")
def login():
    session["user"] = request.args["name"]
    return "", 204
@app.get("/me")
def me():
    return jsonify(user=session.get("user"))
"""

BASKET = "POST /basket?item=lamp"

DEFAULT_ARGUMENT = """
def put(item, basket=[]):
    basket.append(item)
    return basket
@app.post("/basket")
def basket():
    return jsonify(put(request.args["item"]))
"""

NO_DEFAULT_ARGUMENT = """
def put(item, basket=None):
    basket = basket or []
    basket.append(item)
    return basket
@app.post("/basket")
def basket():
    return jsonify(put(request.args["item"]))
"""

WORK = "POST /work"

WORK_IN_THREAD = """
def work():
    time.sleep(0.3)
    open(path("done"), "w").close()
@app.post("/work")
def start():
    threading.Thread(target=work, daemon=True).start()
    return "accepted", 202
"""

WORK_AT_ONCE = """
@app.post("/work")
def start():
    open(path("done"), "w").close()
    return "accepted", 202
"""

SECRET = "POST /login?name=amber\n###\nGET /me"

SECRET_PER_IMPORT = "app.secret_key = os.urandom(16)" + USER_IN_SESSION

QUEUE = "POST /put\n###\n# @wait 100ms\nGET /done"

QUEUE_IN_THREAD = """
import queue
waiting = queue.Queue()
done = []
def work():
    while True:
        done.append(waiting.get())
threading.Thread(target=work, daemon=True).start()
@app.post("/put")
def put():
    waiting.put(1)
    return "", 202
@app.get("/done")
def show():
    return jsonify(len(done))
"""

QUEUE_STARTED_WHEN_USED = """
import queue
waiting = queue.Queue()
done = []
started = []
def work():
    while True:
        done.append(waiting.get())
@app.post("/put")
def put():
    if not started:
        started.append(threading.Thread(target=work, daemon=True))
        started[0].start()
    waiting.put(1)
    return "", 202
@app.get("/done")
def show():
    return jsonify(len(done))
"""

IMPORT_WRITES = "GET /"

ONCE_PER_IMPORT = """
with open(path("admins"), "a") as file:
    file.write("admin\\n")
@app.get("/")
def index():
    return "ok"
"""

ONCE_IN_ALL = """
if not os.path.exists(path("admins")):
    with open(path("admins"), "a") as file:
        file.write("admin\\n")
@app.get("/")
def index():
    return "ok"
"""

NOISE = """
import random, uuid
@app.get("/")
def index():
    luck = {"float": random.random(), "coin": random.choice("ab")}
    return jsonify(id=str(uuid.uuid4()), at=time.time(), pid=os.getpid(), luck=luck)
"""

KEYS_DRAWN_AT_IMPORT = """
import uuid
drawn = str(uuid.uuid4())
count = [0]
@app.post("/count")
def add():
    count[0] += 1
    time.sleep(0)
    return jsonify({drawn: {"kind": "id"}})
"""

TORN_READ = """
price = {"shown": 1}
@app.post("/look")
def look():
    one = price["shown"]
    if one != price["shown"]:
        return "two prices", 500
    return "ok"
@app.post("/sale")
def sale():
    price["shown"] = 2
    price["shown"] = 1
    return "over"
"""

WITHDRAW = "POST /withdraw"

ROW_CHECK_THEN_ACT = """
import sqlite3
@app.post("/withdraw")
def withdraw():
    with sqlite3.connect(path("bank.sqlite")) as bank:
        bank.execute("create table if not exists account (name text primary key, balance int)")
        bank.execute("insert or ignore into account values ('ann', 100)")
        bank.commit()
        (balance,) = bank.execute("select balance from account").fetchone()
        if balance < 60:
            return "no funds", 409
        bank.execute("update account set balance = ?", (balance - 60,))
    return "here you are"
"""

"""202, and the work goes on in a thread: whoever replaces the worker ends it. (after benoitc/gunicorn#3283)"""

import os
import threading
import time

from flask import Flask

DONE = os.path.join(os.environ.get("STATE_DIR", "."), "done.txt")
app = Flask(__name__)


def work(job):
    time.sleep(0.5)
    with open(DONE, "a") as file:
        file.write(job + "\n")


@app.post("/job/<job>")
def start(job):
    threading.Thread(target=work, args=(job,), daemon=True).start()
    return "accepted", 202


@app.get("/done")
def done():
    return open(DONE).read() if os.path.exists(DONE) else ""

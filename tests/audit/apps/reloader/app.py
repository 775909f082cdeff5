"""A thread that the module starts, and `flask run --debug`. (after pallets/flask#5307)"""

import os
import threading
import time

from flask import Flask

app = Flask(__name__)


def tick():
    with open(os.path.join(os.environ.get("STATE_DIR", "."), "ticks.txt"), "a") as file:
        for _ in range(5):
            file.write(f"{os.getpid()}\n")
            file.flush()
            time.sleep(0.2)


threading.Thread(target=tick, daemon=True).start()


@app.get("/")
def index():
    return "ok"

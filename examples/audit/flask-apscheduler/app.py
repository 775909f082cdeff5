"""A job that is due when the app starts, with Flask-APScheduler: it sends what is pending."""

import os
from datetime import datetime

from flask import Flask
from flask_apscheduler import APScheduler

SENT = os.path.join(os.environ.get("STATE_DIR", "."), "sent")
app = Flask(__name__)
scheduler = APScheduler()


@scheduler.task("date", id="send", run_date=datetime.now(), misfire_grace_time=60)
def send():
    with open(SENT, "a") as file:
        file.write("a notification\n")


scheduler.init_app(app)
scheduler.start()


@app.get("/health")
def health():
    return "ok"

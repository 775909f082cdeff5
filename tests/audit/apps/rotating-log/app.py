"""Every worker rotates one log file by itself. (after danbyte-net/danbyte#231)"""

import logging
import os
from logging.handlers import RotatingFileHandler

from flask import Flask

LOG = os.path.join(os.environ.get("STATE_DIR", "."), "app.log")
app = Flask(__name__)
log = logging.getLogger("orders")
log.setLevel(logging.INFO)
log.addHandler(RotatingFileHandler(LOG, maxBytes=2_000, backupCount=2_000))


@app.post("/order/<order>")
def order(order):
    log.info("order %s accepted", order)
    return "ok"


@app.get("/where")
def where():
    return os.path.abspath(LOG)

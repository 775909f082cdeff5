"""Two requests a minute, counted by Flask-Limiter in memory, which is its default."""

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

app = Flask(__name__)
limiter = Limiter(get_remote_address, app=app, storage_uri="memory://")


@app.post("/pay")
@limiter.limit("2 per day")
def pay():
    return "paid"

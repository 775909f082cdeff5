"""Flask-Session undoes a finished logout

Library: Flask-Session 0.8.0, redis 8.1.0
Store: Redis (or Valkey) at the address in REDIS_URL
Expected: after the logout the browser is answered: nobody
Actual: after the logout the browser is answered: ann

Why: Every request writes its whole session back when it ends, even one that never touched it
(`SESSION_REFRESH_EACH_REQUEST` is on by default), and writes it whether or not it is still there. A slow request that
began before the logout and ends after it creates the session anew, with the user in it, and sends its cookie again.

Fix: A session that was read from the store is written only where the store still has it: in Redis `SET` with `XX`, one
command. Only a session that the request itself has begun is created. (`SESSION_REFRESH_EACH_REQUEST = False` is not
enough: a slow request that changes its session still brings it back.)
"""

import os
import sys

from flask import Flask, session
from flask_session import Session
from flask_session.redis import RedisSessionInterface
from redis import Redis


def fix():
    original = RedisSessionInterface.open_session

    def open_session(self, app, request):
        opened = original(self, app, request)
        opened.was_stored = bool(opened)
        return opened

    def upsert(self, lifetime, session, store_id):
        self.client.set(store_id, self.serializer.encode(session), ex=lifetime, xx=session.was_stored)

    RedisSessionInterface.open_session, RedisSessionInterface._upsert_session = open_session, upsert


if "--fixed" in sys.argv:
    fix()
app = Flask(__name__)
app.config.update(SESSION_TYPE="redis", SESSION_REDIS=Redis.from_url(os.environ["REDIS_URL"]))
Session(app)
app.add_url_rule("/login/<user>", "login", lambda user: session.update(user=user) or user)
app.add_url_rule("/slow", "slow", lambda: tab.get("/logout").text)  # the logout begins and ends while it is under way
app.add_url_rule("/logout", "logout", lambda: session.clear() or "nobody")
app.add_url_rule("/whoami", "whoami", lambda: session.get("user", "nobody"))
browser, tab = app.test_client(), app.test_client()
browser.get("/login/ann")
tab.set_cookie("session", browser.get_cookie("session").value)
browser.get("/slow")
expected = "after the logout the browser is answered: nobody"
actual = f"after the logout the browser is answered: {browser.get('/whoami').text}"
print(f"expected: {expected}\nactual: {actual}")
sys.exit(expected != actual)

"""Flask-Session in SQLite makes one browser the user of another

Library: Flask-Session 0.8.0, Flask-SQLAlchemy 3.1.1, SQLAlchemy 2.1.9
Store: SQLite, in a file of its own
Expected: bob's browser is answered: bob
Actual: bob's browser is answered: ann

Why: A request that has changed its session looks for the row by session id, and writes it back by the row's primary
key, an `INTEGER PRIMARY KEY`. SQLite gives such a number again once the row with the highest one was deleted. Ann's
request has found its row and not yet written; she logs out in another tab, which deletes the row; Bob logs in, and his
new row is given the same number. Ann's session is then written into Bob's row: whoever has Bob's cookie is Ann.

Fix: The update names the row by its session id, which is random and never given again; where no row has it, the session
is inserted as before. `AUTOINCREMENT` (`sqlite_autoincrement`) helps as well, and PostgreSQL's sequences do not repeat.
"""

import sys
from datetime import datetime
from tempfile import TemporaryDirectory
from threading import Thread

from flask import Flask, session
from flask_session import Session
from flask_session.sqlalchemy import SqlAlchemySessionInterface
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event


def fix():
    def upsert(self, lifetime, session, store_id):
        new = {"data": self.serializer.encode(session), "expiry": datetime.utcnow() + lifetime}
        if not self.sql_session_model.query.filter_by(session_id=store_id).update(new):
            self.client.session.add(self.sql_session_model(session_id=store_id, **new))
        self.client.session.commit()

    SqlAlchemySessionInterface._upsert_session = upsert


def before_statement(connection, cursor, statement, *others):
    """Ann's last request has found its row and is about to write it; SQLite is not locked then."""
    if statement.startswith("UPDATE") and not meanwhile.ident:
        meanwhile.start()
        meanwhile.join()


if "--fixed" in sys.argv:
    fix()
app = Flask(__name__)
meanwhile = Thread(target=lambda: (tab.get("/logout"), bob.get("/login/bob")))
app.add_url_rule("/login/<user>", "login", lambda user: session.update(user=user) or user)
app.add_url_rule("/visit", "visit", lambda: session.update(visits=1) or session["user"])
app.add_url_rule("/logout", "logout", lambda: session.clear() or "nobody")
app.add_url_rule("/whoami", "whoami", lambda: session.get("user", "nobody"))
with TemporaryDirectory() as folder:
    database = SQLAlchemy()
    app.config.update(SQLALCHEMY_DATABASE_URI=f"sqlite:///{folder}/sessions", SESSION_TYPE="sqlalchemy")
    app.config["SESSION_SQLALCHEMY"] = database
    database.init_app(app)
    Session(app)
    ann, tab, bob = app.test_client(), app.test_client(), app.test_client()
    ann.get("/login/ann")
    tab.set_cookie("session", ann.get_cookie("session").value)
    with app.app_context():
        event.listen(database.engine, "before_cursor_execute", before_statement)
    ann.get("/visit")
    answered = bob.get("/whoami").text
expected, actual = "bob's browser is answered: bob", f"bob's browser is answered: {answered}"
print(f"expected: {expected}\nactual: {actual}")
sys.exit(expected != actual)

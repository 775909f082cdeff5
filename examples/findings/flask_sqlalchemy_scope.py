"""Flask-SQLAlchemy gives one task the database session that another has left behind

Library: Flask-SQLAlchemy 3.1.1, SQLAlchemy 2.1.9, Flask 3.1.3
Store: SQLite, in a file of its own
Expected: contexts that add nothing have committed: nothing
Actual: contexts that add nothing have committed: half a job

Why: There is one database session for each application context, and it is found by the `id()` of the context object:
an address, free for the next object as soon as this one is gone. A thread or greenlet that pushes a context and ends
without popping it (`app.app_context().push()`, a frequent line in background jobs) leaves its session in the registry.
The context object is collected; one that is later made at the same address, a request's for instance, is given that
session, and its commit writes what the other had only begun.

Fix: A number that is never given again, from a counter, kept on the context object. What such a thread has left is then
never found by anybody. (An app can do the same by `session_options={"scopefunc": …}`.)
"""

import contextvars
import itertools
import sys
from tempfile import TemporaryDirectory

from flask import Flask
from flask.globals import app_ctx
from flask_sqlalchemy import SQLAlchemy, extension


def fix():
    numbers = itertools.count()
    extension._app_ctx_id = lambda: vars(app_ctx._get_current_object()).setdefault("_database_scope", next(numbers))


def job():
    app.app_context().push()
    database.session.add(Note(text="half a job"))


if "--fixed" in sys.argv:
    fix()
app = Flask(__name__)
with TemporaryDirectory() as folder:
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{folder}/notes"
    database = SQLAlchemy(app)
    Note = type(
        "Note",
        (database.Model,),
        {"id": database.Column(database.Integer, primary_key=True), "text": database.Column(database.String)},
    )
    app.add_url_rule("/commit", "commit", lambda: database.session.commit() or "done")
    with app.app_context():
        database.create_all()
    for _ in range(100):  # an address may go to something else first, a hundred do not
        contextvars.copy_context().run(job)  # as a thread that ends, or a greenlet
    for context in [app.app_context() for _ in range(10_000)]:  # all at once, so that one is where the job's was
        with context:
            database.session.commit()
    with app.app_context():
        found = {note.text for note in Note.query} or {"nothing"}
expected = "contexts that add nothing have committed: nothing"
actual = f"contexts that add nothing have committed: {', '.join(found)}"
print(f"expected: {expected}\nactual: {actual}")
sys.exit(expected != actual)

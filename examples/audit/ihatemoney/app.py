"""ihatemoney with its database in the folder of the app's state, and a project in it."""

import os
from types import SimpleNamespace

from ihatemoney import default_settings
from ihatemoney.models import Project, db
from ihatemoney.run import create_app
from werkzeug.security import generate_password_hash

state = os.environ.get("STATE_DIR", os.getcwd())
settings = {name: value for name, value in vars(default_settings).items() if name.isupper()}
settings |= {
    "SQLALCHEMY_DATABASE_URI": f"sqlite:///{state}/ihatemoney.db",
    "SECRET_KEY": "the same in each process",
    "SESSION_COOKIE_SECURE": False,
    "WTF_CSRF_ENABLED": False,
}
app = create_app(SimpleNamespace(**settings), instance_path=state)

with app.app_context():
    if db.session.get(Project, "holiday") is None:
        password = generate_password_hash("lamp", method="pbkdf2:sha256:1000")
        db.session.add(
            Project(
                id="holiday", name="holiday", password=password, contact_email="a@example.org", default_currency="XXX"
            )
        )
        db.session.commit()

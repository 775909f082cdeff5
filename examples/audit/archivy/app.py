"""archivy with one user, as `archivy init` makes it; no secret key is configured, as by default."""

import os

os.environ.setdefault("ARCHIVY_INTERNAL_DIR_PATH", os.environ.get("STATE_DIR", "."))

from archivy import app
from archivy.helpers import get_db
from archivy.models import User

with app.app_context():
    if not get_db().all():
        User(username="amber", password="lamp-and-paint", is_admin=True).insert()

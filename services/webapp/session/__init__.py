"""A browser's session: a user logs in, counts, and logs out; each answer says whose counter it was."""

from typing import Protocol

from webapp import arguments
from webapp.claims import Claims
from webapp.window import Window
from webapp.workload import Workload


class Session(Protocol):
    """What a mechanism's module has. The request's cookie says whose session it is; `key` does not."""

    CLAIMS: Claims

    def login(self, key: str, window: Window, user: str) -> str:
        """Begins a session of `user` whose counter is 0; answers who is logged in."""

    def count(self, key: str, window: Window) -> str:
        """Adds one to the counter of the user who is logged in; answers the user and the new value."""

    def logout(self, key: str, window: Window) -> str:
        """Ends the session; answers the user whose session it was."""

    def read(self, key: str) -> str:
        """Who is logged in, and the counter's value."""

    def whoami(self, key: str) -> str | None:
        """Who is logged in; None for nobody."""


SESSION = Workload(
    name="session",
    promise="a browser sees its own counter and nobody else's, its own concurrent requests all count, and a finished "
    "logout stays finished",
    operations={"login": False, "count": False, "logout": False, "read": True, "whoami": True},
    arguments={"login": {"user": arguments.word}},
    windows=("io",),
    shows={
        "never-persists": "logged-out",
        "divergent": "logged-out",
        "ended-by-others": "logged-out",
        "lost-update": "lost-update",
        "seen-by-others": "wrong-user",
        "left-behind": "wrong-user",
        "never-ends": "logout-undone",
        "revived": "logout-undone",
        "name-reused": "wrong-user",
        "stalled": "stalled",
    },
    table={
        # process
        "current-user-global": "current_user_global",
        "user-dict": "user_dict",
        "signed-cookie-random-key": "signed_cookie_random_key",
        # host
        "flask-session-filesystem": "flask_session_filesystem",
        "flask-session-sqlalchemy": "flask_session_sqlalchemy",
        "flask-session-sqlalchemy-autoincrement": "flask_session_sqlalchemy_autoincrement",
        "flask-session-sqlalchemy-by-session-id": "flask_session_sqlalchemy_by_session_id",
        # cluster
        "signed-cookie": "signed_cookie",
        "flask-session-redis": "flask_session_redis",
        "flask-session-memcached": "flask_session_memcached",
        "flask-session-postgres": "flask_session_postgres",
        "cookie-id-redis": "cookie_id_redis",
        "cookie-id-postgres": "cookie_id_postgres",
    },
)

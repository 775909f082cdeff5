"""A browser that several clients share: one cookie jar, and one login after the other."""

import gevent
from gevent.event import Event

from statelab.core.cookies import Jar


class Browser:
    """One browser of a cell. Its requests run at the same time, but none begins while one of them logs out and in
    again.

    Each login has a new user, so that each answer shows which session it belongs to.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._logins = 0
        self._under_way = 0
        self._open = Event()
        self.acts = 0
        self.jar = Jar()

    @property
    def user(self) -> str:
        return f"{self._name}-{self._logins}"

    def begin_anew(self) -> None:
        """Forgets all cookies; the next login has a new user."""
        self.acts = 0
        self.jar = Jar()
        self._logins += 1

    @property
    def unused(self) -> bool:
        """Whether there was no login yet."""
        return self._logins == 0

    def close(self) -> None:
        self._open.clear()

    def open(self) -> None:
        self._open.set()

    def wait_until_open(self) -> None:
        self._open.wait()

    def wait_until_busy(self) -> None:
        """Waits until a request is running, but only for a short time, because the clients may have ended."""
        for _ in range(20):
            if self._under_way:
                return
            gevent.sleep(0.0005)

    def wait_until_quiet(self) -> None:
        """Waits until all its requests have ended."""
        while self._under_way:
            gevent.sleep(0.0005)

    def __enter__(self) -> Jar:
        self._under_way += 1
        return self.jar

    def __exit__(self, *_: object) -> None:
        self._under_way -= 1

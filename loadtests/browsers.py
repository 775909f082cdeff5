"""A browser that several clients share: one cookie jar, and one login after the other."""

import gevent
from gevent.event import Event

from statelab.core.cookies import Jar


class Browser:
    """One browser of a cell. Its requests run side by side; while somebody logs out and in again, it begins no others.

    Each login has a user of its own, so what an answer says tells which session it was.
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
        """Forgets all cookies; the next login is another user's."""
        self.acts = 0
        self.jar = Jar()
        self._logins += 1

    @property
    def unused(self) -> bool:
        """Whether nobody has ever logged in here."""
        return self._logins == 0

    def close(self) -> None:
        self._open.clear()

    def open(self) -> None:
        self._open.set()

    def wait_until_open(self) -> None:
        self._open.wait()

    def wait_until_busy(self) -> None:
        """Until one of its requests is under way; not for long, for its clients may have ended."""
        for _ in range(20):
            if self._under_way:
                return
            gevent.sleep(0.0005)

    def wait_until_quiet(self) -> None:
        """Until all its requests have ended."""
        while self._under_way:
            gevent.sleep(0.0005)

    def __enter__(self) -> Jar:
        self._under_way += 1
        return self.jar

    def __exit__(self, *_: object) -> None:
        self._under_way -= 1

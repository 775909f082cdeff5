"""The browser that all requests of a play come from: it keeps what answers set, and brings it along."""

from collections.abc import Iterable
from http.cookies import SimpleCookie


class Browser:
    """The last answer's word counts, whichever request it belongs to."""

    def __init__(self) -> None:
        self._cookies: dict[str, str] = {}

    @property
    def header(self) -> str:
        """What a request that is sent now brings along; empty where there is nothing."""
        return "; ".join(f"{name}={value}" for name, value in self._cookies.items())

    def take(self, set_cookies: Iterable[str]) -> None:
        for line in set_cookies:
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0":
                    self._cookies.pop(name, None)
                else:
                    self._cookies[name] = morsel.coded_value

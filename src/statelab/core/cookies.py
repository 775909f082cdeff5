"""The cookies that a browser keeps and sends with each request."""

from collections.abc import Iterable
from http.cookies import SimpleCookie


class Jar:
    """A cookie has the value set by the answer that arrived last, whichever request that answer belongs to."""

    def __init__(self, cookies: dict[str, str] | None = None) -> None:
        self._cookies = cookies or {}

    def headers(self) -> dict[str, str]:
        """The `Cookie` header of the next request; empty if there is no cookie."""
        brought = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        return {"Cookie": brought} if brought else {}

    def take(self, set_cookies: Iterable[str]) -> None:
        """Keeps or removes what the `Set-Cookie` headers of an answer say."""
        for line in set_cookies:
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0":
                    self._cookies.pop(name, None)
                else:
                    self._cookies[name] = morsel.coded_value

    def copy(self) -> "Jar":
        return Jar(dict(self._cookies))

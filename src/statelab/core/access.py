"""How requests reach an app that the lab has not started: with a header that has a secret, and over TLS.

The secret is the value of an environment variable. It is read where a request is made, and stands in no file, argument
or message of the lab: `hidden` takes it out of what an answer may have repeated.
"""

import os
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

import msgspec

from statelab.core.errors import Unavailable

HIDDEN = "(hidden)"
SHORTEST = 8
"""The fewest characters of a word of the secret: shorter ones, as `Bearer`, are found in other texts too."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect may lead to another host, which is to see neither the load nor the secret."""

    def redirect_request(self, *_: object) -> None:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """`header` is sent with every request, with the value of the environment variable `variable` (empty: none is).
    `ca` is a file of certificates that are trusted in the place of the system's (empty: the system's)."""

    header: str = ""
    variable: str = ""
    ca: str = ""

    def headers(self) -> dict[str, str]:
        return {self.header: os.environ[self.variable]} if self.header else {}

    def context(self) -> ssl.SSLContext:
        """Certificate and name of the other side are always checked."""
        return ssl.create_default_context(cafile=self.ca or None)

    def hidden(self, text: str) -> str:
        """The text without the secret, as it is and as JSON writes it."""
        for value in self.headers().values():
            for secret in (value, *(word for word in value.split() if len(word) >= SHORTEST)):
                text = text.replace(secret, HIDDEN).replace(msgspec.json.encode(secret).decode()[1:-1], HIDDEN)
        return text

    def open(self, request: urllib.request.Request, timeout_s: float) -> Any:
        """The response, of this very address: no redirect is followed, no proxy is asked. Raises OSError, of which
        HTTPError is one, whose message may have what the other side said."""
        for name, value in self.headers().items():
            request.add_header(name, value)
        handlers: list[urllib.request.BaseHandler] = [_NoRedirect(), urllib.request.ProxyHandler({})]
        if request.type == "https":
            handlers.append(urllib.request.HTTPSHandler(context=self.context()))
        return urllib.request.build_opener(*handlers).open(request, timeout=timeout_s)

    def read(self, url: str, timeout_s: float) -> tuple[int, Any, bytes]:
        """Status, headers and body of a GET, whatever the status; raises Unavailable where nobody answers."""
        try:
            with self.open(urllib.request.Request(url), timeout_s) as response:
                return response.status, response.headers, response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read()
        except OSError as error:
            raise Unavailable(self.hidden(f"{url}: {getattr(error, 'reason', error)}")) from None


DIRECT = Access()
"""Nothing is added: for what the lab started itself."""

"""How requests reach an app that the lab has not started: with a header that carries a secret, and over TLS.

The secret is the value of an environment variable. It is read when a request is made, and is in no file, argument or
message of the lab: `hidden` removes it from an answer that repeats it.
"""

import base64
import html
import json
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import quote, quote_plus

from statelab.core.errors import Unavailable

HIDDEN = "(hidden)"
SHORTEST = 8
"""The fewest characters of a word of the secret that is hidden: shorter words, such as `Bearer`, occur in other texts
too."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: it may lead to another host, which must see neither the load nor the secret."""

    def redirect_request(self, *_: object) -> None:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """`header` is sent with every request, with the value of the environment variable `variable` (empty: none is). `ca`
    is a file of certificates that are trusted instead of the system's (empty: the system's)."""

    header: str = ""
    variable: str = ""
    ca: str = ""

    def headers(self) -> dict[str, str]:
        return {self.header: os.environ[self.variable]} if self.header else {}

    def context(self) -> ssl.SSLContext:
        """The TLS settings: the server's certificate and name are always checked."""
        return ssl.create_default_context(cafile=self.ca or None)

    def _secrets(self) -> Iterator[str]:
        """The texts to hide: the value, each of its words, and the text that a `Basic` value encodes."""
        for value in self.headers().values():
            yield value
            for word in value.split():
                yield word
                if value.startswith("Basic "):
                    try:
                        plain = base64.b64decode(word, validate=True).decode()
                    except ValueError:
                        continue
                    yield from (plain, plain.partition(":")[2])

    def hidden(self, text: str) -> str:
        """The text without the secret, in plain form and as JSON, HTML or a URL would write it. The text must be whole:
        a secret that was cut short is not found."""
        for secret in self._secrets():
            if len(secret) >= SHORTEST:
                for written in (
                    secret,
                    json.dumps(secret)[1:-1],
                    html.escape(secret),
                    quote(secret),
                    quote_plus(secret),
                ):
                    text = text.replace(written, HIDDEN)
        return text

    def hidden_in(self, body: bytes) -> bytes:
        """The same for a body, in any encoding that contains ASCII."""
        return self.hidden(body.decode("latin-1")).encode("latin-1") if self.header else body

    def open(self, request: urllib.request.Request, timeout_s: float) -> Any:
        """The response from exactly this address: no redirect is followed, no proxy is used. Raises HTTPError for a
        status that is no success, and Unavailable if there is no answer or it is not HTTP."""
        for name, value in self.headers().items():
            request.add_header(name, value)
        handlers: list[urllib.request.BaseHandler] = [_NoRedirect(), urllib.request.ProxyHandler({})]
        if request.type == "https":
            handlers.append(urllib.request.HTTPSHandler(context=self.context()))
        try:
            return urllib.request.build_opener(*handlers).open(request, timeout=timeout_s)
        except urllib.error.HTTPError:
            raise
        except (OSError, HTTPException) as error:
            why = getattr(error, "reason", None) or error
            said = f"it speaks no HTTP: {why!r}" if isinstance(error, HTTPException) else str(why)
            raise Unavailable(self.hidden(f"{request.full_url}: {said}")) from None

    def read(self, url: str, timeout_s: float) -> tuple[int, Any, bytes]:
        """Status, headers and body of a GET, whatever the status; raises Unavailable if there is no answer."""
        try:
            with self.open(urllib.request.Request(url), timeout_s) as response:
                return response.status, response.headers, response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read()
        except (OSError, HTTPException) as error:  # while the body was read
            raise Unavailable(self.hidden(f"{url}: {error}")) from None


DIRECT = Access()
"""Adds nothing to requests: for servers that the lab started itself."""

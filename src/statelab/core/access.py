"""How requests reach an app that the lab has not started: with a header that has a secret, and over TLS.

The secret is the value of an environment variable. It is read where a request is made, and stands in no file, argument
or message of the lab: `hidden` takes it out of what an answer may have repeated.
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

    def _secrets(self) -> Iterator[str]:
        """What is not to be shown: the value, each of its words, and what a `Basic` one encodes."""
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
        """The text without the secret, as it is, and as JSON, HTML or an address write it. The text has to be whole: a
        secret that was cut short is not found."""
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
        """The same of a body, in whatever encoding that has ASCII in it."""
        return self.hidden(body.decode("latin-1")).encode("latin-1") if self.header else body

    def open(self, request: urllib.request.Request, timeout_s: float) -> Any:
        """The response, of this very address: no redirect is followed, no proxy is asked. Raises HTTPError for a status
        that is no success, and Unavailable where nobody answers, or not in HTTP."""
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
        """Status, headers and body of a GET, whatever the status; raises Unavailable where nobody answers."""
        try:
            with self.open(urllib.request.Request(url), timeout_s) as response:
                return response.status, response.headers, response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read()
        except (OSError, HTTPException) as error:  # while the body was read
            raise Unavailable(self.hidden(f"{url}: {error}")) from None


DIRECT = Access()
"""Nothing is added: for what the lab started itself."""

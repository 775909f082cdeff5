"""Asks another app once for each operation of its promises, before anything is measured.

The app's answers must be as the promise says. Otherwise the promise is wrong, and a measurement would mean nothing. An
answer that is no success is left to the load, which will then not count the promise as exercised.
"""

import secrets
import urllib.error
import urllib.request
from collections.abc import Iterable
from http.client import HTTPException
from typing import Any

from statelab.core.access import DIRECT, Access
from statelab.core.ask import REFUSED, Ask, Misfit
from statelab.core.cookies import Jar
from statelab.core.errors import BadInput, Unavailable
from statelab.plan.promises import KINDS, Promise

LIMIT_S = 10.0
HELP = "the app must answer in JSON, and `result` must be the path of what it answers"


def try_out(url: str, promises: Iterable[Promise], *, alone: bool, access: Access = DIRECT) -> None:
    """Raises BadInput with the key for the first answer without a result, and if a session or a stock does not work
    even for one client. `alone`: no boundary lies between two requests of this deployment."""
    for promise in promises:
        name = f"try-{secrets.token_hex(4)}"
        sent: dict[str, str | int] = dict.fromkeys(("key", "user", "id", "body", "value", "token"), name)
        if promise.workload == "inventory":
            sent["value"] = 1
        jar = Jar()
        said: dict[str, Any] = {}
        for op in KINDS[promise.workload].operations:
            ask = promise.asks.get(op)
            if ask is None:
                continue
            code, body = _exchange(url, ask, sent, jar, access)
            if ask.refuses(code):
                said[op] = REFUSED
            elif ask.succeeds(code):
                try:
                    said[op] = ask.answered(sent, body)
                except Misfit as misfit:
                    raise BadInput(f"{promise.where}.{op}: {misfit} ({HELP})") from None
            if ask.means == "lock" and isinstance(said.get(op), str | int):
                sent["token"] = said[op]
        for op in ("echo", "find"):
            if alone and said.get(op, sent["value"]) != sent["value"]:
                raise BadInput(f"{promise.where}.{op}: {sent['value']} was sent, and the answer has {said[op]}")
        if alone and promise.workload == "session" and "whoami" in said and said["whoami"] != sent["user"]:
            found = said["whoami"] if isinstance(said["whoami"], str) else "nobody"
            raise BadInput(f"{promise.where}.whoami: after the login of {sent['user']} it answered {found}")
        if alone and promise.workload == "inventory" and said.get("buy") == "ok":
            ask = promise.asks["buy"]
            code, body = _exchange(url, ask, sent, jar, access)
            status, _, words = ask.outcome(sent, code, body, None)
            if status != "ok":
                raise BadInput(
                    f"{promise.where}.buy.sold_out: of one article a second one was asked for, and the answer is "
                    f"neither a success nor {ask.no!r}: {words}"
                )


def _exchange(url: str, ask: Ask, sent: dict[str, str | int], jar: Jar, access: Access) -> tuple[int, bytes]:
    """Status and body; status 0 if there is no answer. Cookies are read from the jar and stored in it."""
    path, headers, body = ask.fill(sent)
    request = urllib.request.Request(url + path, body, {**headers, **jar.headers()}, method=ask.method)
    try:
        with access.open(request, LIMIT_S) as response:
            jar.take(response.headers.get_all("Set-Cookie") or ())
            return response.status, access.hidden_in(response.read())
    except urllib.error.HTTPError as error:
        jar.take(error.headers.get_all("Set-Cookie") or ())
        return error.code, access.hidden_in(error.read())
    except (OSError, HTTPException, Unavailable):
        return 0, b""

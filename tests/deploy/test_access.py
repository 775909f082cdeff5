"""What is sent with every request to a remote, and that it is hidden wherever an answer repeats it."""

import base64
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pytest

from statelab.core.access import DIRECT, Access

STAGING = Access(header="Authorization", variable="STAGING_TOKEN")
QUOTED = 'Bearer ab"c&d/efg\\h'
BASIC = f"Basic {base64.b64encode(b'me:correct horse').decode()}"


@pytest.mark.parametrize(
    ("value", "text", "shown"),
    [
        (QUOTED, f"you sent {QUOTED}.", "you sent (hidden)."),
        (QUOTED, f"you sent {QUOTED.removeprefix('Bearer ')}.", "you sent (hidden)."),
        (QUOTED, r'{"sent": "Bearer ab\"c&d/efg\\h"}', '{"sent": "(hidden)"}'),
        (QUOTED, "<p>ab&quot;c&amp;d/efg\\h</p>", "<p>(hidden)</p>"),
        (QUOTED, "/login?from=ab%22c%26d/efg%5Ch", "/login?from=(hidden)"),
        (QUOTED, "a Bearer of news", "a Bearer of news"),
        (BASIC, f"not {BASIC}", "not (hidden)"),
        (BASIC, "the password correct horse of me", "the password (hidden) of me"),
        (BASIC, "nobody is me:correct horse", "nobody is (hidden)"),
    ],
)
def test_what_an_answer_repeats_is_hidden(monkeypatch: pytest.MonkeyPatch, value: str, text: str, shown: str) -> None:
    monkeypatch.setenv("STAGING_TOKEN", value)
    assert STAGING.hidden(text) == shown
    assert STAGING.hidden_in(f"grüße, {text}".encode()) == f"grüße, {shown}".encode()


def test_without_a_token_nothing_is_sent_and_nothing_hidden() -> None:
    assert DIRECT.headers() == {}
    assert DIRECT.hidden_in(b"\xff Bearer") == b"\xff Bearer"


class _Elsewhere(BaseHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(302)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_a_redirect_is_not_followed() -> None:
    """Where it leads would see the token."""
    with HTTPServer(("127.0.0.1", 0), _Elsewhere) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        code, _, _ = DIRECT.read(f"http://127.0.0.1:{server.server_address[1]}/login", 10)
        thread.join()
    assert (code, _Elsewhere.asked) == (302, ["/login"])

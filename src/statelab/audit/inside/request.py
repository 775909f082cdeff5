"""Serves one request by calling the WSGI app, as a server would."""

from __future__ import annotations

import importlib
import io
import os
import sys
import traceback
from typing import Any
from urllib.parse import unquote_to_bytes

LONGEST_BODY = 2_000_000
"""Bytes of an answer that are read; a stream that never ends is cut here."""


def environ(request: dict[str, Any], errors: io.StringIO) -> dict[str, Any]:
    """The WSGI environment of `{"method", "target", "headers": [[name, value]], "body"}`; body is Latin-1 text."""
    path, _, query = request["target"].partition("?")
    body = request["body"].encode("latin-1")
    made = {
        "REQUEST_METHOD": request["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "REQUEST_URI": request["target"],
        "RAW_URI": request["target"],
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": "statelab",
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_PORT": "50000",
        "HTTP_HOST": "localhost",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": errors,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if body:
        made["CONTENT_LENGTH"] = str(len(body))
    for name, value in request["headers"]:
        key = name.upper().replace("-", "_")
        made[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_" + key] = value
    return made


def warm() -> None:
    """Uses once what the standard library and Werkzeug load and cache on first use. Otherwise each fork does so again,
    which takes most of the time of its first request. No code of the app is called."""
    importlib.import_module("encodings.idna")
    if "werkzeug" not in sys.modules:
        return
    request = {"method": "POST", "target": "/1?a=b", "headers": [["Content-Type", "application/json"]], "body": "{}"}
    try:
        made = environ(request, io.StringIO())
        wrappers, routing = (importlib.import_module("werkzeug." + name) for name in ("wrappers", "routing"))
        rules = routing.Map([routing.Rule("/<int:n>", methods=["POST"], endpoint="warm"), routing.Rule("/x")])
        rules.bind_to_environ(made).match(return_rule=True)
        asked = wrappers.Request(made)
        for name in ("args", "cookies", "form", "json"):
            getattr(asked, name, None)
        list(wrappers.Response("{}", mimetype="application/json")(made, lambda status, headers: None))
    except Exception:  # another version of Werkzeug: only slower
        return


TIMES = 30
"""Enough runs of a piece of code for CPython to specialize it, with some to spare."""


def warm_flask() -> None:
    """Lets a Flask app of our own answer some requests. CPython has then specialized the code of Flask and Werkzeug, so
    no fork has to do that again, or to copy the memory that this changes. Call it before the app is imported, because
    the app may listen to the signals of every Flask app."""
    flask = sys.modules.get("flask")
    if flask is None:
        return

    def answer(number: int) -> Any:
        asked = flask.request
        return flask.jsonify(said=[asked.args.get("a"), asked.form.get("a"), asked.get_json(silent=True), number])

    body = {"method": "POST", "target": "/1?a=b", "headers": [["Content-Type", "application/json"]], "body": "{}"}
    try:
        own = flask.Flask("statelab_warms_up", root_path=os.curdir)
        own.add_url_rule("/<int:number>", view_func=answer, methods=["GET", "POST"])
        for _ in range(TIMES):
            serve(own, body)
            serve(own, {**body, "method": "GET", "body": ""})
    except Exception:  # another version of Flask: only slower
        return


def serve(app: Any, request: dict[str, Any]) -> dict[str, Any]:
    """The answer `{"status", "headers", "body", "errors"}`. An exception of the app becomes a 500, as in a server."""
    errors = io.StringIO()
    started: list[Any] = []
    body = io.BytesIO()

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        started[:] = [int(status.split(None, 1)[0]), [[str(name), str(value)] for name, value in headers]]
        return body.write

    try:
        chunks = app(environ(request, errors), start_response)
        try:
            for chunk in chunks:
                body.write(chunk)
                if body.tell() > LONGEST_BODY:
                    break
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        status, headers = started
    except Exception:
        traceback.print_exc(file=errors)
        status, headers, body = 500, [["Content-Type", "text/plain"]], io.BytesIO(b"Internal Server Error")
    except SystemExit as ending:
        sys.stderr.write(f"the app asked to exit: {ending!r}\n")
        status, headers, body = 500, [["Content-Type", "text/plain"]], io.BytesIO(b"the app called sys.exit")
    return {
        "status": status,
        "headers": headers,
        "body": body.getvalue().decode("latin-1"),
        "errors": errors.getvalue()[-4000:],
    }

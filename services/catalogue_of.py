"""`python services/catalogue_of.py FOLDER [MODULE:APP]`: what an app answers to `GET /catalogue`, without a server.

Prints one line of JSON: `{"status", "body"}`, or `{"failed": words}` where the app cannot be loaded, or `{"refused":
sentence}` where a mechanism's file is invalid. It needs the standard library only, and the app need not be a Flask app.
Without MODULE:APP it asks the lab's own app, or the copy of it in that folder.
"""

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

HERE = Path(__file__).parent
sys.path[0] = str(HERE)

import servers  # noqa: E402


def answer(folder: str, name: str | None) -> dict[str, str]:
    servers.find_app_in(folder, own=name is None)
    environ: dict[str, Any] = {"PATH_INFO": "/catalogue"}
    setup_testing_defaults(environ)
    answered = []

    def start(status: str, headers: object, error: object = None) -> Any:
        answered.append(status)
        return lambda data: None

    try:
        body = b"".join(servers.load_app(name or servers.OWN_APP)(environ, start))
    except BaseException as error:
        if not name and hasattr(error, "sentence"):
            return {"refused": error.sentence}
        return {"failed": f"{type(error).__name__}: {error}"}
    return {"status": answered[-1] if answered else "no status", "body": body.decode(errors="replace")}


out = os.dup(1)
os.dup2(2, 1)  # an app may print something when it is imported
os.write(out, json.dumps(answer(sys.argv[1], sys.argv[2] if sys.argv[2:] else None)).encode())
with suppress(OSError):
    sys.stderr.flush()
os._exit(0)  # ends the process even if the app has started threads

"""`statelab_asgi:app()`: the WSGI app that STATELAB_WSGI_APP names, as an ASGI app, through a2wsgi.

a2wsgi calls it in a pool of STATELAB_WSGI_THREADS threads of its own. This file is alone in its folder, which is on an
ASGI server's path together with the app's.
"""

import os
from importlib import import_module
from typing import Any

from a2wsgi import WSGIMiddleware


def app() -> Any:
    module, _, attribute = os.environ["STATELAB_WSGI_APP"].partition(":")
    found = getattr(import_module(module), attribute.removesuffix("()") or "app")
    wsgi_app = found() if attribute.endswith("()") else found
    return WSGIMiddleware(wsgi_app, workers=int(os.environ["STATELAB_WSGI_THREADS"]))

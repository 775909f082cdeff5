"""What the lab adds to Locust's page: first values, the prediction under the form, and the live part of the tab State.

Locust's page is made by a script of its own; ours (console.js) puts its part into it and asks for news once a second.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Response, jsonify, request

from statelab.core.errors import BadInput
from statelab.repro.live.prediction import Foretold

SCRIPT = Path(__file__).with_name("console.js")
FIRST = {"num_users": 8, "spawn_rate": 8.0, "run_time": "10s"}
FIRST_CELL = {"deployment": "gthread-2x4", "mechanism": "counter / module-global", "window": "io"}
"""What a first click on START shows: four threads in each of two processes lose updates and keep two counters."""

Foretell = Callable[[str, str, str], Foretold]
"""(mechanism as in the form, deployment, window) -> the prediction."""


def first(name: str, offered: list[str]) -> str | None:
    """The field's first value, or else the first that there is."""
    return FIRST_CELL[name] if FIRST_CELL[name] in offered else next(iter(offered), None)


def install(web_ui: Any, foretell: Foretell, seen: Callable[[], bytes], opened: Callable[[], None]) -> None:
    """Adds it to the page. `foretell` makes the prediction, `seen` tells what the tab shows, as JSON; `opened` is
    called when a browser has the page."""
    app, body = web_ui.app, b"</body>"

    @app.route("/statelab/console.js")
    def script() -> Response:
        opened()
        return Response(SCRIPT.read_bytes(), content_type="text/javascript")

    @app.route("/statelab/seen")
    def seen_so_far() -> Response:
        return Response(seen(), content_type="application/json", headers={"Cache-Control": "no-store"})

    @app.route("/statelab/predicted")
    def predicted() -> Response:
        asked = [request.args.get(name, "") for name in ("mechanism", "deployment", "window")]
        try:
            found = foretell(*asked)
        except BadInput as error:
            return jsonify(refused=str(error))
        return jsonify({name: getattr(found, name) for name in found.__struct_fields__})

    @app.after_request
    def with_script(response: Any) -> Any:
        if request.path == "/" and response.mimetype == "text/html" and not response.is_streamed:
            page = response.get_data()
            response.set_data(page.replace(body, b'<script defer src="./statelab/console.js"></script>' + body))
        return response

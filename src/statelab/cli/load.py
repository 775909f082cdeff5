"""`statelab load`: the Locust web UI on what is up."""

import json
import os
import socket
import subprocess
import sys

import click
from rich.console import Console

from statelab.core.calls import require_locust
from statelab.core.errors import BadInput
from statelab.core.errors import EngineFailed
from statelab.core.paths import LOADTESTS
from statelab.deploy import running
from statelab.plan.catalogue import any_offers

_OTHER_LOAD = (
    "the app that is up has no GET /catalogue, which names workloads: give it a load of its own, as in "
    "`locust -f locustfile.py --host {0}`, or let `statelab run --app MODULE:APP` load and judge what "
    "its statelab.toml promises (docs/own-app.md)"
)


@click.command("load")
def command() -> None:
    """Open the Locust web UI on what is up: Compose's own, or one started here for the local engine."""
    require_locust()
    console = Console()
    up = running.lab()
    if up is None:
        console.print(f"Locust: {running.compose_console()}", highlight=False)
        return
    targets = {name: address for name, address in up.addresses.items() if address.startswith("http")}
    if not any_offers(targets.values()):
        address = next(iter(targets.values()), "ADDRESS")
        raise BadInput(f"every request of the lab's load would be a 404, for {_OTHER_LOAD.format(address)}")
    port = _free_port(int(os.environ.get("LAB_WEB_PORT", "8089")))
    command = [sys.executable, "-m", "locust", "-f", str(LOADTESTS / "locustfile.py"), "--web-host", "127.0.0.1"]
    environment = {**os.environ, "LAB_TARGETS": json.dumps(targets)}
    console.print(f"Locust: http://127.0.0.1:{port} (Ctrl-C ends it)", highlight=False)
    subprocess.run([*command, "--web-port", str(port)], env=environment, stdin=subprocess.DEVNULL, check=False)


def _free_port(port: int) -> int:
    """The port; raises EngineFailed where somebody else listens on it."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        raise EngineFailed(f"port {port} is taken: end what listens on it, or set LAB_WEB_PORT") from None
    return port

"""`statelab load`: the Locust web UI for the running lab, on one machine or as the master of workers on several."""

import json
import os
import socket
import subprocess
import sys

import click
from rich.console import Console

from statelab.core.calls import require_locust
from statelab.core.errors import BadInput, EngineFailed
from statelab.core.paths import LOADTESTS
from statelab.deploy import running
from statelab.plan.catalogue import any_offers, served_over_http

_OTHER_LOAD = (
    "the app that is up has no GET /catalogue, which names workloads: give it a load of its own, as in "
    "`locust -f locustfile.py --host {0}`, or let `statelab run --app MODULE:APP` load and judge what "
    "its statelab.toml promises (docs/own-app.md)"
)

EVERYWHERE = "0.0.0.0"


@click.command("load")
@click.option("--master", metavar="ADDRESS", help="let workers join at this address of this machine (1: at any)")
@click.option("--worker-of", metavar="HOST", help="make the load for the master on that machine")
def command(master: str | None, worker_of: str | None) -> None:
    """Open the Locust web UI on what is up: Compose's own, or one started here for the local engine.

    With --master other machines make the load, each as a --worker-of (docs/many-machines.md); LAB_TARGETS, a JSON
    object, then says where the deployments are.
    """
    require_locust()
    console = Console()
    if master and worker_of:
        raise BadInput("a machine is the master or a worker of one: leave --master or --worker-of out")
    if worker_of:
        console.print(f"a worker of {worker_of}, port {_master_port()} (Ctrl-C ends it)", highlight=False)
        code = _locust(["--worker", "--master-host", worker_of, "--master-port", str(_master_port())], {})
        if code:
            raise EngineFailed(f"the worker ended with {code}; what Locust says of it stands above")
        return
    targets = _targets()
    if targets is None:
        console.print(f"Locust: {running.compose_console()}", highlight=False)
        return
    if not any_offers(targets.values()):
        address = next(iter(targets.values()), "ADDRESS")
        raise BadInput(f"every request of the lab's load would be a 404, for {_OTHER_LOAD.format(address)}")
    port = _free_port(int(os.environ.get("LAB_WEB_PORT", "8089")), "LAB_WEB_PORT")
    options = ["--web-host", "127.0.0.1", "--web-port", str(port)]
    if master:
        options += _master(console, EVERYWHERE if master == "1" else master, targets)
    console.print(f"Locust: http://127.0.0.1:{port} (Ctrl-C ends it)", highlight=False)
    _locust(options, {"LAB_TARGETS": json.dumps(targets)})


def _targets() -> dict[str, str] | None:
    """The addresses of the deployments; None if Compose runs them, because it has a Locust of its own."""
    if given := os.environ.get("LAB_TARGETS"):
        try:
            found = json.loads(given)
        except json.JSONDecodeError:
            found = None
        if not isinstance(found, dict) or not all(isinstance(address, str) for address in found.values()):
            raise BadInput(
                'LAB_TARGETS is not a JSON object of addresses by name, as {"gthread": "http://host:8000"} is'
            )
        return found
    up = running.lab()
    return None if up is None else served_over_http(up.addresses)


def _master_port() -> int:
    return int(os.environ.get("LAB_MASTER_PORT", "5557"))


def _master(console: Console, address: str, targets: dict[str, str]) -> list[str]:
    port = _free_port(_master_port(), "LAB_MASTER_PORT", address)
    console.print(
        f"workers join by `make load WORKER_OF=HOST` with this machine's name; whoever reaches port {port} may join, "
        "so keep it within your own network",
        highlight=False,
        soft_wrap=True,
    )
    if address != "127.0.0.1" and any("//127.0.0.1" in target for target in targets.values()):
        console.print(
            "the deployments that are up listen on 127.0.0.1: workers on other machines cannot reach them. LAB_TARGETS "
            "says where they can",
            highlight=False,
            soft_wrap=True,
        )
    return ["--master", "--master-bind-host", address, "--master-bind-port", str(port)]


def _locust(options: list[str], environment: dict[str, str]) -> int:
    command = [sys.executable, "-m", "locust", "-f", str(LOADTESTS / "locustfile.py"), *options]
    done = subprocess.run(command, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, check=False)
    return done.returncode


def _free_port(port: int, variable: str, address: str = "127.0.0.1") -> int:
    """The port; raises EngineFailed if another program listens on it."""
    try:
        socket.create_server((address, port)).close()
    except OSError as error:
        why = f"port {port} at {address}: {error.strerror}"
        raise EngineFailed(f"{why}; end what listens on it, or set {variable}") from None
    return port

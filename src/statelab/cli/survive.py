"""`statelab survive`: what a counter outlives, for each place where it may be kept."""

import sys

import click
from rich.console import Console

from statelab.cli import options as shared
from statelab.cli.progress import undisturbed
from statelab.core.errors import BadInput, require_known
from statelab.core.paths import DEPLOYMENTS
from statelab.core.results import Survival
from statelab.deploy.local import LocalEngine
from statelab.drive.survival import WORKLOAD, Survey, exit_code, fit, with_hosts
from statelab.plan.app import App
from statelab.plan.catalogue import of_app
from statelab.plan.deployments import ON_REQUEST, Deployment, load_all
from statelab.report.formats.terminal import survival_table


@click.command("survive")
@click.option("--mechanism", callback=shared.several, metavar="NAMES", help="only these, by comma (default: all)")
def command(mechanism: list[str]) -> None:
    """Count up, end the worker, the server, the store, everything, a host of two, and see what is left."""
    sys.exit(survive(Console(), mechanism))


def survived(mechanisms: list[str]) -> tuple[Deployment, list[Survival]]:
    """The deployment where it was tried, and the results for these mechanisms (none named: all of the counter). Raises
    BadInput, before anything is started, for a name that does not exist."""
    offered = of_app(App(), [WORKLOAD])
    known = list(offered.workloads[WORKLOAD].mechanisms)
    require_known("mechanism", mechanisms, known)
    deployment = fit(load_all(DEPLOYMENTS).values())
    if deployment is None:
        raise BadInput("no deployment serves one request after the other under gunicorn: add one")
    replicas = with_hosts(load_all(DEPLOYMENTS / ON_REQUEST).values())
    tried = [each for each in (replicas, deployment) if each]  # the last one ends everything
    engine = LocalEngine(App(workloads=(WORKLOAD,)))
    try:
        engine.up(tried)
        return deployment, [
            found for each in tried for found in Survey(engine, each, mechanisms or known, offered).measure()
        ]
    finally:
        with undisturbed():
            engine.down()


def survive(console: Console, mechanisms: list[str]) -> int:
    """Tries what a counter outlives, prints it, and returns the exit code."""
    deployment, found = survived(mechanisms)
    console.print(f"under {deployment.name}: {deployment.description}", highlight=False)
    for part in survival_table(found):
        console.print(part)
    return exit_code(found)

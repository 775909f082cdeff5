"""`statelab list`: the names that the other commands take."""

import click
from rich.console import Console

from statelab.core.errors import Unavailable
from statelab.core.paths import DEPLOYMENTS
from statelab.plan import catalogue as app_catalogue
from statelab.plan.app import App
from statelab.plan.deployments import ON_REQUEST, load_all
from statelab.plan.profiles import OTHER_NAMES, PROFILES


@click.command("list")
def command() -> None:
    """What there is: workloads, mechanisms, deployments, windows, profiles."""
    console = Console()
    catalogue = app_catalogue.Catalogue(windows=[], workloads={})
    try:
        catalogue = app_catalogue.of_app(App())
    except Unavailable as error:  # a wheel without the app can still list deployments and profiles
        console.print(f"workloads are not named: {error}", markup=False, soft_wrap=True)
    for name, workload in catalogue.workloads.items():
        console.print(f"[bold]{name}[/]: {workload.promise}")
        for mechanism, about in workload.mechanisms.items():
            console.print(f"  {mechanism:26} {app_catalogue.group(about.claims):8} {about.summary}", highlight=False)
    console.print("[bold]deployments[/]")
    for deployment in load_all(DEPLOYMENTS).values():
        console.print(f"  {deployment.name:26} {deployment.description}", highlight=False)
    console.print("[bold]deployments on request only[/]")
    for deployment in load_all(DEPLOYMENTS / ON_REQUEST).values():
        console.print(f"  {deployment.name:26} {deployment.description}", highlight=False)
    if catalogue.windows:
        console.print(f"[bold]windows[/]: {', '.join(catalogue.windows)}")
    console.print("[bold]profiles[/]")
    for profile in PROFILES.values():
        console.print(f"  {profile.name:26} {profile.description}", highlight=False)
    for name, meant in OTHER_NAMES.items():
        console.print(f"  {name:26} another name of {meant}", highlight=False)

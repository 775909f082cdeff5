"""`statelab audit module:app`: what one's own app keeps in the wrong place."""

import json
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from statelab.audit.run import RECYCLING
from statelab.audit.run import Asked
from statelab.audit.run import folder_of
from statelab.audit.run import perform
from statelab.audit.site import App
from statelab.audit.story import read
from statelab.audit.text import as_json
from statelab.audit.text import show
from statelab.core.errors import BadInput
from statelab.core.paths import DEPLOYMENTS
from statelab.plan.deployments import load_all


@click.command("audit")
@click.argument("app", metavar="MODULE:APP")
@click.option("--requests", "stories", multiple=True, metavar="FILE", help="a story: requests in an .http file")
@click.option("--app-dir", default=".", metavar="FOLDER", help="where the app is (default: here)")
@click.option("--python", default=sys.executable, metavar="PROGRAM", help="the app's own interpreter")
@click.option("--json", "json_only", is_flag=True, help="print one JSON object and nothing else")
def command(**options: Any) -> None:
    """Serve the app in every world that some server has, and compare with the app served alone."""
    sys.exit(run(**options))


def run(*, app: str, stories: tuple[str, ...], app_dir: str, python: str, json_only: bool) -> int:
    """Audits and prints; the exit code: 0 nothing found, 1 findings, 3 nothing exercised. Raises BadInput."""
    if not stories:
        raise BadInput("name a story with --requests FILE")
    errors = Console(stderr=True)
    with errors.status("importing the app") as status:
        asked = Asked(
            app=App(name=app, folder=folder_of(app_dir), python=python),
            stories=[read(Path(name)) for name in stories],
            deployments=load_all(DEPLOYMENTS, RECYCLING),
            progress=status.update,
        )
        found = perform(asked)
    if json_only:
        print(json.dumps(as_json(found), indent=1))
    else:
        show(Console(), found)
    return found.exit_code

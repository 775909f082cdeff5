"""`statelab audit module:app`: what one's own app keeps in the wrong place."""

import os
import shlex
import sys
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from statelab.audit.config import begin
from statelab.audit.config import load
from statelab.audit.formats import FORMATS
from statelab.audit.formats import write
from statelab.audit.processes import App
from statelab.audit.run import RECYCLING
from statelab.audit.run import Asked
from statelab.audit.run import folder_of
from statelab.audit.run import perform
from statelab.audit.run import story_of
from statelab.audit.suite import perform as judged_by_suite
from statelab.audit.text import show
from statelab.core.errors import BadInput
from statelab.core.paths import DEPLOYMENTS
from statelab.plan.deployments import load_all

EVERY_S = 15.0
"""Between two lines about the progress where there is no terminal."""


@click.command("audit")
@click.argument("app", metavar="MODULE:APP", required=False)
@click.option("--requests", "stories", multiple=True, metavar="FILE", help="a story: requests in an .http or HAR file")
@click.option(
    "--pytest",
    "suite",
    is_flag=False,
    flag_value="",
    metavar="[ARGS]",
    help="judge by the app's own tests, their requests spread over processes (write it last, or with ARGS quoted)",
)
@click.option("--app-dir", default=".", metavar="FOLDER", help="where the app is (default: here)")
@click.option("--python", default=sys.executable, metavar="PROGRAM", help="the app's own interpreter")
@click.option(
    "--out", metavar="FOLDER", help="also write " + ", ".join(form.file for form in FORMATS.values() if form.file)
)
@click.option("--format", "form", type=click.Choice(["text", *FORMATS]), default="text", help="what to print")
@click.option("--confirm", is_flag=True, help="play each finding against the real servers that should show it")
@click.option("--init", is_flag=True, help="write a first statelab.toml with comments, and end")
@click.option("--json", "form", flag_value="json", help="the same as --format json")
def command(**options: Any) -> None:
    """Serve the app in every world that some server has, and compare with the app served alone."""
    sys.exit(run(**options))


def run(
    *,
    app: str | None,
    stories: tuple[str, ...],
    suite: str | None = None,
    app_dir: str,
    python: str,
    out: str | None,
    form: str,
    confirm: bool = False,
    init: bool,
) -> int:
    """Audits and prints; the exit code: 0 nothing found, 1 findings, 3 nothing exercised. Raises BadInput."""
    folder = folder_of(app_dir)
    if init:
        print(f"wrote {begin(folder, app)}")
        return 0
    config = load(folder)
    app = app or config.app
    if suite is not None and (stories or app not in (None, config.app)):
        raise BadInput("--pytest runs the app's own tests, which make their app: leave out MODULE:APP and --requests")
    if suite is not None and confirm:
        raise BadInput("--confirm plays stories, which --pytest does not have: name the app and give --requests")
    if app is None and suite is None:
        raise BadInput("name the app as `statelab audit module:app`, or write a first statelab.toml with --init")
    named = () if suite is not None else stories or config.stories
    files = [story_of(Path(name)) for name in named]
    with _progress(Console(stderr=True)) as progress:
        asked = Asked(
            app=App(
                name=app or "the tests",
                folder=folder,
                python=python,
                allowed=config.allow,
                limit_s=config.bounds.limit_s,
                reset=config.reset,
                stores=config.stores,
            ),
            stories=[story for story, _ in files],
            notes=tuple(note for _, told in files for note in told),
            deployments=load_all(DEPLOYMENTS, RECYCLING),
            accept=frozenset(config.accept),
            ignore=tuple(config.ignore),
            most_steps=config.bounds.most_steps,
            jobs=config.bounds.jobs or max(2, os.cpu_count() or 1),
            confirm=confirm,
            progress=progress,
        )
        found = perform(asked) if suite is None else judged_by_suite(asked, shlex.split(suite))
    if out is not None:
        write(found, Path(out))
    if form == "text":
        show(Console(), found)
    else:
        print(FORMATS[form].render(found), end="")
    return found.exit_code


@contextmanager
def _progress(errors: Console) -> Iterator[Callable[[str], None]]:
    """Shows how far it is: always on a terminal, every few seconds elsewhere."""
    if errors.is_terminal:
        with errors.status("importing the app") as status:
            yield status.update
        return
    told = time.monotonic()

    def tell(text: str) -> None:
        nonlocal told
        if time.monotonic() - told > EVERY_S:
            told = time.monotonic()
            errors.print(text, highlight=False, markup=False, soft_wrap=True)

    yield tell

"""`statelab audit module:app`: finds state that your own app keeps in the wrong place."""

import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from statelab.audit.config import begin, load
from statelab.audit.formats import FORMATS, write
from statelab.audit.processes import App
from statelab.audit.run import JOBS, Asked, every_deployment, folder_of, on_one_host, perform, story_of
from statelab.audit.suite import perform as judged_by_suite
from statelab.audit.text import show
from statelab.core.errors import BadInput, require_known

EVERY_S = 15.0
"""Seconds between two progress lines where there is no terminal."""


@click.command("audit")
@click.argument("app", metavar="MODULE:APP", required=False)
@click.option(
    "--requests",
    "stories",
    multiple=True,
    metavar="FILE",
    help="a story: an .http or HAR file, or a recording of the lab",
)
@click.option(
    "--pytest",
    "suite",
    is_flag=False,
    flag_value="",
    metavar="[ARGS]",
    help="judge by the app's own tests, their requests spread over processes (write it last, or with ARGS quoted)",
)
@click.option("--app-dir", default=".", metavar="FOLDER", help="where the app is (default: here)")
@click.option(
    "--config", metavar="FILE", help="settings (default: statelab.toml, or [tool.statelab.audit] of pyproject.toml)"
)
@click.option("--python", metavar="PROGRAM", help="the app's own interpreter (default: the active environment's)")
@click.option(
    "--interruptions",
    type=click.IntRange(1, 3),
    metavar="N",
    help="how often two requests interrupt each other in one world, 1 to 3 (default 1; each takes many more worlds)",
)
@click.option(
    "--deployment",
    "deployments",
    multiple=True,
    metavar="NAMES",
    help="ask only about these deployments, as `statelab list` names them (default: all on one host)",
)
@click.option(
    "--out", metavar="FOLDER", help="also write " + ", ".join(form.file for form in FORMATS.values() if form.file)
)
@click.option("--format", "form", type=click.Choice(["text", *FORMATS]), default="text", help="what to print")
@click.option(
    "--confirm",
    is_flag=False,
    flag_value="",
    metavar="[NAMES]",
    help="play each finding against the real servers that should show it (--confirm=NAMES: only under these)",
)
@click.option("--init", is_flag=True, help="write a first statelab.toml with comments, and end")
@click.option("--json", "form", flag_value="json", help="the same as --format json")
def command(**options: Any) -> None:
    """Serve the app in every world that some server has, and compare with the app served alone."""
    sys.exit(run(**options))


def run(
    *,
    app: str | None = None,
    stories: tuple[str, ...] = (),
    suite: str | None = None,
    app_dir: str = ".",
    config: str | None = None,
    python: str | None = None,
    interruptions: int | None = None,
    deployments: tuple[str, ...] = (),
    out: str | None = None,
    form: str = "text",
    confirm: str | None = None,
    init: bool = False,
) -> int:
    """Audits and prints. Returns the exit code: 0 nothing found, 1 findings, 3 nothing exercised. Raises BadInput."""
    folder = folder_of(app_dir)
    if init:
        print(f"wrote {begin(folder, app)}")
        return 0
    settings = load(folder, None if config is None else Path(config))
    app = app or settings.app
    if suite is not None and (stories or (app not in (None, settings.app) and confirm is None)):
        raise BadInput("--pytest runs the app's own tests, which make their app: leave out MODULE:APP and --requests")
    if suite is not None and confirm is not None and app is None:
        raise BadInput("--pytest with --confirm serves an app as well: name it as `statelab audit module:app`")
    if app is None and suite is None:
        raise BadInput("name the app as `statelab audit module:app`, or write a first statelab.toml with --init")
    if suite is not None and interruptions is not None:
        raise BadInput("--interruptions is for stories: what --pytest runs is never interrupted")
    named = () if suite is not None else stories or settings.stories
    python = python or active_python()
    known = every_deployment()
    wanted = [name for names in deployments for name in names.split(",")]
    under = (confirm or "").split(",") if confirm else []
    require_known("deployment", [*wanted, *under], list(known))
    files = [story_of(Path(name), folder) for name in named]
    with _progress(Console(stderr=True)) as progress:
        asked = Asked(
            app=App(
                name=app or "the tests",
                folder=folder,
                python=str(Path(python).absolute()) if os.sep in python else python,
                allowed=settings.allow,
                packages=settings.packages,
                limit_s=settings.bounds.limit_s,
                reset=settings.reset,
                stores=settings.stores,
            ),
            stories=[story for story, _ in files],
            notes=tuple(note for _, told in files for note in told),
            deployments={name: known[name] for name in wanted or on_one_host(known)},
            accept=frozenset(settings.accept),
            ignore=tuple(settings.ignore),
            most_steps=settings.bounds.most_steps,
            interruptions=interruptions or settings.bounds.interruptions,
            jobs=settings.bounds.jobs or JOBS,
            confirm=None if confirm is None else frozenset(under or known),
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


def active_python() -> str:
    """The interpreter of the active environment; without one, the interpreter that runs this."""
    active = Path(os.environ.get("VIRTUAL_ENV", "")) / "bin" / "python"
    return str(active) if os.environ.get("VIRTUAL_ENV") and active.exists() else sys.executable


@contextmanager
def _progress(errors: Console) -> Iterator[Callable[[str], None]]:
    """Shows the progress: continuously on a terminal, every few seconds elsewhere."""
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

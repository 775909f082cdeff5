"""Options that several commands share."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from statelab.core.errors import BadInput
from statelab.deploy import pythons
from statelab.plan.app import App

Decorated = Callable[..., Any]


def several(context: click.Context, parameter: click.Parameter, value: str | None) -> list[str]:
    """The names in a text such as `a,b c`. An empty text has none: Make passes it for a variable that is not set."""
    return (value or "").replace(",", " ").split()


def selection(command: Decorated) -> Decorated:
    """The options that pick cells."""
    for name in ("workload", "mechanism", "deployment", "window"):
        text = f"only these {name}s, by comma (default: what the profile says)"
        text += "; one from outside by its file, as in ./my_store.py" if name == "mechanism" else ""
        command = click.option(f"--{name}", callback=several, metavar="NAMES", help=text)(command)
    return command


def engine(command: Decorated) -> Decorated:
    text = "compose, local, remote (for `run`: what runs already), or auto: Compose where Docker answers"
    return click.option("--engine", default="auto", show_default=True, help=text)(command)


def with_files(app: App, wanted: list[str], workloads: list[str]) -> tuple[App, list[str]]:
    """The app with the mechanisms that are given as files, and the names of all wanted mechanisms; raises BadInput."""
    names, files = [], []
    for name in wanted:
        if not (name.endswith(".py") or "/" in name):
            names.append(name)
            continue
        path = Path(name).resolve()
        if not path.is_file() or path.suffix != ".py":
            raise BadInput(f"--mechanism {name}: there is no such Python file; names of the lab's own have no `/`")
        if len(workloads) != 1:
            raise BadInput(f"--mechanism {name}: name the one workload whose state it keeps, as in --workload counter")
        if app.name:
            raise BadInput(f"--mechanism {name}: a file goes with the lab's own app, not with --app {app.name}")
        files.append((workloads[0], path))
        names.append(path.stem.replace("_", "-"))
    return replace(app, mechanisms=tuple(dict.fromkeys(files))), names


def app(command: Decorated) -> Decorated:
    """The options that replace the lab's own app by another one; `app_of` makes an App of their values."""
    folder = click.Path(exists=True, file_okay=False, path_type=Path, resolve_path=True)
    file = click.Path(exists=True, dir_okay=False, path_type=Path, resolve_path=True)
    for option in (
        click.option("--app", "app_name", metavar="MODULE:APP", help="another WSGI app (local engine)"),
        click.option("--app-dir", type=folder, help="where that app is (default: here)"),
        click.option("--python", "interpreter", help="what serves the app: a program, or for the lab's own a version"),
        click.option("--gunicorn-config", type=file, help="that app's gunicorn.conf.py: its hooks run"),
    ):
        command = option(command)
    return command


def app_of(
    app_name: str | None, app_dir: Path | None, interpreter: str | None, gunicorn_config: Path | None = None
) -> App:
    """Raises BadInput for an interpreter that cannot serve the lab's own app."""
    own = app_name is None and app_dir is None
    python = pythons.named(interpreter) if own and interpreter else None
    given = {
        "name": app_name,
        "folder": app_dir or (Path.cwd() if app_name else None),
        "interpreter": (python and python.own and python.program) if own else interpreter,
        "python": python,
        "gunicorn_config": gunicorn_config,
    }
    return App(**{name: value for name, value in given.items() if value})  # type: ignore[arg-type]

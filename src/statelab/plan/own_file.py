"""The user's file with facts about an app that no tool can know: `statelab.toml` in the app's folder, or the table
`[tool.statelab]` of its pyproject.toml. Each part of the lab reads one table of it."""

import tomllib
from pathlib import Path
from typing import Any

import msgspec

from statelab.core.errors import BadInput, require_known

NAME = "statelab.toml"
TABLES = {"audit": "the audit", "promise": "the promises", "remote": "the engine remote"}
"""The tables that the file may have, and what each configures."""


def table(folder: Path, name: str, file: Path | None = None) -> tuple[Path, dict[str, Any]] | None:
    """One table and its file; None if there is no such table. With `file`, only that file is read. Raises BadInput for
    a file that cannot be read, for an unknown table, and if both files have the table."""
    if file is not None and not file.is_file():
        raise BadInput(f"{file}: there is no such file")
    own, project = folder / NAME, folder / "pyproject.toml"
    tables = {path: _tables(path) for path in ((own, project) if file is None else (file,))}
    for path, found in tables.items():
        try:
            require_known("table", list(found), list(TABLES))
        except BadInput as error:
            raise BadInput(f"{path}: {error}") from None
    having = [path for path in tables if name in tables[path]]
    if len(having) > 1:
        raise BadInput(f"{own} and {project} both configure {TABLES[name]}: keep one of the two tables")
    return (having[0], tables[having[0]][name]) if having else None


def _tables(path: Path) -> dict[str, Any]:
    """The lab's tables in a file; empty if there is no such file."""
    try:
        found = tomllib.loads(path.read_text()) if path.exists() else {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInput(f"{path}: {error}") from None
    return found.get("tool", {}).get("statelab", {}) if path.name == "pyproject.toml" else found


def misfit(error: msgspec.ValidationError) -> tuple[str, str]:
    """What is wrong with a table, and the key in it, for example `.limits.users`; the key is empty if the whole table
    is wrong."""
    what, _, key = str(error).partition(" - at ")
    return what, key.strip("`").removeprefix("$")

"""The formats in which an audit is written: each is a file beside this one and an entry of FORMATS.

In: a finished `Audit`. Out: its text. `--out FOLDER` writes every format that has a file name, `--format NAME` prints
one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from statelab.audit.finding import Audit
from statelab.audit.formats import github, json_object, junit, page, sarif


@dataclass(frozen=True, slots=True)
class Format:
    """A format. `file` is its file name in the folder of `--out`; empty if the format is only printed."""

    file: str
    render: Callable[[Audit], str]


FORMATS = {
    "html": Format("index.html", page.render),
    "json": Format("audit.json", json_object.render),
    "sarif": Format("audit.sarif", sarif.render),
    "junit": Format("audit.xml", junit.render),
    "github": Format("", github.render),
    "story": Format("story.http", lambda audit: audit.discovered),
}


def write(audit: Audit, folder: Path) -> list[Path]:
    """Writes every file into the folder, which is made if missing, and returns the paths. Writes a story only if one
    was discovered."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, form in FORMATS.items():
        if form.file and (name != "story" or audit.discovered):
            (folder / form.file).write_text(form.render(audit), encoding="utf-8")
            written.append(folder / form.file)
    return written

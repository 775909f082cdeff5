"""The commands of docs/ with their output, in ```console blocks: tests run them, `tests/shown.py` renews them.

In a block `$ statelab ...` is a command, and its output follows. A line `...` stands for any lines that are left out.
A block of another language under a line such as `history.jsonl`: is a file that the commands find in their folder.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from click.testing import CliRunner

from program import COMMAND, REPORTS
from statelab.cli.main import cli
from statelab.core.paths import ROOT

CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
GIVEN = re.compile(r"^`([\w.]+)`:\n\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PAGES = sorted(page for page in ROOT.glob("docs/*.md") if CONSOLE.search(page.read_text()))
LEFT_OUT = "..."

DIFFERS = (
    (r"\b(pid|thread) \d+", r"\1 N"),
    (r"pid N, thread N|pid N( and pid N)+", "pid N"),  # the two of P may have met one server or two
    (r"[\d,]*\d\.\d+( to [\d,]*\d\.\d+)? ms", "N ms"),
    (r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d", "DATE"),
    (r"^ *[\d,]*\d\.\d ", " N "),
    (r"[├┤─●═│]+", "─"),
    (r" +", " "),
    (r"─( ─)+", "─"),
)
"""What no two runs have in common: who served, when, and how long a stroke of the picture is."""
COPIES = (
    (r"\d+ requests? here, told [\d, .and]+", "requests here, told N"),
    (r"^([WR])\d* .*(increment|read) → \d+", r"\1 \2 → N"),
    (r"^A (read|and B were) .* each (process|thread) .*", "proof of copies"),  # by two reads or by two increments
)
"""Where each worker has its own copy, who is asked how often is the system's choice."""


def blocks(text: str) -> list[tuple[str, str]]:
    """The commands of a page and what they are shown to print."""
    parts = [part for block in CONSOLE.findall(text) for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]
    return [(command, shown) for command, _, shown in (part.partition("\n") for part in parts)]


def run(command: str, folder: Path) -> str:
    """What the command prints in that folder, errors as well; reports go to the folder `reports` in it."""
    program, *arguments = command.split()
    assert program == "statelab", command
    if arguments[-1:] == ["--help"]:
        return CliRunner().invoke(cli, arguments, prog_name=program).output
    environment = {**os.environ, REPORTS: str(folder / "reports"), "COLUMNS": "120"}
    done = subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
        check=False,
    )
    lines = done.stdout.replace(f"{folder}/", "").splitlines()
    return "".join(f"{line.rstrip()}\n" for line in lines).strip("\n") + "\n"


def prepare(text: str, folder: Path) -> None:
    """Writes the files that the page gives."""
    for name, content in GIVEN.findall(text):
        (folder / name).write_text(content)


def alike(shown: str, printed: str) -> bool:
    """Whether the page shows what was printed, but for what no two runs have in common."""
    parts = re.split(r"^\.\.\.$", _compared(shown), flags=re.MULTILINE)
    return re.fullmatch(".*".join(map(re.escape, parts)), _compared(printed), re.DOTALL) is not None


def _compared(text: str) -> str:
    rules = (*DIFFERS, *COPIES) if "several copies" in text else DIFFERS
    lines: list[str] = []
    for line in text.splitlines():
        for pattern, instead in rules:
            line = re.sub(pattern, instead, line)
        if line.strip() not in lines[-1:]:
            lines.append(line.strip())
    return "\n".join(lines) + "\n"


def main(names: list[str]) -> None:
    """Writes every output anew that is no longer alike; those with lines left out are printed only."""
    for page in PAGES:
        if names and page.name not in names:
            continue
        text = page.read_text()
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            prepare(text, folder)
            for command, shown in blocks(text):
                printed = run(command, folder)
                if alike(shown, printed):
                    continue
                print(f"{page.name}: $ {command}" + (f"\n{printed}" if LEFT_OUT in shown.splitlines() else ""))
                if LEFT_OUT not in shown.splitlines():
                    text = text.replace(f"$ {command}\n{shown}", f"$ {command}\n{printed}")
        page.write_text(text)


if __name__ == "__main__":
    main(sys.argv[1:])

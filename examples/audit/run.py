"""Audits each subject in an environment of its own and writes docs/audit-examples.md.

    python examples/audit/run.py [--linters | --check] [SUBJECT ...]

Each folder beside this file is a subject: packages (`requirements.txt`), `statelab.toml` with app and stories, and
`expected.toml`, which was written from the thread before the audit was run. An app that is part of a package's source
distribution (`sdist`) may be audited with its own tests (`suite`). Without subjects all are run. The page
gets their rows; those of other subjects stay. `--linters` runs the linters only, for rows that are there; `--check`
runs none, confirms nothing and writes no page. The exit code is 1 where a subject is not as expected.
"""

import importlib.metadata
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PAGE = ROOT / "docs" / "audit-examples.md"
LINTERS = HERE / "linters"
ENVIRONMENTS = ROOT / ".state" / "audit-examples"
UV = [str(Path(sys.executable).parent / "uv"), "--quiet"]
LIMIT_S = 300.0
CONFIRM = "sync-4"
"""The deployment whose real servers findings are played against: all that is expected shows between processes."""
FILES = "import importlib.metadata as m; print(*{f.parts[0] for f in m.files(%r) if f.suffix == '.py'}, sep='\\n')"

HEAD = """\
# Apps from PyPI, audited

Written by `make audit-examples`. Each subject of `examples/audit/` is installed into an environment of its own and
audited with its story; *expected* was written from the thread before the audit was run. *As expected*: a finding of
that kind, with that request last and that place, and for a control no finding at all. An audit is stopped after
{limit:.0f} s and tells what it has found by then.

`ruff`, `pylint` and `semgrep` are how often the rule that comes nearest fires in the app and in its package: PLW0603
and W0603, both against the word `global`, and one of our own, `examples/audit/linters/semgrep.yml`: a function that
changes a container of its module or its own default argument. Semgrep fetches its rules from a registry of its own;
this page needs nothing but PyPI, and a rule from there would be about default arguments only.

*Real server*: how often of how many rounds the finding that was expected showed on gunicorn's own processes
(`--confirm={confirm}`).

A subject that is run alone gets a new row, and the others stay as they are.

| subject | thread | expected | found | as expected | deployments | real server | worlds | time | {linters} |
| --- | --- | --- | --- | --- | ---: | --- | ---: | ---: | ---: | ---: | ---: |
"""
COLUMNS = 12


class NotAudited(Exception):
    """The audit of a subject ended without a report."""


@dataclass(frozen=True)
class Done:
    """The cells of a row of the page, and whether it is as expected."""

    cells: list[str]
    as_expected: bool


def environment(subject: Path) -> Path:
    """The subject's interpreter, with its packages and the server of the lab."""
    folder = ENVIRONMENTS / subject.name
    pinned = (subject / "requirements.txt").read_text() + f"gunicorn=={importlib.metadata.version('gunicorn')}\n"
    stamp = folder / "installed.txt"
    python = folder / "bin" / "python"
    if not stamp.exists() or stamp.read_text() != pinned:
        subprocess.run([*UV, "venv", "--clear", "--python", sys.executable, str(folder)], check=True)
        folder.joinpath("wanted.txt").write_text(pinned)
        install = [*UV, "pip", "install", "--system-certs", "--python", str(python)]
        subprocess.run([*install, "-r", str(folder / "wanted.txt")], check=True)
        stamp.write_text(pinned)
    return python


def of_sdist(python: Path, path: str) -> Path:
    """A folder in a package's source distribution (`flask-3.1.3/examples/tutorial`), which pip downloads."""
    root, (name, _, version) = python.parent.parent / "sdist", path.partition("/")[0].rpartition("-")
    if not (root / path).exists():
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*pip, "--no-binary", ":all:", "--dest", str(root), f"{name}=={version}"], check=True)
        shutil.unpack_archive(next(root.glob("*.tar.gz")), root, filter="data")
    return root / path


def audit(folder: Path, python: Path, suite: str | None, *, confirm: bool) -> dict[str, Any]:
    """What `statelab audit --json` prints; stopped after a while."""
    statelab = str(Path(sys.executable).parent / "statelab")
    command = [statelab, "audit", "--app-dir", str(folder), "--python", str(python)]
    command += [] if suite is None else [f"--pytest={suite}"]
    command += [f"--confirm={CONFIRM}"] if confirm and suite is None else []
    audit = subprocess.Popen([*command, "--json"], stdout=subprocess.PIPE, text=True)
    try:
        printed, _ = audit.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        audit.send_signal(signal.SIGINT)
        printed, _ = audit.communicate()
    if not printed:
        raise NotAudited(f"the audit ended with {audit.returncode} and printed nothing")
    found: dict[str, Any] = json.loads(printed)
    return found


def linted(folder: Path, python: Path, package: str) -> list[str]:
    """How often ruff's PLW0603, pylint's W0603 and our rule for semgrep fire in the app and its package."""
    named = subprocess.run([str(python), "-c", FILES % package], check=True, capture_output=True, text=True).stdout
    packages = next((python.parent.parent / "lib").glob("python*/site-packages"))
    places = [str(folder), *(str(packages / name) for name in named.split() if (packages / name).exists())]
    with_ruff = [str(Path(sys.executable).parent / "ruff"), "check", "--isolated", "--select", "PLW0603"]
    with_ruff += ["--no-respect-gitignore", "--output-format", "json"]
    with_pylint = [str(environment(LINTERS).parent / "pylint"), "--rcfile=", "--disable=all", "--enable=W0603"]
    with_pylint += ["--recursive=y", "--output-format=json"]
    with_semgrep = [str(environment(LINTERS).parent / "semgrep"), "scan", "--config", str(LINTERS / "semgrep.yml")]
    with_semgrep += ["--metrics=off", "--disable-version-check", "--no-git-ignore", "--jobs=1", "--json"]
    ruff, pylint, semgrep = [
        json.loads(subprocess.run([*command, *places], check=False, capture_output=True, text=True).stdout)
        for command in (with_ruff, with_pylint, with_semgrep)
    ]
    return [str(len(found)) for found in (ruff, pylint, semgrep["results"])]


def fits(finding: dict[str, Any], wanted: dict[str, str]) -> bool:
    places = [change["place"] for change in finding["places"]]
    return (
        finding["anomaly"] == wanted["anomaly"]
        and wanted["last"] in (finding["requests"][-1], finding["requests"][-1].partition("?")[0], _rule(finding))
        and (not wanted["place"] or any(wanted["place"] in place for place in places))
    )


def _rule(finding: dict[str, Any]) -> str:
    """Method and rule of the last request."""
    return str(finding["key"]).split(": ")[1].rpartition(", ")[2]


def run(subject: Path, *, check: bool) -> Done:
    """`check`: only whether the audit finds what it should."""
    expected = tomllib.loads((subject / "expected.toml").read_text())
    python = environment(subject)
    version = subprocess.run(
        [str(python), "-c", f"import importlib.metadata as m; print(m.version({expected['package']!r}))"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    began = time.monotonic()
    folder = of_sdist(python, expected["sdist"]) if "sdist" in expected else subject
    found = audit(folder, python, expected.get("suite"), confirm=not check)
    took = time.monotonic() - began
    findings = found["findings"]
    wanted = expected["finds"]
    as_expected = all(any(fits(one, want) for one in findings) for want in wanted) and bool(findings) == bool(wanted)
    stopped = any(note.startswith("stopped") for note in found["notes"])
    deployments = {name for finding in findings for name in finding["deployments"]}
    thread = expected["thread"]
    cells = [
        f"{expected['package']} {version}",
        f"[{'/'.join(thread.rstrip('/').split('/')[-4:])}]({thread})"
        if "github.com" in thread
        else thread or "control",
        expected["expected"],
        "<br>".join(map(_told, findings)) or "nothing",
        ("yes, in what was tried" if stopped and not wanted else "yes") if as_expected else "**no**",
        f"{len(deployments)} of {len(found['deployments'])}",
        "<br>".join(one["confirmed"] for want in wanted for one in findings if fits(one, want)) or "-",
        str(found["coverage"]["worlds"]),
        f"{took:.0f} s{', stopped' if stopped else ''}",
        *([] if check else linted(folder, python, expected["package"])),
    ]
    return Done(cells, as_expected)


def _told(finding: dict[str, Any]) -> str:
    place = f", `{finding['places'][0]['place']}`" if finding["places"] else ""
    at = f", {finding['source'][0]['file']}:{finding['source'][0]['line']}" if finding["source"] else ""
    root = str(ENVIRONMENTS)
    line = at if root not in at else ", " + "/".join(at.split("site-packages/")[1:])
    return f"{finding['anomaly']}: {str(finding['key']).split(': ')[1]}{place}{line}".replace("|", "\\|")


def linted_again(subject: Path, cells: list[str]) -> Done:
    """The row that is there, with what the linters say now."""
    expected = tomllib.loads((subject / "expected.toml").read_text())
    python = environment(subject)
    folder = of_sdist(python, expected["sdist"]) if "sdist" in expected else subject
    return Done([*cells[: COLUMNS - 3], *linted(folder, python, expected["package"])], True)


def main() -> int:
    check = "--check" in sys.argv
    names = [name for name in sys.argv[1:] if not name.startswith("--")]
    subjects = [HERE / name for name in names] or sorted(path.parent for path in HERE.glob("*/expected.toml"))
    rows = {
        line.split(" ")[1]: (line.removeprefix("| ").removesuffix(" |").split(" | ") + ["not run"] * 3)[:COLUMNS]
        for line in PAGE.read_text().splitlines()
        if line.startswith("| ") and not line.startswith(("| ---", "| subject"))
    }

    def done_with(subject: Path) -> Done | None:
        package = tomllib.loads((subject / "expected.toml").read_text())["package"]
        print(f"auditing {subject.name}", file=sys.stderr)
        try:
            if "--linters" not in sys.argv:
                return run(subject, check=check)
            return linted_again(subject, rows[package]) if package in rows else None
        except (NotAudited, subprocess.CalledProcessError) as error:
            return Done([f"{package} ?", "", "", str(error), "**no**", *[""] * (COLUMNS - 5)], False)

    as_expected = True
    pool = ThreadPoolExecutor(2 if check else 1)  # a time on the page is that of an audit that is alone
    for subject, done in zip(subjects, pool.map(done_with, subjects), strict=True):
        if done is None:
            continue
        package = tomllib.loads((subject / "expected.toml").read_text())["package"]
        rows[package] = done.cells
        as_expected &= done.as_expected
        print("| " + " | ".join(done.cells) + " |", flush=True)
        if check:
            continue
        table = "".join("| " + " | ".join(rows[name]) + " |\n" for name in sorted(rows, key=str.casefold))
        PAGE.write_text(HEAD.format(limit=LIMIT_S, confirm=CONFIRM, linters="ruff | pylint | semgrep") + table)
    return 0 if as_expected else 1


if __name__ == "__main__":
    os.environ.pop("PYTHONPATH", None)
    sys.exit(main())

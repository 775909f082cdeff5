"""Audits each subject in an environment of its own and writes docs/audit-examples.md.

    python examples/audit/run.py [SUBJECT ...]

Each folder beside this file is a subject: packages (`requirements.txt`), `statelab.toml` with app and stories, and
`expected.toml`, which was written from the thread before the audit was run. Without subjects all are run and the page
is written; with subjects their rows are printed. The exit code is 1 where a subject is not as expected.
"""

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
ENVIRONMENTS = ROOT / ".state" / "audit-examples"
LIMIT_S = 240.0
FILES = "import importlib.metadata as m; print(*{f.parts[0] for f in m.files(%r) if f.suffix == '.py'}, sep='\\n')"

HEAD = """\
# Apps from PyPI, audited

Written by `make audit-examples`. Each subject of `examples/audit/` is installed into an environment of its own and
audited with its story; *expected* was written from the thread before the audit was run. *As expected*: a finding of
that kind, with that request last and that place, and for a control no finding at all. `PLW0603` is how often ruff's
rule against `global` fires in the app and in the package. An audit is stopped after {limit:.0f} s and tells what it
has found by then.

| subject | thread | expected | found | as expected | deployments | worlds | time | PLW0603 |
| --- | --- | --- | --- | --- | ---: | ---: | ---: | ---: |
"""


class NotAudited(Exception):
    """The audit of a subject ended without a report."""


@dataclass(frozen=True)
class Done:
    """A row of the page, and whether it is as expected."""

    row: str
    as_expected: bool


def environment(subject: Path) -> Path:
    """The subject's interpreter, with its packages."""
    folder = ENVIRONMENTS / subject.name
    pinned = (subject / "requirements.txt").read_text()
    stamp = folder / "installed.txt"
    python = folder / "bin" / "python"
    if not stamp.exists() or stamp.read_text() != pinned:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "-r", str(subject / "requirements.txt")], check=True)
        stamp.write_text(pinned)
    return python


def audit(subject: Path, python: Path) -> dict[str, Any]:
    """What `statelab audit --json` prints; stopped after a while."""
    statelab = str(Path(sys.executable).parent / "statelab")
    command = [statelab, "audit", "--app-dir", str(subject), "--python", str(python)]
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


def globals_named(subject: Path, python: Path, package: str) -> int:
    """How often ruff's PLW0603 fires in the subject and its package."""
    named = subprocess.run([str(python), "-c", FILES % package], check=True, capture_output=True, text=True).stdout
    packages = next((python.parent.parent / "lib").glob("python*/site-packages"))
    places = [str(subject), *(str(packages / name) for name in named.split() if (packages / name).exists())]
    ruff = [
        str(Path(sys.executable).parent / "ruff"),
        "check",
        "--isolated",
        "--select",
        "PLW0603",
        "--no-respect-gitignore",
    ]
    done = subprocess.run([*ruff, "--output-format", "json", *places], check=False, capture_output=True, text=True)
    return len(json.loads(done.stdout))


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


def run(subject: Path) -> Done:
    expected = tomllib.loads((subject / "expected.toml").read_text())
    python = environment(subject)
    version = subprocess.run(
        [str(python), "-c", f"import importlib.metadata as m; print(m.version({expected['package']!r}))"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    began = time.monotonic()
    found = audit(subject, python)
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
        str(found["coverage"]["worlds"]),
        f"{took:.0f} s{', stopped' if stopped else ''}",
        str(globals_named(subject, python, expected["package"])),
    ]
    return Done("| " + " | ".join(cells) + " |", as_expected)


def _told(finding: dict[str, Any]) -> str:
    place = f", `{finding['places'][0]['place']}`" if finding["places"] else ""
    at = f", {finding['source'][0]['file']}:{finding['source'][0]['line']}" if finding["source"] else ""
    root = str(ENVIRONMENTS)
    line = at if root not in at else ", " + "/".join(at.split("site-packages/")[1:])
    return f"{finding['anomaly']}: {str(finding['key']).split(': ')[1]}{place}{line}".replace("|", "\\|")


def main() -> int:
    subjects = [HERE / name for name in sys.argv[1:]] or sorted(path.parent for path in HERE.glob("*/expected.toml"))
    done = []
    for subject in subjects:
        print(f"auditing {subject.name}", file=sys.stderr)
        try:
            done.append(run(subject))
        except (NotAudited, subprocess.CalledProcessError) as error:
            done.append(Done(f"| {subject.name} | | | {error} | **no** | | | | |", False))
        print(done[-1].row, flush=True)
    if not sys.argv[1:]:
        page = HEAD.format(limit=LIMIT_S) + "\n".join(one.row for one in done) + "\n"
        (ROOT / "docs" / "audit-examples.md").write_text(page)
    return 0 if all(one.as_expected for one in done) else 1


if __name__ == "__main__":
    os.environ.pop("PYTHONPATH", None)
    sys.exit(main())

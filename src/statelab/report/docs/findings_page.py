"""Writes docs/findings.md: what the lab has found in other people's libraries.

Each finding is one script in examples/findings: the page is made from its docstring, and running it shows the defect.
The last part of the page, on names that are given again, is the Markdown file beside the scripts.
"""

import ast
import platform
import re
from dataclasses import dataclass
from pathlib import Path

from statelab.core.errors import BadInput
from statelab.core.paths import ROOT
from statelab.report.formats.markdown import escaped, table

FOLDER = ROOT / "examples" / "findings"
LOOKED_AT = FOLDER / "given-again.md"
PAGE = ROOT / "docs" / "findings.md"

SECTIONS = ("Library", "Store", "Expected", "Actual", "Why", "Fix")
FIX = "fix"
"""The function of a script that mends the library in memory, called if the script is started with `--fixed`."""

INTRODUCTION = """\
# What the lab has found in other people's libraries

For anyone who uses or maintains one of these libraries, and for anyone who doubts that the lab finds anything.

Written by `make docs` from the scripts in `examples/findings/`; a test fails if they differ. Each script needs only
the library, and its store if it has one, and shows the defect every time, without load: a hook lets the other call in
at the right moment. It prints what the library's documentation, or the name of the call, leads one to expect, and what
happened, and exits 1 if the two differ. With `--fixed` it first mends the library in memory, by the function `fix` that
is printed below, and exits 0. `tests/findings/test_findings.py` runs both for each, with the versions named here.

What is documented as a limit is not listed (pymemcache's `add()` answers True twice, since it does not wait for a reply
by default: its docstring says so).

"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One script: its name, the first line of its docstring, the sections by name, and the source of its `fix`."""

    name: str
    title: str
    sections: dict[str, str]
    fix: str

    @property
    def versions(self) -> dict[str, str]:
        """The version of each distribution in which it was found."""
        return dict(re.findall(r"([\w-]+) (\d[\w.]*)", self.sections["Library"]))


def read(path: Path) -> Finding:
    """Raises BadInput if the docstring lacks a section or the script has no function `fix`."""
    source = path.read_text()
    tree = ast.parse(source)
    title, _, rest = (ast.get_docstring(tree) or "").partition("\n")
    parts = re.split(rf"^({'|'.join(SECTIONS)}): ", rest, flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], (part.strip() for part in parts[2::2]), strict=True))
    fixes = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == FIX]
    missing = [f"the section {name}" for name in SECTIONS if not sections.get(name)]
    missing += [] if fixes else [f"a function {FIX}()"]
    if missing or not title:
        raise BadInput(f"{path.name} lacks {', '.join(missing) or 'a title in its first line'}")
    lines = source.splitlines()[fixes[0].lineno - 1 : fixes[0].end_lineno]
    return Finding(path.stem, title, sections, fix="\n".join(lines))


def of_this_python(finding: Finding) -> bool:
    """Whether it shows under the Python that runs this. Some findings need a later Python, as the lab's images have."""
    found_in = finding.versions.get("CPython", "")
    return not found_in or found_in.split(".")[:2] == platform.python_version().split(".")[:2]


def load() -> list[Finding]:
    """All findings, by the name of their script."""
    return [read(path) for path in sorted(FOLDER.glob("*.py"))]


def _section(number: int, finding: Finding) -> str:
    said = finding.sections
    return f"""<a id="{number}"></a>

## {number}. {escaped(finding.title)}

In {said["Library"]}. Store: {said["Store"]}. Script: [{finding.name}.py](../examples/findings/{finding.name}.py)

```text
expected: {said["Expected"]}
actual: {said["Actual"]}
```

*Why.* {said["Why"]}

*Fix.* {said["Fix"]}

```python
{finding.fix}
```
"""


def render(findings: list[Finding], looked_at: str) -> str:
    """The whole page."""
    numbered = list(enumerate(findings, 1))
    lines = [[f"[{number}](#{number})", escaped(found.title), found.sections["Library"]] for number, found in numbered]
    overview = table(["#", "defect", "in"], lines)
    return "\n".join([INTRODUCTION + overview, *(_section(number, found) for number, found in numbered), looked_at])


def current() -> str:
    """The page as the scripts of this checkout have it."""
    return render(load(), LOOKED_AT.read_text())


if __name__ == "__main__":
    PAGE.write_text(current())

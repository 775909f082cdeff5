"""Writes docs/failures.md: the failures that people report, with the theory's predictions for their cells."""

import re
from collections.abc import Iterator

from statelab.core.paths import DEPLOYMENTS
from statelab.core.paths import ROOT
from statelab.core.results import ANOMALIES
from statelab.core.results import CellKey
from statelab.plan.app import App
from statelab.plan.catalogue import Catalogue
from statelab.plan.catalogue import of_app
from statelab.plan.deployments import Deployment
from statelab.plan.deployments import load_all
from statelab.report.content import states
from statelab.report.content.text import ended
from statelab.report.formats.markdown import escaped
from statelab.report.formats.markdown import table
from statelab.theory import failures
from statelab.theory.failures import Failure

PAGE = ROOT / "docs" / "failures.md"
_ISSUE = re.compile(r"([\w.-]+/[\w.-]+)#(\d+)")

INTRODUCTION = """\
# The failures people really meet

For who has a symptom in production, and looks for its cause and a fix.

Written by `make docs` from `src/statelab/theory/failures.toml`, the app's catalogue and the theory; a test fails
if they differ. Each failure was reported by users, in the threads that its section names. Most of them appeared only
after a deployment: the app was right on the developer's server and wrong on another one. So each failure is shown with
a mechanism of the lab that breaks in the same way: under a deployment that hides the failure, under one that shows it,
and there once more with the mechanism that fixes it. The marks are the theory's. `tests/theory/test_failures.py` runs
all of these cells on real servers and asserts the predictions; the command of each failure measures its cells again.

"""


def render(table_of: list[Failure], catalogue: Catalogue, deployments: dict[str, Deployment]) -> str:
    """The whole page."""
    numbered = list(enumerate(table_of, 1))
    lines = [_line(number, failure) for number, failure in numbered]
    sections = [_section(number, failure, catalogue, deployments) for number, failure in numbered]
    head = ["#", "symptom", "hidden under", "shown under", "as", "fix"]
    return "\n".join([INTRODUCTION + table(head, lines), _legend("".join(sections)), *sections])


def _line(number: int, failure: Failure) -> list[str]:
    cells = [failure.hidden, failure.shown, failure.anomaly, failure.fix]
    return [f"[{number}](#{number})", escaped(failure.symptom), *(f"`{cell}`" for cell in cells)]


def _legend(text: str) -> str:
    """What the marks in the sections mean."""
    codes = {states.code(name): f"{name}: {meaning}" for name, meaning in ANOMALIES.items()}
    used = [[code, escaped(meaning)] for code, meaning in codes.items() if re.search(rf"[✗ ]{re.escape(code)} ", text)]
    signs = [[states.HELD.symbol, "held"], [states.VIOLATED.symbol, "violated, as follows"]]
    return table(["mark", "meaning"], signs + used)


def _section(number: int, failure: Failure, catalogue: Catalogue, deployments: dict[str, Deployment]) -> str:
    return "\n".join(_parts(number, failure, catalogue, deployments))


def _parts(number: int, failure: Failure, catalogue: Catalogue, deployments: dict[str, Deployment]) -> Iterator[str]:
    yield f'<a id="{number}"></a>\n\n## {number}. {escaped(failure.symptom)}\n'
    yield ended(f"*Cause.* {escaped(failure.cause)}") + "\n"
    roles = zip(("hidden", "shown", "fixed"), failure.cells, strict=True)
    yield table(
        ["", f"`{failure.workload}`, as", "deployment", "predicted"],
        (
            [role, f"`{cell.mechanism}`", _served(cell, deployments), _mark(cell, catalogue, deployments)]
            for role, cell in roles
        ),
    )
    if failure.remark:
        yield f"{escaped(failure.remark)}\n"
    yield f"*Reported in* {', '.join(map(_link, failure.threads))}.\n"
    yield f"```sh\n{failure.command}\n```\n"


def _served(cell: CellKey, deployments: dict[str, Deployment]) -> str:
    return f"`{cell.deployment}`: {escaped(deployments[cell.deployment].description)}"


def _mark(cell: CellKey, catalogue: Catalogue, deployments: dict[str, Deployment]) -> str:
    anomalies = failures.prediction(cell, catalogue, deployments).anomalies
    return " ".join([states.VIOLATED.symbol, *map(states.code, anomalies)]) if anomalies else states.HELD.symbol


def _link(thread: str) -> str:
    found = _ISSUE.fullmatch(thread)
    return f"[{thread}](https://github.com/{found[1]}/issues/{found[2]})" if found else f"<{thread}>"


def current() -> str:
    """The page as the table, the app and the deployments of this checkout have it."""
    told = failures.load()
    named = {name for failure in told for name in (failure.hidden, failure.shown)}
    return render(told, of_app(App()), load_all(DEPLOYMENTS, named))


if __name__ == "__main__":
    PAGE.write_text(current())

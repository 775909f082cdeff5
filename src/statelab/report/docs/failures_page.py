"""Writes docs/failures.md: the failures that people report, with the theory's predictions for their cells."""

import re
from collections.abc import Iterator

from statelab.core.paths import DEPLOYMENTS, ROOT
from statelab.plan.app import App
from statelab.plan.catalogue import Catalogue, of_app
from statelab.plan.deployments import Deployment, load_all
from statelab.report.content import states
from statelab.report.content.text import ended
from statelab.report.formats.markdown import anomalies_in, escaped, table, violated_mark
from statelab.theory import failures
from statelab.theory.failures import Failure

PAGE = ROOT / "docs" / "failures.md"
_ISSUE = re.compile(r"([\w.-]+/[\w.-]+)#(\d+)")

INTRODUCTION = """\
# The failures people really meet

For anyone who has a symptom in production, and looks for its cause and a fix.

Written by `make docs` from `src/statelab/theory/failures.toml`, the app's catalogue and the theory; a test fails
if they differ. Each failure was reported by users, in the threads that its section names. Most of them appeared only
after a deployment: the app was right on the developer's server and wrong on another one. So each failure is shown with
a mechanism of the lab that breaks in the same way: under a deployment that hides the failure, under one that shows it,
and there once more with the mechanism that fixes it. The marks are the theory's. `tests/theory/test_failures.py` runs
all of these cells on real servers and asserts the predictions; the command of each failure measures its cells again.

"""


def render(table_of: list[Failure], catalogue: Catalogue, deployments: dict[str, Deployment]) -> str:
    """The whole page."""
    lines, sections = list[list[str]](), list[str]()
    for number, failure in enumerate(table_of, 1):
        cells = [failure.hidden, failure.shown, failure.anomaly, failure.fix]
        lines.append([f"[{number}](#{number})", escaped(failure.symptom), *(f"`{cell}`" for cell in cells)])
        sections += _section(number, failure, catalogue, deployments)
    head = ["#", "symptom", "hidden under", "shown under", "as", "fix"]
    signs = {states.HELD.symbol: "held", states.VIOLATED.symbol: "violated, as follows"}
    used = signs | anomalies_in("".join(sections))
    legend = table(["mark", "meaning"], [[mark, escaped(meaning)] for mark, meaning in used.items()])
    return "\n".join([INTRODUCTION + table(head, lines), legend, *sections])


def _section(number: int, failure: Failure, catalogue: Catalogue, deployments: dict[str, Deployment]) -> Iterator[str]:
    yield f'<a id="{number}"></a>\n\n## {number}. {escaped(failure.symptom)}\n'
    yield ended(f"*Cause.* {escaped(failure.cause)}") + "\n"
    lines = []
    for role, cell in zip(("hidden", "shown", "fixed"), failure.cells, strict=True):
        served = f"`{cell.deployment}`: {escaped(deployments[cell.deployment].description)}"
        mark = violated_mark(failures.prediction(cell, catalogue, deployments).anomalies) or states.HELD.symbol
        lines.append([role, f"`{cell.mechanism}`", served, mark])
    yield table(["", f"`{failure.workload}`, as", "deployment", "predicted"], lines)
    if failure.remark:
        yield f"{escaped(failure.remark)}\n"
    yield f"*Reported in* {', '.join(map(_link, failure.threads))}.\n"
    yield f"```sh\n{failure.command}\n```\n"


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

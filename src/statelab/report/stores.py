"""The comparison of places as Markdown: a section of the report, and docs/stores.md.

`python -m statelab.report.stores reports/latest` writes that page anew from a run.
"""

import sys
from pathlib import Path

from statelab.paths import REPORTS
from statelab.paths import ROOT
from statelab.report import figures
from statelab.report.document import Report
from statelab.report.document import compose
from statelab.report.files import read_results
from statelab.report.markup import escaped
from statelab.report.markup import table
from statelab.report.places import Comparison
from statelab.report.places import Place
from statelab.report.places import Standing

PAGE = ROOT / "docs" / "stores.md"

INTRODUCTION = """\
# Which store for what

Written by `make stores` from a run of the lab; none of its figures was typed. The places that the discussion names are
compared by one thing that all of them can keep, a counter, and then by the other promises of the lab.

Choose by three questions, in this order.

1. **Who must see the same value?** A module global is seen by one process, files, SQLite and a manager by the workers
   of one host, memcached, Redis and PostgreSQL by every worker that reaches them. Two workers that need not agree need
   no store.
2. **What may end without taking it along?** The last columns of the first table: each place was counted in, then the
   worker, the server, the store or everything was ended and started again, and the value was read back.
3. **Is there one operation that does the whole update?** If so, take it, and the place is as good as its reach. A
   value that is read, changed and written back is wrong wherever two requests can meet, in a database as in a global.
"""


def comparison_tables(comparison: Comparison) -> str:
    """Correctness, speed and lifetime; then the other promises; then what the signs mean."""
    parts = [_counter(comparison), _signs(comparison)]
    if comparison.workloads:
        parts += ["Other promises: the mechanism that keeps each under most deployments, and under how many.\n"]
        parts += [_promises(comparison)]
    return "\n".join(parts)


def _counter(comparison: Comparison) -> str:
    where = f"`{comparison.deployment.name}`" if comparison.deployment else "–"
    heads = ["place", "read, then write: holds", "one operation: holds", f"ops/s, {where}", f"p95 ms, {where}"]
    heads += [f"outlives {ending}" for ending in comparison.endings] + ["shared by, and until when"]
    return table(heads, map(_line, comparison.places))


def _line(place: Place) -> list[str]:
    naive = _standing(place.naive) if place.naive else figures.NONE
    speeds = [f"{text} {factor}".strip() for text, factor in place.speeds]
    lived = [mark.text for mark in place.lived]
    return [f"**{escaped(place.name)}**", naive, _standing(place.atomic), *speeds, *lived, escaped(place.advice)]


def _standing(standing: Standing) -> str:
    return f"{standing.text} `{standing.name}`"


def _promises(comparison: Comparison) -> str:
    lines = [
        [f"**{escaped(place.name)}**", *(_promise(place, workload) for workload in comparison.workloads)]
        for place in comparison.places
    ]
    return table(["place", *comparison.workloads], lines)


def _promise(place: Place, workload: str) -> str:
    return _standing(place.promises[workload]) if workload in place.promises else figures.NONE


def _signs(comparison: Comparison) -> str:
    return "".join(f"- {escaped(sentence)}\n" for sentence in comparison.signs)


def page(report: Report) -> str:
    """docs/stores.md; raises ValueError where the run has nothing to compare."""
    if report.comparison is None:
        raise ValueError("this run has no two places to compare: take one of the profile standard")
    facts = "".join(f"- {escaped(name)}: {escaped(value)}\n" for name, value in report.facts)
    return "\n".join([INTRODUCTION, comparison_tables(report.comparison), f"From this run:\n\n{facts}"])


def main(run: Path) -> None:
    PAGE.write_text(page(compose(read_results(run))))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else REPORTS / "latest")

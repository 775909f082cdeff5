"""Writes docs/stores.md from a run: `python -m statelab.report.docs.stores_page reports/latest [reports/replicas]`.

A second run, of the profile replicas, adds what the places are worth on two hosts.
"""

import sys
from pathlib import Path

from statelab.core.paths import REPORTS, ROOT
from statelab.report.content.document import Report, compose
from statelab.report.content.store_comparison import with_hosts_of
from statelab.report.formats.files import read_results
from statelab.report.formats.markdown import comparison_tables, facts_list

PAGE = ROOT / "docs" / "stores.md"

INTRODUCTION = """\
# Which store for what

For anyone who chooses a place for state and wants the figures. The short answer is
[choose-a-store.md](choose-a-store.md).

Written by `make stores` from a run of the lab; no figure was typed by hand. The usual places to keep state are compared
by a counter, which all of them can keep, and then by the other promises of the lab.

Choose by three questions, in this order.

1. **Who must see the same value?** A module global is seen by one process, files, SQLite and a manager by the workers
   of one host, memcached, Redis and PostgreSQL by every worker that reaches them. Two workers that need not agree need
   no store.
2. **What must it outlive?** The last columns of the first table: each place was counted in, then the
   worker, the server, the store or everything was ended and started again, and the value was read back.
3. **Is there one operation that does the whole update?** If so, take it, and the place is as good as its reach. A
   value that is read, changed and written back is wrong wherever two requests can meet, in a database as in a global.

The result; the tables below say how far it was seen:

- A **module global** is for what each worker may have its own copy of, and may lose: a parsed template, a compiled
  pattern. With a lock it counts right in one process, which is not how apps are served.
- **Files** under a lock and **`multiprocessing.Manager`** serve the workers of one host, but not under gevent, where
  waiting for the lock stops the request that holds it. A manager is slower than a store, and ends with the server that
  started it: it is for Python objects that need no store and may be lost.
- **SQLite** is a file that does the update itself: one host, nothing to run, and what was written stays.
- **memcached** and **Redis** serve all workers and are lost with their store (as the lab runs them, without
  persistence): limits, locks, caches, ids of requests already served. Redis runs a script as one step; memcached has
  `incr`, `add` and `cas`.
- **PostgreSQL** is for what must never be lost: stock, orders, accounts.
"""


def page(report: Report, replicas: Report | None = None) -> str:
    """The text of docs/stores.md; raises ValueError if a run has nothing to compare."""
    comparison, parts = report.comparison, []
    if comparison is None:
        raise ValueError("this run has fewer than two places to compare: take a run with the profile standard")
    if replicas and replicas.comparison is None:
        raise ValueError("the second run has fewer than two places to compare: take one with the profile replicas")
    for words, run in {"From this run": report, "What is said of two hosts is from this run": replicas}.items():
        if run:
            parts.append(f"{words}:\n\n{facts_list(run)}")
    if replicas and replicas.comparison:
        comparison = with_hosts_of(comparison, replicas.comparison)
    return "\n".join([INTRODUCTION, comparison_tables(comparison), *parts])


def main(run: Path, replicas: Path | None = None) -> None:
    PAGE.write_text(page(compose(read_results(run)), compose(read_results(replicas)) if replicas else None))


if __name__ == "__main__":
    main(*[Path(run) for run in sys.argv[1:]] or [REPORTS / "latest"])

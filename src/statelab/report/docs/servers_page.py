"""Writes docs/servers.md from a run of the profile `servers`: `python -m statelab.report.docs.servers_page RUN`."""

import re
import sys
from pathlib import Path

from statelab.core.paths import REPORTS, ROOT
from statelab.core.results import Results
from statelab.report.content.document import Report, compose
from statelab.report.content.text import joined
from statelab.report.formats.files import read_results
from statelab.report.formats.markdown import bullets, facts_list, same_columns_table, table

PAGE = ROOT / "docs" / "servers.md"

INTRODUCTION = """\
# Which column is my server

For anyone who runs an app behind uWSGI, Apache httpd, granian, gevent or an ASGI server, and wants to know which
column of [the tables](tables.md) is theirs.

Written by `make servers` from a run of `make report PROFILE=servers`; no result was typed by hand. The ten standard
columns are Werkzeug's development server and gunicorn. Every other server of Flask's deployment page is a deployment on
request, and most of them behave as one of the ten. What decides is never the name of the server but three questions:
what lies between two requests (processes, threads, greenlets), whether the app is imported before or after the fork,
and which thread imports it.

| I run | the lab's deployment |
| --- | --- |
| `flask run` | `dev-threaded` |
| `gunicorn`, with my workers and threads | `sync`, `sync-4`, `gthread`, `gthread-2x4`, `gevent`, `gevent-2` |
| `gunicorn --preload` | `sync-4-preload` |
| `gunicorn --max-requests` | `sync-recycling` |
| `waitress-serve` | `waitress` |
| `uwsgi --master --processes 4` | `uwsgi-4` |
| the same with `--lazy-apps` | `uwsgi-4-lazy` |
| `uwsgi --master --processes 2 --threads 4` | `uwsgi-threads` |
| `uwsgi --master --gevent 100` | `uwsgi-gevent` |
| mod_wsgi, `WSGIDaemonProcess processes=2 threads=4` | `mod_wsgi-2x4` |
| mod_wsgi without `WSGIDaemonProcess`, in httpd's own processes | `mod_wsgi-embedded` |
| `gevent.pywsgi.WSGIServer(...)` | `gevent-pywsgi` |
| `granian --interface wsgi --workers 2 --blocking-threads 4` | `granian-2x4` |
| `uvicorn --workers 2`, the app in a2wsgi's `WSGIMiddleware` | `uvicorn-2` |

Eventlet is not here: gunicorn 26 removed its worker, and Flask the page on it. mod_wsgi comes from Debian's packages,
which are unpacked; with Compose it is in an image of its own, made when it is asked for. Daemon mode and embedded alike
run as an ordinary user.
"""

SETTINGS = (
    (
        "uWSGI's `lazy-apps`, off by default",
        "Without it the app is imported once and the workers are forked from that, as with gunicorn's `--preload`: "
        "connections, random generators and keys are handed down, and threads are not.",
        ("connection/postgres-before-fork", "once/apscheduler-add-job", "unique-id/random-seeded-at-import"),
        ("uwsgi-4", "uwsgi-4-lazy", "sync-4-preload"),
    ),
    (
        "uWSGI's `threads`",
        "The first thread of each worker is the one that imported the app, so what an import leaves in its thread is "
        "found by requests. gunicorn's threads are all new ones.",
        ("request-scope/flask-g-lasting-context",),
        ("uwsgi-threads", "gthread-2x4"),
    ),
    (
        "uWSGI's `gevent`",
        "A thread that gevent has made is a greenlet, and a fork has a copy of it: it runs on where a real "
        "thread would be gone.",
        ("once/apscheduler-add-job",),
        ("uwsgi-gevent", "uwsgi-4"),
    ),
    (
        "uWSGI's `enable-threads`",
        "Without it no thread of an app runs between requests. The wheel `pyuwsgi` 2.0.30, which the lab runs, has it "
        "on whatever its configuration says (its log: `python threads support enabled`); other builds have it off.",
        ("once/apscheduler-every-worker",),
        ("uwsgi-4",),
    ),
    (
        "uWSGI's `py-call-uwsgi-fork-hooks`, off by default",
        "Without it what an app registers with `os.register_at_fork` is not called, and from CPython 3.13 on a worker "
        "that wakes a thread which waited for a lock at the fork ends or hangs "
        "([finding](findings.md#17)). The lab's own workers forget such threads, so that they break no other cell.",
        ("once/apscheduler-add-job",),
        ("uwsgi-4", "uwsgi-4-lazy"),
    ),
    (
        "gunicorn's `--preload` and `--max-requests`",
        "A replaced worker takes its memory with it, and the work that its threads have not done.",
        ("counter/module-global", "once/apscheduler-every-worker"),
        ("sync-recycling", "sync"),
    ),
    (
        "`threaded` of `app.run`, on by default",
        "A new thread for each request: nothing is left in a thread, and all of them share the globals.",
        ("counter/module-global", "request-scope/thread-local"),
        ("dev-threaded", "dev-single"),
    ),
    (
        "mod_wsgi's `WSGIApplicationGroup`",
        "The lab has `%{GLOBAL}`, the main interpreter, as mod_wsgi-express has it. Any other group is an "
        "interpreter of its own with globals of its own; that is not measured here.",
        ("counter/module-global",),
        ("mod_wsgi-2x4", "gthread-2x4"),
    ),
    (
        "mod_wsgi's `WSGIDaemonProcess`",
        "Without it the app runs in httpd's own processes, as many as its MPM has. The lab has two, which import it "
        "when they start (`WSGIImportScript`); by default the first request to each does that, and others wait.",
        ("counter/module-global",),
        ("mod_wsgi-embedded", "mod_wsgi-2x4"),
    ),
    (
        "an ASGI server with a2wsgi",
        "Each request runs in a copy of the context in which the app was imported: what a request sets in a "
        "`ContextVar` ends with it, and an app context that was pushed at the import is one for all requests.",
        ("counter/context-var", "request-scope/flask-g-lasting-context", "request-scope/thread-local"),
        ("uvicorn-2", "gthread-2x4"),
    ),
)
"""Settings that matter: what each decides, and the cells (mechanisms, then deployments) that show it."""


BENCH = """\
## Speed, and what it is worth

`make bench BENCH=servers` writes this table: wrk with eight connections reads a counter from each server, all servers
on one core and wrk on the other; ratios are to `gthread`, measured in turn in the same run. Several processes gain
nothing on one core, and a worker that is replaced every 20 requests pays for it. The last column is what the lab finds
of a counter in a module global there (window `io`).

<!-- bench -->
<!-- /bench -->
"""
PLACE = re.compile(r"(?<=<!-- bench -->\n).*?(?=<!-- /bench -->)", re.DOTALL)
"""Where the table of the bench stands, between its marks."""


def page(results: Results) -> str:
    """The text of docs/servers.md; raises ValueError for a run that was not compared with the standard columns."""
    report = compose(results)
    if not report.same_columns:
        raise ValueError("this run is not compared with the standard columns: take one with the profile servers")
    settings = [
        [
            setting,
            meaning,
            "<br>".join(shown for mechanism in mechanisms for shown in _cells(results, mechanism, where)),
        ]
        for setting, meaning, mechanisms, where in SETTINGS
    ]
    return "\n".join(
        [
            INTRODUCTION,
            "## Settings that matter\n",
            "A cell of a standard column, in brackets, is as the rule predicts it; the others are measured.\n",
            table(["setting", "what it decides", "the cells that show it"], settings),
            same_columns_table(report.same_columns),
            BENCH,
            f"## The run\n\n{_unexpected(report)}\n{facts_list(report)}",
        ]
    )


def _unexpected(report: Report) -> str:
    """How many cells the run measured, and what it saw although that was not predicted, which is to be measured
    again."""
    measured, cells = sum(c.measured for c in report.same_columns), sum(c.cells for c in report.same_columns)
    lead = f"{measured:,} of {cells:,} cells were measured. "
    if not report.surprises:
        return f"{lead}Nothing was seen that was not predicted.\n"
    lead += "Seen and not predicted, so to be measured again on a machine that does nothing else:\n\n"
    return lead + bullets(sentence.text for sentence in report.surprises)


def _cells(results: Results, mechanism: str, deployments: tuple[str, ...]) -> list[str]:
    """What was measured of a mechanism under each deployment, or is predicted for a standard one."""
    rows = {(f"{c.workload}/{c.mechanism}", c.deployment): c for c in results.cells if c.window == "io"}
    told = []
    for name in deployments:
        predicted = results.manifest["standard"].get(name, {}).get(f"{mechanism}/io")
        if (mechanism, name) in rows:
            cell = rows[mechanism, name]
            told.append(f"`{name}` {joined(cell.anomalies) or cell.verdict}")
        elif predicted is not None:
            told.append(f"(`{name}` {joined(predicted) or 'held'})")
    return [f"`{mechanism}`: {', '.join(told)}"] if told else []


def with_bench(text: str, measured: str) -> str:
    return PLACE.sub(lambda found: measured, text)


def main(run: Path) -> None:
    """The table of the bench is of another run, and stays as it is."""
    former = PLACE.search(PAGE.read_text())
    PAGE.write_text(with_bench(page(read_results(run)), former.group() if former else ""))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else REPORTS / "latest")

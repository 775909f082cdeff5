"""An audit as text for the terminal, and as the one JSON object of `--json`."""

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from statelab.audit.finding import MEANINGS, Audit, Finding
from statelab.audit.interleaving import told as in_columns

WIDEST_IN_A_FILE = 120
"""The most columns of a table that is printed to a file or to the log of a CI."""
CODES = {
    "divergent": "DV",
    "never-persists": "NP",
    "lost-at-restart": "LOST",
    "leak-residue": "LR",
    "leak-overlap": "LO",
    "lost-update": "LU",
    "stalled": "ST",
    "never-ran": "0×",
    "ran-n-times": "N×",
}


def as_json(audit: Audit) -> dict[str, Any]:
    return {
        "deployments": {
            name: {"verdict": verdict.verdict, "anomalies": list(verdict.anomalies)}
            for name, verdict in audit.verdicts.items()
        },
        "findings": [_finding(finding) for finding in audit.findings],
        "coverage": {
            "requests": audit.requests,
            "worlds": audit.worlds,
            "lines_held": audit.lines_held,
            "not_reached": list(audit.not_reached),
        },
        "notes": list(audit.notes),
        "accepted": list(audit.accepted),
        "discovered": audit.discovered,
        "manifest": audit.manifest,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "key": finding.key,
        "anomaly": finding.anomaly,
        "requests": list(finding.requests),
        "story": [
            {
                "method": request.method,
                "target": request.target,
                "headers": [list(pair) for pair in request.headers],
                "body": request.body,
                "name": request.name,
                "client": request.client,
            }
            for request in finding.story
        ],
        "world": finding.world,
        "places": [
            {"place": change.place, "before": change.before, "after": change.after} for change in finding.places
        ],
        "source": [
            {"file": source.file, "line": source.line, "function": source.function, "text": source.text}
            for source in finding.source
        ],
        "deployments": list(finding.deployments),
        "rests_on": finding.rests_on,
        "expected": finding.expected,
        "observed": finding.observed,
        "schedule": list(finding.schedule),
        "interleaving": [list(row) for row in finding.interleaving],
        "fix": finding.fix,
        "confirmed": finding.confirmed,
    }


def show(console: Console, audit: Audit) -> None:
    """Prints the table, then each finding."""

    def say(text: str = "") -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    if audit.findings:
        table = _table(audit, turned=False)
        needed = console.measure(table, options=console.options.update(width=1000)).maximum
        widest = console.width if console.is_terminal else max(console.width, WIDEST_IN_A_FILE)
        if needed > widest:
            table, needed = _table(audit, turned=True), widest
        Console(file=console.file, width=max(needed, console.width)).print(table)
        used = dict.fromkeys(finding.anomaly for finding in audit.findings)
        say("\n".join(f"{CODES[anomaly]:5}{anomaly}: {MEANINGS[anomaly]}" for anomaly in used))
    for number, finding in enumerate(audit.findings, 1):
        say()
        say("\n".join(told(number, finding)))
    say()
    if audit.discovered:
        say("the story that was found, to keep as story.http (--out FOLDER writes it):")
        say("\n".join(f"    {line}" for line in audit.discovered.splitlines()))
        say()
    for note in audit.notes:
        say(f"note: {note}")
    if audit.not_reached:
        say(f"not reached: {', '.join(audit.not_reached)}")
    say(f"{outcome(audit)}; {audit.requests} requests in {audit.worlds} worlds, held at {audit.lines_held} steps")
    if audit.lines_held:
        say(bounds(audit))


def outcome(audit: Audit) -> str:
    """The whole audit in a few words."""
    accepted = f", {len(audit.accepted)} accepted" if audit.accepted else ""
    if audit.findings:
        return f"{len(audit.findings)} finding{'s' if len(audit.findings) > 1 else ''}{accepted}"
    verdicts = {verdict.verdict for verdict in audit.verdicts.values()}
    nothing = "nothing was exercised" if verdicts == {"not-exercised"} else "nothing found, which is no proof"
    return nothing + accepted


def bounds(audit: Audit) -> str:
    """The bounds within which requests were interrupted."""
    given = audit.manifest["bounds"]
    times = "once" if given["interruptions"] == 1 else f"up to {given['interruptions']} times"
    return f"bounds: two requests interrupt each other {times}, at {given['most_steps']} steps of a request at most"


def groups(audit: Audit) -> dict[tuple[str, ...], list[Finding]]:
    """The findings by the requests that meet."""
    rows: dict[tuple[str, ...], list[Finding]] = {}
    for finding in audit.findings:
        rows.setdefault(finding.requests, []).append(finding)
    return rows


def _table(audit: Audit, *, turned: bool) -> Table:
    """A row for each group of requests, a column for each deployment; `turned`, for a narrow terminal, the reverse."""
    lines = [["", *audit.verdicts]]
    for requests, findings in groups(audit).items():
        lines.append([", ".join(requests), *(cell(name, findings) for name in audit.verdicts)])
    head, *rows = map(list, zip(*lines, strict=True)) if turned else lines
    table = Table(box=box.SIMPLE, pad_edge=False)
    table.add_column("", no_wrap=True)
    for title in head[1:]:
        table.add_column(title, no_wrap=not turned, overflow="fold" if turned else "ellipsis")
    for row in rows:
        table.add_row(*row)
    return table


def cell(deployment: str, findings: Sequence[Finding]) -> str:
    codes = dict.fromkeys(CODES[finding.anomaly] for finding in findings if deployment in finding.deployments)
    return "✗ " + " ".join(codes) if codes else "·"


def told(number: int, finding: Finding) -> list[str]:
    lines = [f"{number}. {finding.anomaly}: {', '.join(finding.requests)}", f"   {finding.world}"]
    lines += [f"     {step}" for step in finding.schedule]
    lines += [f"       {row}" for row in in_columns(finding.interleaving)]
    lines += [f"   expected  {finding.expected}", f"   observed  {finding.observed}"]
    lines += [f"   place     {change.place}: {change.before} -> {change.after}" for change in finding.places]
    lines += [
        f"   line      {source.file}:{source.line} in {source.function}: {source.text}" for source in finding.source
    ]
    lines += [f"   under     {', '.join(finding.deployments) or 'none of the known deployments'}"]
    lines += [f"   real      {finding.confirmed}"] if finding.confirmed else []
    lines += [f"   fix       {finding.fix}"]
    return lines

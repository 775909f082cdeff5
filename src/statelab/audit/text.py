"""An audit as text for the terminal, and as the one JSON object of `--json`."""

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from statelab.audit.finding import MEANINGS
from statelab.audit.finding import Audit
from statelab.audit.finding import Finding
from statelab.audit.http_file import written
from statelab.audit.interleaving import told as in_columns

WIDEST_IN_A_FILE = 120
"""So many columns does a table have at most that goes to a file or into the log of a CI."""
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
    """The table, then each finding."""

    def say(text: str = "") -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    if audit.findings:
        table = _table(audit)
        needed = console.measure(table, options=console.options.update(width=1000)).maximum
        widest = console.width if console.is_terminal else max(console.width, WIDEST_IN_A_FILE)
        if needed > widest:
            table, needed = _turned(audit), widest
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
    """Within which bounds all of it was tried."""
    given = audit.manifest["bounds"]
    times = "once" if given["interruptions"] == 1 else f"up to {given['interruptions']} times"
    return f"bounds: two requests interrupt each other {times}, at {given['most_steps']} steps of a request at most"


def groups(audit: Audit) -> dict[tuple[str, ...], list[Finding]]:
    """The findings by the requests that meet."""
    rows: dict[tuple[str, ...], list[Finding]] = {}
    for finding in audit.findings:
        rows.setdefault(finding.requests, []).append(finding)
    return rows


def _table(audit: Audit) -> Table:
    """A row for each group of requests, a column for each deployment."""
    table = Table(box=box.SIMPLE, pad_edge=False)
    table.add_column("", no_wrap=True)
    for name in audit.verdicts:
        table.add_column(name, no_wrap=True)
    for requests, findings in groups(audit).items():
        table.add_row(", ".join(requests), *(cell(name, findings) for name in audit.verdicts))
    return table


def _turned(audit: Audit) -> Table:
    """The same for a narrow terminal: a row for each deployment."""
    rows = groups(audit)
    table = Table(box=box.SIMPLE, pad_edge=False)
    table.add_column("", no_wrap=True)
    for requests in rows:
        table.add_column(", ".join(requests), overflow="fold")
    for name in audit.verdicts:
        table.add_row(name, *(cell(name, findings) for findings in rows.values()))
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


def story_of(finding: Finding) -> str:
    """The finding's story as an `.http` file."""
    return written(finding.story)

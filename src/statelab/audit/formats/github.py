"""Annotations for GitHub's runner, which reads them from the output of a step: one line for each finding."""

from statelab.audit.finding import Audit, path_from_start


def render(audit: Audit) -> str:
    lines = []
    for finding in audit.findings:
        at = {"title": f"{finding.anomaly}: {', '.join(finding.requests)}"}
        if finding.source:
            source = finding.source[0]
            at = {"file": path_from_start(audit, source), "line": str(source.line), **at}
        message = [
            finding.world,
            f"expected {finding.expected}",
            f"observed {finding.observed}",
            *(f"place {change.place}: {change.before} -> {change.after}" for change in finding.places),
            f"under {', '.join(finding.deployments)}",
            f"fix: {finding.fix}",
        ]
        where = ",".join(f"{name}={_escaped(value, ',:')}" for name, value in at.items())
        lines.append(f"::error {where}::{_escaped(chr(10).join(message))}\n")
    return "".join(lines)


def _escaped(text: str, more: str = "") -> str:
    """The text with percent-encoding for characters that would end the line or the value."""
    for character in "%\r\n" + more:
        text = text.replace(character, f"%{ord(character):02X}")
    return text

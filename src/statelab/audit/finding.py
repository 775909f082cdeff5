"""The result of an audit, as frozen values."""

import os
from dataclasses import dataclass, field
from typing import Any

from statelab.audit.story import Story

MEANINGS = {
    "divergent": "another process gives another answer: each has a copy of its own",
    "never-persists": "the process ends after one request, and what it kept is gone",
    "lost-at-restart": "it is lost when the worker is replaced",
    "leak-residue": "a client sees what an earlier one left behind",
    "leak-overlap": "a client sees what another one sent at the same time",
    "lost-update": "one request was served between two steps of another, and no order of the two explains the answers",
    "stalled": "a request that is served between two steps of another never ends",
    "never-ran": "what the import started does not run in a process that was forked afterwards",
    "ran-n-times": "each process that imports the app does again what the import does",
}
"""The anomalies that an audit finds, each in one line."""


@dataclass(frozen=True, slots=True)
class Source:
    """A line of the app: where a request was held, or where it read a place. `around` are the lines around it, each
    with its number."""

    file: str
    line: int
    function: str
    text: str = ""
    around: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """The value of a place in memory or of a file, before and after a request of the story."""

    place: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fault: in this world the app answers as no reference does.

    `story` is minimal: if any request is left out, nothing differs. `requests` are the ones that meet in it; `form`
    gives them as method and rule of the app. `world` says in words how it was served, and `schedule` what happened in
    which order. `interleaving` shows, in two columns, the lines of two overlapping requests that touch the places.
    `rests_on` is what was compared (`answer` or `files`), `expected` and `observed` what was seen there.
    """

    anomaly: str
    requests: tuple[str, ...]
    form: tuple[str, ...]
    story: Story
    world: str
    places: tuple[Change, ...]
    source: tuple[Source, ...]
    deployments: tuple[str, ...]
    rests_on: str
    expected: str
    observed: str
    schedule: tuple[str, ...] = ()
    interleaving: tuple[tuple[str, str], ...] = ()
    fix: str = ""
    confirmed: str = ""

    @property
    def key(self) -> str:
        """Names the finding in a list of accepted ones. It stays the same as long as requests, anomaly and place do."""
        place = self.places[0].place if self.places else "-"
        return f"{self.anomaly}: {', '.join(self.form)}: {place}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`violated`, `not-seen` or `not-exercised`, and the anomalies of its findings."""

    verdict: str
    anomalies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """The whole result of an audit. `bounds` says what was tried, `notes` what could not be determined. `discovered` is
    the story that was found if none was given, as an `.http` file."""

    app: str
    findings: tuple[Finding, ...]
    verdicts: dict[str, Verdict]
    requests: int
    worlds: int
    lines_held: int
    not_reached: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()
    discovered: str = ""
    manifest: dict[str, Any] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """0 nothing found, 1 findings, 3 nothing exercised."""
        if self.findings:
            return 1
        return 3 if all(verdict.verdict == "not-exercised" for verdict in self.verdicts.values()) else 0


def path_from_start(audit: Audit, source: Source) -> str:
    """The file of a line as seen from where the audit was started, which is how code hosts name it."""
    return os.path.normpath(os.path.join(audit.manifest.get("folder", ""), source.file))

"""The audit from beginning to end: makes a site, plays all stories in all worlds, tries each finding again, and says
which deployments are violated."""

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from statelab.audit import confirm, coverage, har, overlap, recording, residue
from statelab.audit.discover import discover
from statelab.audit.explore import Candidate, Explorer
from statelab.audit.finding import Audit, Finding, Verdict
from statelab.audit.http_file import read, text_of, written
from statelab.audit.processes import App
from statelab.audit.site import Site, Sites
from statelab.audit.story import Story
from statelab.audit.tell import told
from statelab.core.errors import BadInput
from statelab.core.paths import DEPLOYMENTS
from statelab.plan.deployments import ON_REQUEST, Deployment, load_all

STORE_HELP = "name a store of the lab for it under [audit.stores] of statelab.toml, or allow it there"
JOBS = 2 * max(2, os.cpu_count() or 1)
"""How many worlds are played in parallel: two for each core, because a world spends half of its time waiting."""
BOUNDARIES = (overlap.THREADS, overlap.PROCESSES, overlap.GREENLETS)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is to be audited, and how."""

    app: App
    stories: Sequence[Story]
    deployments: Mapping[str, Deployment]
    accept: frozenset[str] = frozenset()
    ignore: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    most_steps: int = 150
    interruptions: int = 1
    confirm: frozenset[str] | None = None
    """Deployments on whose real servers findings are played."""
    jobs: int = JOBS
    progress: Callable[[str], None] = field(default=lambda text: None)


def audit(
    app: str,
    requests: Sequence[Path | Story],
    *,
    folder: Path = Path(),
    python: str = sys.executable,
    interruptions: int = 1,
    jobs: int = 0,
) -> Audit:
    """Audits the app of an import string (`module:app`) with stories: `.http` files, HAR files, or requests. Without
    stories it discovers requests. Two requests interrupt each other up to `interruptions` times; `jobs` worlds are
    played in parallel (0: two for each core).

    Raises BadInput in one sentence for what cannot be audited.
    """
    files = [(story, []) if not isinstance(story, Path) else story_of(story, folder) for story in requests]
    return perform(
        Asked(
            app=App(name=app, folder=folder.resolve(), python=python),
            stories=[story for story, _ in files],
            notes=tuple(note for _, told in files for note in told),
            deployments=on_one_host(every_deployment()),
            interruptions=interruptions,
            jobs=jobs or JOBS,
        )
    )


def every_deployment() -> dict[str, Deployment]:
    """All deployments that the lab knows, those of its standard tables first."""
    standard = load_all(DEPLOYMENTS)
    return standard | load_all(DEPLOYMENTS, [path.stem for path in (DEPLOYMENTS / ON_REQUEST).glob("*.env")])


def on_one_host(deployments: Mapping[str, Deployment]) -> dict[str, Deployment]:
    """The deployments that are audited if none is named. Others are left out: on several hosts every app that writes a
    file has a finding, and few interpreters are free-threaded."""
    return {name: each for name, each in deployments.items() if each.hosts == 1 and not each.parallel}


def story_of(path: Path, folder: Path = Path()) -> tuple[Story, list[str]]:
    """The story of a file, and notes about it; raises BadInput. A recording of the lab is recognised by its name,
    `.http` and HAR by their content. `folder` is the app's."""
    if recording.is_recording(path):
        return recording.read(path, folder)
    text = text_of(path)
    return har.read(path, text) if har.is_har(text) else (read(path), [])


def perform(asked: Asked) -> Audit:
    """Everything found or, after Ctrl-C, everything found until then; raises BadInput."""
    if not sys.platform.startswith(("linux", "darwin")):
        raise BadInput("the audit needs fork(), which Windows does not have: run it in WSL or in a container")
    with Sites(asked.app, asked.jobs) as sites:
        require_loaded(asked.app, sites.first)
        explorer = Explorer(
            sites,
            asked.progress,
            ignore=asked.ignore,
            most_steps=asked.most_steps,
            interruptions=asked.interruptions,
            deployments=asked.deployments.values(),
        )
        findings: list[Finding] = []
        candidates: dict[str, Candidate] = {}
        notes = list(asked.notes)
        exercised = False
        not_reached: tuple[str, ...] = ()
        stories = list(asked.stories)
        try:
            if not stories:
                found, told_of_it = discover(explorer)
                stories.append(found)
                notes += told_of_it
            explorer.scenes_left = sum(
                len(_boundaries(explorer)) * len(list(overlap.scenes(story))) for story in stories
            )
            for story in stories:
                notes += coverage.troubles(explorer, story)
                nothing = list(coverage.exercises(explorer, story))
                notes += nothing
                exercised |= not nothing
                for candidate, finding in searched(explorer, story, asked.deployments):
                    findings.append(finding)
                    candidates.setdefault(finding.key, candidate)
            not_reached = coverage.not_reached(explorer, stories)
            if asked.confirm is not None:
                real = {name: known for name, known in asked.deployments.items() if name in asked.confirm}
                findings = confirm.confirmed(asked.app, real, _merged(findings), candidates, asked.progress)
        except KeyboardInterrupt:
            sites.ended = True
            exercised = False  # `not-seen` needs a complete search
            notes.append("stopped before everything was tried")
        crossed = frozenset(boundary.name for boundary in _boundaries(explorer))
        not_tried = [name for name, deployment in asked.deployments.items() if untried(deployment, crossed)]
        if not_tried:
            boundaries = frozenset[str]().union(*(untried(asked.deployments[name], crossed) for name in not_tried))
            notes.append(f"{', '.join(not_tried)}: interruptions between {', '.join(boundaries)} were not tried")
        return concluded(
            asked,
            findings,
            [name for name in asked.deployments if exercised and name not in not_tried],
            requests=sum(map(len, stories)),
            discovered=written(stories[0]) if stories and not asked.stories else "",
            worlds=explorer.worlds,
            lines_held=explorer.lines_held,
            not_reached=not_reached,
            notes=[*notes, *explorer.notes],
        )


def concluded(
    asked: Asked, findings: Sequence[Finding], tried: Sequence[str], *, notes: Sequence[str], **counted: Any
) -> Audit:
    """The audit with its verdicts. Equal findings become one, accepted ones are left out. `tried` names the deployments
    whose worlds were tried."""
    findings = _merged(findings)
    accepted = tuple(finding.key for finding in findings if finding.key in asked.accept)
    gone = [f"accepted, and not found any more: {key}" for key in sorted(asked.accept - {*accepted})]
    verdicts: dict[str, Verdict] = {}
    for name in asked.deployments:
        anomalies = tuple(dict.fromkeys(finding.anomaly for finding in findings if name in finding.deployments))
        verdict = "violated" if anomalies else "not-seen" if name in tried else "not-exercised"
        verdicts[name] = Verdict(verdict=verdict, anomalies=anomalies)
    return Audit(
        app=asked.app.name,
        findings=tuple(finding for finding in findings if finding.key not in asked.accept),
        verdicts=verdicts,
        notes=tuple(dict.fromkeys([*notes, *gone])),
        accepted=accepted,
        manifest={
            "statelab": version("statelab"),
            "python": asked.app.python,
            "app": asked.app.name,
            "folder": os.path.relpath(asked.app.folder),
            "bounds": {
                "interruptions": asked.interruptions,
                "most_steps": asked.most_steps,
                "limit_s": asked.app.limit_s,
            },
        },
        **counted,
    )


def require_loaded(app: App, site: Site) -> None:
    """Raises BadInput, in one sentence that says what to do, if the app could not be imported."""
    loaded = site.loaded
    what = loaded.get("what")
    blocked = loaded.get("blocked") or []
    match loaded.get("error"):
        case "import":
            frame = f" ({_original(site, loaded['frame'])})" if loaded["frame"] else ""
            raise BadInput(f"importing {app.name.partition(':')[0]!r} raised {what}{frame}; {_help(str(what), app)}")
        case "attribute":
            has = f"; it has {', '.join(loaded['has'])}" if loaded["has"] else ""
            raise BadInput(f"{app.name.partition(':')[0]!r} has no {what!r}{has}: name the app as `module:attribute`")
        case "factory":
            frame = f" ({_original(site, loaded['frame'])})" if loaded["frame"] else ""
            raise BadInput(f"calling {app.name.partition(':')[2]} raised {what}{frame}")
        case "callable":
            raise BadInput(
                f"{app.name} is a {what}, not a WSGI app: name a Flask app, or a factory as `module:create()`"
            )
    if blocked:
        raise BadInput(f"the import needs a {blocked[0]}, which the audit refuses: {_store_help(app, blocked[0])}")


def _original(site: Site, frame: str) -> str:
    return frame.replace(str(site.folder.app) + "/", "")


def _help(what: str, app: App) -> str:
    module = app.name.partition(":")[0]
    if module.endswith(".py") or "/" in module:
        return f"a module is named as Python imports it, as {Path(module).with_suffix('').name}:app"
    if f"'{module.split('.')[0]}'" in what and "ModuleNotFoundError" in what:
        return f"there is no such module in {app.folder}: start in the app's folder, or name it with --app-dir"
    if "ModuleNotFoundError" in what:
        return f"is it installed for {app.python}? another interpreter is named with --python"
    if "statelab audit refused" in what:
        return _store_help(app, what)
    if missing := re.fullmatch(r"KeyError: '([A-Z][A-Z0-9_]*)'", what):
        name = missing.group(1)
        return (
            f"if {name} is a variable that the app reads, set it, or {STORE_HELP.replace('it under', f'{name} under')}"
        )
    return "start the app by hand first"


def _store_help(app: App, what: str) -> str:
    """What to do about a refused connection; names the variable that the address comes from, if one is found."""
    port = re.search(r":(\d+)", what)
    if port is None:
        return STORE_HELP
    pattern = rf"(?:environ\.get|getenv)\(\s*[\"'](\w+)[\"']\s*,\s*f?[\"'][^\"'\n]*\b{port.group(1)}\b"
    sources = (path.read_text(errors="replace") for path in sorted(app.folder.glob("*.py")))
    set_to_it = [name for name, value in os.environ.items() if re.search(rf":{port.group(1)}\b", value)]
    names = [found.group(1) for text in sources if (found := re.search(pattern, text))] + set_to_it
    return STORE_HELP.replace("for it", f"for {names[0]}, which the app reads,") if names else STORE_HELP


def searched(
    explorer: Explorer, story: Story, deployments: Mapping[str, Deployment]
) -> Iterator[tuple[Candidate, Finding]]:
    """The findings of one story that are still there when tried again, each with its evidence. They are yielded after
    each part of the search, so that none is lost when the search is stopped."""
    twice = story + residue.another_client(story, "")
    known: set[tuple[str, str]] = set()
    searches: list[Callable[[], Iterable[Candidate]]] = [
        partial(explorer.serial, story),
        partial(explorer.serial, twice, only=len(story)),
        partial(residue.leaks, explorer, story),
    ]
    parts: list[Callable[[], Iterable[Candidate]]] = [partial(_distinct, explorer, one, known) for one in searches]
    parts += [partial(overlap.overlaps, explorer, story, boundary) for boundary in _boundaries(explorer)]
    for part in parts:
        found = list(part())
        for candidate, stands in zip(found, explorer.each(lambda candidate: candidate.stands(), found), strict=True):
            if stands:
                yield candidate, told(explorer, candidate, deployments)


def _distinct(
    explorer: Explorer, search: Callable[[], Iterable[Candidate]], known: set[tuple[str, str]]
) -> list[Candidate]:
    """The new findings of a search. Two findings are the same if they have the same kind and the same form of the last
    request. `known` holds those of earlier searches; the new ones are added to it."""
    found = [(candidate, (candidate.kind, explorer.form(candidate.story[-1]))) for candidate in search()]
    new = [candidate for candidate, key in found if key not in known]
    known |= {key for _, key in found}
    return new


def _merged(findings: Sequence[Finding]) -> list[Finding]:
    """One finding for each anomaly, requests and place: if two kinds of worlds show it, it is one fault under more
    deployments."""
    found: dict[tuple[object, ...], Finding] = {}
    for finding in findings:
        key = (finding.anomaly, finding.form, finding.places[:1])
        if key in found:
            both = dict.fromkeys([*found[key].deployments, *finding.deployments])
            found[key] = replace(found[key], deployments=tuple(both))
        else:
            found[key] = finding
    return list(found.values())


def untried(deployment: Deployment, crossed: frozenset[str]) -> frozenset[str]:
    """Boundaries of a deployment across which no request was interrupted. Such a deployment is not called `not-seen`.
    Two requests on two hosts can meet only in a store, just as two requests in two processes do."""
    if "processes" in crossed:
        crossed |= {"hosts"}
    if deployment.unpatched_at_import:
        crossed -= {"greenlets"}
    return deployment.spread - deployment.in_turn - crossed


def _boundaries(explorer: Explorer) -> Sequence[overlap.Boundary]:
    """The boundaries that at least one deployment has and that can be tried: greenlets need gevent in the app's
    interpreter."""
    return [
        boundary
        for boundary in BOUNDARIES
        if (boundary is not overlap.GREENLETS or explorer.has_gevent) and explorer.some_has(boundary.has_over_a_store)
    ]


def folder_of(text: str) -> Path:
    """The app's folder; raises BadInput."""
    folder = Path(text).resolve()
    if not folder.is_dir():
        raise BadInput(f"{text} is not a folder")
    return folder

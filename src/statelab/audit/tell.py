"""From a difference to a finding: the places, the lines, both answers, the schedule, the deployments, the fix."""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from statelab.audit import interleaving
from statelab.audit.compare import flat
from statelab.audit.explore import FILES, Candidate, Explorer
from statelab.audit.finding import Change, Finding, Source
from statelab.audit.folder import Folder
from statelab.audit.play import NO_STEP, Seen
from statelab.audit.site import Site
from statelab.audit.stores import KEY, TABLE
from statelab.plan.deployments import Deployment

MOST_CHANGES = 6
OF_FLASK = re.compile(r"\.(_got_first_request$|error_handler_spec\b)")
"""Places that Flask itself changes at the first request or the first error."""
LINES_AROUND = 3
"""How many lines are shown before and after a line."""

FIXES = {
    "divergent": "keep it where every process reads it: a row in the database, or a key in Redis",
    "never-persists": "keep it where every process reads it: a row in the database, or a key in Redis",
    "lost-at-restart": "keep it outside of the worker: a row in the database, or a queue in Redis for work to be done",
    "leak-residue": "keep what belongs to one request in flask.g, what belongs to one user in the session",
    "leak-overlap": "keep what belongs to one request in flask.g, or pass it as an argument",
    "lost-update": "read and write it in one step (`UPDATE ... SET n = n - 1 WHERE n > 0`, INCR in Redis), or under a"
    " lock that reaches as far as the state",
    "stalled": "wait with a limit, and never for another request",
    "never-ran": "start it in each worker (gunicorn's post_fork), or as a service of its own",
    "ran-n-times": "start it as a service of its own, or let the processes agree who does it (a lock in the database)",
}


def told(explorer: Explorer, found: Candidate, deployments: Mapping[str, Deployment]) -> Finding:
    """The finding for a confirmed candidate."""
    site, owners = explorer.sites.first, [pointer.partition("/")[0] for pointer in found.pointers]
    # the request whose answer differs first; None if only files differ
    index = min((int(owner) for owner in owners if owner != FILES), default=None)
    met = found.pair or range(len(found.story))  # a minimal story contains only requests that it needs
    quiet = explorer.looked(found.story)
    changed = tuple(changes(quiet))[:MOST_CHANGES]
    both: list[interleaving.Row] = []
    if found.pair is not None and found.world.holds:
        traced = explorer.seen(found.story, replace(found.world, holds=(*found.world.holds, NO_STEP)), 1)
        names = [_last_name(change.place) for change in changed]
        both = interleaving.rows(traced, names, lambda step: _path(site.folder, step))
    expected, observed = _shown(found, index)
    return Finding(
        anomaly=found.anomaly,
        requests=tuple(found.observed.sent.get(at, str(found.story[at])) for at in met),
        form=tuple(explorer.form(found.story[at]) for at in met),
        story=found.story,
        world=found.words,
        places=changed,
        source=tuple(
            reading(site.folder, quiet.steps, changed)
            if not found.observed.held
            else [line_of(site.folder, step) for step in found.observed.held]
        ),
        deployments=tuple(name for name, deployment in deployments.items() if found.where(deployment)),
        rests_on=FILES if index is None else "answer",
        expected=expected,
        observed=observed,
        schedule=tuple(_schedule(site, found)),
        interleaving=tuple(both),
        fix=FIXES[found.anomaly],
    )


def _shown(found: Candidate, index: int | None) -> tuple[str, str]:
    """What was expected and what was observed, in words."""
    if index is None:
        expected, observed = flat(found.expected), flat(found.observed)
        names = [pointer for pointer in found.pointers if pointer.startswith(FILES)]
        name = names[0].split("/~")[0].rpartition("/")[0].removeprefix(FILES + "/")
        return _file(name, found.expected, expected), _file(name, found.observed, observed)
    if found.pair is not None and index in found.pair:
        return (
            " / ".join(_answer(found.expected, at) for at in found.pair),
            " / ".join(_answer(found.observed, at) for at in found.pair),
        )
    one, other = _answer(found.expected, index), _answer(found.observed, index)
    if one == other:  # the difference is in a header, or after the part shown
        where = next(name for name in found.pointers if name.startswith(f"{index}/"))
        name = where.partition("/")[2]
        return (
            f"{one[:3]} {name}: {flat(found.expected).get(where, 'none')}",
            f"{other[:3]} {name}: {flat(found.observed).get(where, 'none')}",
        )
    return one, other


def _file(name: str, seen: Seen, flat_seen: Mapping[str, Any]) -> str:
    lines = seen.files.get(name)
    return f"{name}: " + ("unchanged" if lines is None else " | ".join(lines[-3:]) + f" ({len(lines)} lines)")


def _answer(seen: Seen, index: int) -> str:
    answer = seen.answers[index]
    if answer is None:
        return seen.trouble.get(index, "no answer")
    body = " ".join(answer["body"].split())
    return f"{answer['status']} {body[:200]}".strip()


def changes(seen: Seen) -> Iterator[Change]:
    """Places that the story's requests change in one process; a container is named, not its contents."""
    looks = [look["places"] for look in seen.places]
    if len(looks) < 3:
        return
    noise = {place for place in looks[0].keys() | looks[1].keys() if looks[0].get(place) != looks[1].get(place)}
    named: list[str] = []
    for before, after in pairwise(looks[1:]):
        for place in dict.fromkeys([*before, *after]):
            if before.get(place) == after.get(place) or place in noise or OF_FLASK.search(place):
                continue
            if not any(place == other or place.startswith((f"{other}[", f"{other}.", f"{other}{{")) for other in named):
                named.append(place)
                yield Change(place, before.get(place, "-"), after.get(place, "-"))
    for name, lines in seen.files.items():
        yield Change(name if name.startswith((KEY, TABLE)) else f"file {name}", "-", f"{len(lines)} lines")


def reading(folder: Folder, steps: Sequence[Mapping[str, Any]], changed: Sequence[Change]) -> Iterator[Source]:
    """The first line among the steps that names one of the places; empty if no line does."""
    for name in (_last_name(change.place) for change in changed):
        for step in steps:
            if name and name in interleaving.touches(_path(folder, step)).get(step["line"], ()):
                yield line_of(folder, step)
                return


def _last_name(place: str) -> str:
    """The name by which code reads a place: `jobs` for `shop.jobs[1]` and `shop.jobs`, `user` for `shop.ctx.user (of
    this thread)`."""
    name = place.partition("[")[0].removesuffix(" (of this thread)")
    return name.removesuffix(".get()").removesuffix(".__defaults__").rpartition(".")[2]


def _path(folder: Folder, step: Mapping[str, Any]) -> Path:
    return Path(step["file"].replace("<folder>", str(folder.work)))


def line_of(folder: Folder, step: Mapping[str, Any]) -> Source:
    """The line of a step, with those around it."""
    path = _path(folder, step)
    line = step["line"]
    try:
        lines = path.read_text().splitlines()
    except (OSError, ValueError):
        lines = []
    around = tuple((number, text) for number, text in enumerate(lines, 1) if abs(number - line) <= LINES_AROUND)
    text = dict(around).get(line, "").strip()
    inside = path.is_relative_to(folder.app)
    name = str(path.relative_to(folder.app)) if inside else str(path)
    return Source(name, line, step["function"], text, around)


def _schedule(site: Site, found: Candidate) -> Iterator[str]:
    """What happened, in order."""
    for index, request in enumerate(found.story):
        if found.pair is not None and index == found.pair[1]:
            continue
        at = found.world.at[index]
        request_text = found.observed.sent.get(index, str(request))
        if found.pair is not None and index == found.pair[0] and found.observed.held:
            yield from _turns(site, found.observed, index)
        else:
            yield f"process {at.process}  {request_text}: {_answer(found.observed, index)}"
        if found.world.ends_after == index + 1:
            yield f"process {at.process}  is replaced"


def _turns(site: Site, seen: Seen, index: int) -> Iterator[str]:
    """The turns of two overlapping requests."""
    begun: set[int] = set()
    for turn in seen.turns:
        what = "goes on" if turn.request in begun else seen.sent.get(index + turn.request, "")
        begun.add(turn.request)
        if turn.how == "answered":
            how = _answer(seen, index + turn.request)
        else:
            source = line_of(site.folder, turn.step)
            how = f"{'held before' if turn.how == 'held' else 'waits at'} {source.file}:{source.line} `{source.text}`"
        yield f"{('first', 'second')[turn.request]:7} {what}: {how}"


def differences(expected: str, observed: str) -> Iterator[tuple[str, bool]]:
    """The pieces of `observed` in order, and whether each differs from `expected`. The texts are compared by words."""
    one, other = (re.findall(r"\w+|\W", text) for text in (expected, observed))
    for kind, _, _, low, high in difflib.SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if high > low:
            yield "".join(other[low:high]), kind != "equal"

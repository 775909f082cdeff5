"""The search: every world of a story against its reference; what differs is made minimal and tried again.

A difference counts when it is outside of the noise, and when it is still there after the reference was played anew
later. Everything is tried in a fixed order, so that two audits of one app find the same.
"""

import time
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from functools import partial

from statelab.audit.compare import Flat
from statelab.audit.compare import Noise
from statelab.audit.compare import by_request
from statelab.audit.compare import different
from statelab.audit.compare import flat
from statelab.audit.kinds import SERIAL
from statelab.audit.kinds import Kind
from statelab.audit.kinds import other_import
from statelab.audit.kinds import reference
from statelab.audit.play import Seen
from statelab.audit.play import World
from statelab.audit.play import play
from statelab.audit.site import Site
from statelab.audit.story import REFERENCE
from statelab.audit.story import Request
from statelab.audit.story import Story
from statelab.plan.deployments import Deployment

FILES = "files"
CLOCK_S = 1.05
"""Between two runs of the reference at least once, or what has the time in whole seconds is no noise."""


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What the story shows in one process, several times, and the noise between."""

    runs: list[Flat]
    seen: list[Seen]
    noise: Noise

    def unlike(self, world: Flat) -> list[str]:
        """Where a world differs from the reference, noise left out."""
        return self.noise.without(different(self.runs[0], world))


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A difference, not yet told: the minimal story, the world, where it differs, and what both showed.

    `stands` tries it again, later and with other random numbers. `where` says which deployments have such a world.
    `pair` are the two requests that overlap; `clients` is how many requests the first of two clients sends.
    """

    kind: str
    anomaly: str
    words: str
    story: Story
    world: World
    pointers: tuple[str, ...]
    expected: Seen
    observed: Seen
    stands: Callable[[], bool]
    where: Callable[[Deployment], bool]
    pair: tuple[int, int] | None = None
    clients: int = 0


@dataclass
class Explorer:
    """Plays worlds on a site, counts them, and says how far it is."""

    site: Site
    progress: Callable[[str], None] = lambda text: None
    worlds: int = 0
    lines_held: int = 0
    notes: list[str] = field(default_factory=list)
    _rules: dict[tuple[str, str], str] = field(default_factory=dict)
    _known: dict[tuple[Story, World], Reference] = field(default_factory=dict)

    def seen(self, story: Story, world: World, run: int) -> Seen:
        self.worlds += 1
        return play(self.site, story, world, run=run)

    def form(self, request: Request) -> str:
        """The request without what differs from one to the next: its method and the app's rule for its address."""
        path = request.target.partition("?")[0]
        key = (request.method, REFERENCE.sub("1", path))
        if key not in self._rules:
            self._rules[key] = self.site.routes([key]).get("goes", [None])[0] or key[1]
        return f"{request.method} {self._rules[key]}"

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def reference(self, story: Story, base: World | None = None) -> Reference:
        """The story in its base world (default: one process) twice, and once in another process that imported."""
        base = base or reference(len(story))
        if (story, base) not in self._known:
            seen = [self.seen(story, base, run) for run in (1, 2)]
            runs = [flat(one) for one in seen]
            noise = Noise()
            noise.learn(runs)
            noise.learn([_answers(one) for one in (runs[0], flat(self.seen(story, other_import(len(story)), 3)))])
            self._known[story, base] = Reference(runs=runs, seen=seen, noise=noise)
        return self._known[story, base]

    # One request after the other, in other processes

    def serial(self, story: Story) -> Iterator[Candidate]:
        """The findings of each serial kind: one for each request that first differs."""
        for kind in SERIAL:
            told: set[str] = {FILES} if kind.answers_only and self.site.import_left else set()
            if kind.after_threads and not self.site.import_left:
                continue
            base = self.reference(story, kind.base(len(story)))
            for world in kind.worlds(len(story)):
                self.progress(f"{kind.words}: {world.kind}")
                unlike = base.unlike(flat(self.seen(story, world, 10)))
                for owner in by_request(unlike):
                    if owner in told:
                        continue
                    told.add(owner)
                    found = self._smallest(kind, story, owner)
                    if found is not None:
                        yield found
                        told |= self._also_explained(found, story)

    def _also_explained(self, found: Candidate, story: Story) -> set[str]:
        """Other requests of the story that the same finding is about: those of the same form as its last one."""
        last = self.form(found.story[-1])
        return {str(index) for index, request in enumerate(story) if self.form(request) == last}

    def _smallest(self, kind: Kind, story: Story, owner: str) -> Candidate | None:
        """The story cut after the request that differs, then without every request that is not needed."""
        kept = story if owner == FILES else story[: int(owner) + 1]
        found = self._differs(kind, kept, owner)
        shrinks = found is not None
        while shrinks:
            shrinks = False
            for index in reversed(range(len(kept) if owner == FILES else len(kept) - 1)):
                smaller = kept[:index] + kept[index + 1 :]
                less = self._differs(kind, smaller, owner) if smaller and complete(smaller) else None
                if less is not None:
                    kept, found, shrinks = smaller, less, True
                    break
        return found

    def _differs(self, kind: Kind, story: Story, owner: str) -> Candidate | None:
        """Whether in some world of the kind the last request (or the files) differs from the reference."""
        known = self.reference(story, kind.base(len(story)))
        wanted = FILES if owner == FILES else str(len(story) - 1)
        if owner != FILES and known.seen[0].answers[-1] is None:
            return None
        for world in kind.worlds(len(story)):
            seen = self.seen(story, world, 10)
            pointers = by_request(known.unlike(flat(seen))).get(wanted)
            if pointers:
                return Candidate(
                    kind=kind.name,
                    anomaly=kind.anomaly,
                    words=kind.words,
                    story=story,
                    world=world,
                    pointers=tuple(pointers),
                    expected=known.seen[0],
                    observed=seen,
                    where=kind.where,
                    stands=partial(self._stands, kind, story, world, tuple(pointers)),
                )
        return None

    def _stands(self, kind: Kind, story: Story, world: World, pointers: tuple[str, ...]) -> bool:
        base = kind.base(len(story))
        known = self.reference(story, base)
        later = [flat(self.seen(story, base, run)) for run in (21, 22)]
        known.noise.learn([known.runs[0], *later])
        again = [flat(self.seen(story, world, run)) for run in (23, 24)]
        return all(set(pointers) & set(known.unlike(one)) for one in again)


def _answers(run: Flat) -> Flat:
    return {pointer: value for pointer, value in run.items() if not pointer.startswith(FILES)}


def complete(story: Story) -> bool:
    """Whether each request has before it those whose answers it repeats."""
    names: set[str] = set()
    for request in story:
        if request.needs - names:
            return False
        names.add(request.name)
    return True


def pause() -> None:
    """Lets the clock go on to another second."""
    time.sleep(CLOCK_S)

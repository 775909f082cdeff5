"""The search: every world of a story against its reference; what differs is made minimal and tried again.

A difference counts when it is outside of the noise, and when it is still there after the reference was played anew
later. Everything is tried in a fixed order, so that two audits of one app find the same.
"""

import threading
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from dataclasses import replace
from functools import partial
from typing import Any
from typing import TypeVar

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
from statelab.audit.site import Sites
from statelab.audit.story import REFERENCE
from statelab.audit.story import Request
from statelab.audit.story import Story
from statelab.plan.deployments import Deployment

FILES = "files"
NO_STEP = 10**9
"""Holds nowhere: for counting the steps that a request takes."""
MOST_AT_ONCE = 8
WORLDS_OF_A_SCENE = 12
"""Guessed until some were tried."""
CLOCK_S = 1.05
"""At least two runs of the reference are so far apart; otherwise a time in whole seconds would not show as noise."""


T = TypeVar("T")
R = TypeVar("R")


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
    """A difference that is not a finding yet: the minimal story, the world, where it differs, and what both showed.

    `stands` tries it again, later and with other random numbers. `where` says which deployments have such a world.
    `unlike` says where what somebody else saw is explained by no reference, noise left out.
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
    unlike: Callable[[Seen], Sequence[str]]
    pair: tuple[int, int] | None = None
    clients: int = 0


class Explorer:
    """Plays worlds, several side by side, counts them, and remembers references."""

    def __init__(
        self, sites: Sites, progress: Callable[[str], None], *, ignore: Sequence[str] = (), most_steps: int = 150
    ) -> None:
        self.sites = sites
        self.most_steps = most_steps
        self._ignore = tuple(ignore)
        self.worlds = 0
        self.scenes_left = 0
        self.lines_held = 0
        self.notes: list[str] = []
        self._show = progress
        self._doing = ""
        self._began = time.monotonic()
        self._scenes = self._worlds_of_scenes = 0
        self._lock = threading.Lock()
        self._rules: dict[tuple[str, str], str] = {}
        self._known: dict[tuple[Story, World], Future[Reference]] = {}

    @property
    def import_left(self) -> list[str]:
        """Threads that the import left running."""
        return self.sites.first.import_left

    @property
    def has_gevent(self) -> bool:
        """Whether the app's interpreter has it."""
        return bool(self.sites.first.loaded.get("gevent"))

    def progress(self, doing: str) -> None:
        """Says what is tried from now on."""
        self._doing = doing
        self._tell()

    def tried(self, scenes: int, worlds: int) -> None:
        """So many scenes of overlaps took so many worlds: what the estimate rests on."""
        self.scenes_left -= scenes
        self._scenes += scenes
        self._worlds_of_scenes += worlds

    def _tell(self) -> None:
        """Shows the progress and an estimate of the rest: the overlaps that are left take as long as those before."""
        each = self._worlds_of_scenes / self._scenes if self._scenes else WORLDS_OF_A_SCENE
        left = each * self.scenes_left
        seconds = left * (time.monotonic() - self._began) / max(1, self.worlds)
        self._show(f"{self._doing}: {self.worlds} of about {self.worlds + left:.0f} worlds, about {seconds:.0f} s left")

    def seen(self, story: Story, world: World, run: int, *, look: bool = False, words: Sequence[str] = ()) -> Seen:
        with self.sites.one() as site:
            with self._lock:
                self.worlds += 1
                self.lines_held += bool(world.hold is not None and world.hold < NO_STEP)
            self._tell()
            return replace(play(site, story, world, run=run, look=look, words=words), ignored=self._ignore)

    def each(self, what: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """`what` of each item, side by side, in the order of the items."""
        listed = list(items)
        if len(listed) < 2:
            return [what(item) for item in listed]
        with ThreadPoolExecutor(len(listed) if len(listed) < MOST_AT_ONCE else MOST_AT_ONCE) as pool:
            futures = [pool.submit(what, item) for item in listed]
            try:
                return [future.result() for future in futures]
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def form(self, request: Request) -> str:
        """The request without what differs from one to the next: its method and the app's rule for its address."""
        path = request.target.partition("?")[0]
        if path.startswith("{{"):  # an address that an answer gives
            return str(request)
        key = (request.method, REFERENCE.sub("1", path))
        if key not in self._rules:
            self._rules[key] = self._routes(key).get("goes", [None])[0] or key[1]
        return f"{request.method} {self._rules[key]}"

    def _routes(self, key: tuple[str, str]) -> dict[str, Any]:
        with self.sites.one() as site:
            return site.routes([key])

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def reference(self, story: Story, base: World | None = None) -> Reference:
        """The story in its base world (default: one process) twice, and once in another process that imported."""
        base = base or reference(len(story))
        if not self.import_left:
            base = replace(base, forked=False)
        with self._lock:
            known = self._known.get((story, base))
            mine = known is None
            if known is None:
                known = self._known[story, base] = Future()
        if mine:
            try:
                known.set_result(self._reference(story, base))
            except BaseException as error:
                known.set_exception(error)
        return known.result()

    def _reference(self, story: Story, base: World) -> Reference:
        worlds = [(base, 1), (base, 2), (other_import(len(story)), 3)]
        seen = self.each(lambda one: self.seen(story, *one), worlds)
        runs = [flat(one) for one in seen]
        noise = Noise()
        noise.learn(runs[:2])
        noise.learn([_answers(runs[0]), _answers(runs[2])])
        return Reference(runs=runs[:2], seen=seen[:2], noise=noise)

    # One request after the other, in other processes

    def serial(self, story: Story, *, only: int | None = None) -> list[Candidate]:
        """The findings of each serial kind: one for each request that first differs. With `only`, of the worlds that
        split the story, those are tried that split it after so many requests, or at several places."""
        kinds = [kind for kind in SERIAL if self.import_left or not kind.after_threads]
        found = self.each(lambda kind: list(self._of_kind(kind, story, only)), kinds)
        return [candidate for of_kind in found for candidate in of_kind]

    def _of_kind(self, kind: Kind, story: Story, only: int | None) -> Iterator[Candidate]:
        told: set[str] = {FILES} if kind.answers_only and self.import_left else set()
        base = self.reference(story, kind.base(len(story)))
        worlds = [world for world in kind.worlds(len(story)) if only is None or world.parts_at in (None, only)]
        self.progress(kind.words)
        for unlike in self.each(lambda world: base.unlike(flat(self.seen(story, world, 10))), worlds):
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
        worlds = list(kind.worlds(len(story)))
        for world, seen in zip(worlds, self.each(lambda world: self.seen(story, world, 10), worlds), strict=True):
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
                    unlike=lambda seen: known.unlike(flat(seen)),
                    stands=partial(self._stands, kind, story, world, tuple(pointers)),
                )
        return None

    def _stands(self, kind: Kind, story: Story, world: World, pointers: tuple[str, ...]) -> bool:
        base = kind.base(len(story))
        known = self.reference(story, base)
        tries = [(base, 21), (base, 22), (world, 23), (world, 24)]
        played = [flat(seen) for seen in self.each(lambda one: self.seen(story, *one), tries)]
        known.noise.learn([known.runs[0], *played[:2]])
        return all(set(pointers) & set(known.unlike(again)) for again in played[2:])


def _answers(run: Flat) -> Flat:
    return {pointer: value for pointer, value in run.items() if not pointer.startswith(FILES)}


def complete(story: Story) -> bool:
    """Whether every request comes after those whose answers it repeats."""
    names: set[str] = set()
    for request in story:
        if request.needs - names:
            return False
        names.add(request.name)
    return True


def pause() -> None:
    """Lets the clock go on to another second."""
    time.sleep(CLOCK_S)

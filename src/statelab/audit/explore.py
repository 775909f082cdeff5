"""The search: compares every world of a story with its reference; each difference is made minimal and tried again.

A difference counts if it is not noise, and if it is still there after the reference was played again later. Everything
is tried in a fixed order, so that two audits of one app find the same.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from statelab.audit.compare import Noise, answers, by_request, different, flat
from statelab.audit.kinds import SERIAL, Kind, hosts_for_one_client, other_import, reference
from statelab.audit.play import NO_STEP, Seen, World, play
from statelab.audit.site import Sites
from statelab.audit.story import REFERENCE, Request, Story
from statelab.plan.deployments import Deployment

FILES = "files"
MOST_AT_ONCE = 8
WORLDS_OF_A_SCENE = 12
"""Estimated number of worlds for a scene of overlaps, used until some were tried."""
CLOCK_S = 1.05
"""Two runs of the reference are at least this far apart; otherwise a time in whole seconds would not show as noise."""

T = TypeVar("T")
R = TypeVar("R")


class Reference:
    """The story in its base world. Noise is learned when something first differs: from a second run, and from a run in
    another process that imported the app."""

    def __init__(self, explorer: "Explorer", story: Story, base: World) -> None:
        self._explorer, self._story, self._base = explorer, story, base
        self.seen = explorer.seen(story, base, 1)
        self.ended = time.monotonic()
        self._flat = flat(self.seen)
        self._noise = Noise()

    def unlike(self, seen: Seen) -> list[str]:
        """Pointers where a world differs from the reference, without noise."""
        found = different(self._flat, flat(seen))
        if found:
            self._explorer.once(("noise", self._story, self._base), self._learn)
        return self._noise.without(found)

    def _learn(self) -> None:
        tries = [(self._base, 2), (other_import(len(self._story)), 3)]
        again, imported = self._explorer.each(lambda one: flat(self._explorer.seen(self._story, *one)), tries)
        self._noise.learn([self._flat, again])
        self._noise.learn([answers(self._flat), answers(imported)])

    def learn(self, seen: Sequence[Seen]) -> None:
        """Learns noise from more runs."""
        self._noise.learn([self._flat, *map(flat, seen)])


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A difference that is not a finding yet: the minimal story, the world, the pointers that differ, and what both
    showed.

    `stands` tries it again, later and with other random numbers. `where` says which deployments have such a world.
    `unlike` gives the pointers, without noise, where no reference explains another run. `pair` are the two requests
    that overlap; `clients` is how many requests the first of two clients sends.
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
    """Plays worlds, several in parallel, counts them, and remembers references."""

    def __init__(
        self,
        sites: Sites,
        progress: Callable[[str], None],
        *,
        ignore: Sequence[str] = (),
        most_steps: int = 150,
        interruptions: int = 1,
        deployments: Collection[Deployment] | None = None,
    ) -> None:
        self.sites = sites
        self.most_steps = most_steps
        self.interruptions = interruptions
        self._deployments = deployments
        self._ignore = tuple(ignore)
        self.worlds = 0
        self.scenes_left = 0
        self.lines_held = 0
        self.notes: list[str] = []
        self.without_files: set[Hashable] = set()
        """Scenes of overlaps that change no files, in either order."""
        self._show = progress
        self._doing = ""
        self._began = time.monotonic()
        self._scenes = self._worlds_of_scenes = 0
        self._lock = threading.Lock()
        self._rules: dict[tuple[str, str], str] = {}
        self._known: dict[Hashable, Future[Any]] = {}

    @property
    def import_left(self) -> list[str]:
        """Threads that the import left running."""
        return self.sites.first.import_left

    @property
    def has_gevent(self) -> bool:
        """Whether the app's interpreter has gevent."""
        return bool(self.sites.first.loaded.get("gevent"))

    def some_has(self, where: Callable[[Deployment], bool]) -> bool:
        """Whether one of the chosen deployments has such worlds. If none were chosen, all worlds are tried."""
        return self._deployments is None or any(map(where, self._deployments))

    def progress(self, doing: str) -> None:
        """Shows what is tried from now on."""
        self._doing = doing
        self._tell()

    def tried(self, scenes: int, worlds: int) -> None:
        """Counts the scenes of overlaps that were tried and the worlds that they took, for the estimate."""
        self.scenes_left -= scenes
        self._scenes += scenes
        self._worlds_of_scenes += worlds

    def _tell(self) -> None:
        """Shows the progress and an estimate of the rest, which assumes that the remaining overlaps take as long as
        those before."""
        each = self._worlds_of_scenes / self._scenes if self._scenes else WORLDS_OF_A_SCENE
        left = each * self.scenes_left
        seconds = left * (time.monotonic() - self._began) / max(1, self.worlds)
        self._show(f"{self._doing}: {self.worlds} of about {self.worlds + left:.0f} worlds, about {seconds:.0f} s left")

    def seen(self, story: Story, world: World, run: int, *, look: bool = False, words: Sequence[str] = ()) -> Seen:
        with self.sites.one() as site:
            with self._lock:
                self.worlds += 1
                self.lines_held += sum(hold < NO_STEP for hold in world.holds)
            self._tell()
            return replace(play(site, story, world, run=run, look=look, words=words), ignored=self._ignore)

    def each(self, what: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """`what(item)` for each item, computed in parallel, in the order of the items."""
        listed = list(items)
        if len(listed) < 2:
            return [what(item) for item in listed]
        with ThreadPoolExecutor(min(len(listed), MOST_AT_ONCE)) as pool:
            futures = [pool.submit(what, item) for item in listed]
            try:
                return [future.result() for future in futures]
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def in_order(self, what: Callable[[T], R], items: Iterable[T]) -> Iterator[tuple[T, R]]:
        """Each item with `what(item)`, in order. Works ahead of the caller by as many items as there are sites."""
        with ThreadPoolExecutor(self.sites.most) as pool:
            waiting: deque[tuple[T, Future[R]]] = deque()
            try:
                for item in items:
                    waiting.append((item, pool.submit(what, item)))
                    if len(waiting) == self.sites.most:
                        item, future = waiting.popleft()
                        yield item, future.result()
                while waiting:
                    item, future = waiting.popleft()
                    yield item, future.result()
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def later_than(self, moment: float) -> None:
        """Waits until the clock shows a later second than at that moment."""
        time.sleep(max(0.0, moment + CLOCK_S - time.monotonic()))

    def form(self, request: Request) -> str:
        """The form of a request: its method and the app's rule for its address."""
        path = request.target.partition("?")[0]
        if path.startswith("{{"):  # an address taken from an answer
            return str(request)
        key = (request.method, REFERENCE.sub("1", path))
        if key not in self._rules:
            self._rules[key] = self.routes([key]).get("goes", [None])[0] or key[1]
        return f"{request.method} {self._rules[key]}"

    def routes(self, requests: list[tuple[str, str]]) -> dict[str, Any]:
        """The app's rules, and which of them each of these requests (method, path) goes to."""
        with self.sites.one() as site:
            return site.routes(requests)

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def reference(self, story: Story, base: World | None = None) -> Reference:
        """The story in its base world; default: one process."""
        base = self._plain(base or reference(len(story)))
        return self.once(("reference", story, base), lambda: Reference(self, story, base))

    def looked(self, story: Story) -> Seen:
        """The story played in one process, with the places in memory after each request."""
        return self.once(("look", story), lambda: self.seen(story, reference(len(story)), 1, look=True))

    def _plain(self, world: World) -> World:
        """The same world without details that make no difference for this app."""
        if not self.import_left:
            world = replace(world, forked=False)
        if world.beside and self.once("imports alike", self._imports_alike):
            world = replace(world, beside="")
        return world

    def _imports_alike(self) -> bool:
        with self.sites.one() as site:
            return site.imports_alike

    def _served(self, story: Story, world: World) -> Seen:
        """Plays a world of the search; it is played only once, however often it is asked for."""
        return self.once(("world", story, world), lambda: self.seen(story, world, 10))

    def once(self, key: Hashable, what: Callable[[], T]) -> T:
        """The result of the first call with this key; other calls wait for it."""
        with self._lock:
            known = self._known.get(key)
            mine = known is None
            if known is None:
                known = self._known[key] = Future()
        if mine:
            try:
                known.set_result(what())
            except BaseException as error:
                known.set_exception(error)
        found: T = known.result()
        return found

    # One request after the other, in other processes

    def serial(self, story: Story, *, only: int | None = None) -> list[Candidate]:
        """The findings of each serial kind: one for each request that first differs. With `only`, of the worlds that
        split the story, only those are tried that split it after this many requests, or at several places."""
        kinds = [kind for kind in SERIAL if (self.import_left or not kind.after_threads) and self.some_has(kind.where)]
        found = self.each(lambda kind: list(self._of_kind(kind, story, only)), kinds)
        return [candidate for of_kind in found for candidate in of_kind]

    def _of_kind(self, kind: Kind, story: Story, only: int | None) -> Iterator[Candidate]:
        told: set[str] = {FILES} if kind.several_hosts or (kind.answers_only and self.import_left) else set()
        base = self.reference(story, kind.base(len(story)))
        alike = self._plain(kind.base(len(story)))
        worlds = [
            world
            for world in kind.worlds(len(story))
            if (only is None or world.parts_at in (None, only)) and self._plain(world) != alike
        ]
        self.progress(kind.words)
        for unlike in self.each(lambda world: base.unlike(self._served(story, world)), worlds):
            for owner in by_request(unlike):
                if owner in told:
                    continue
                told.add(owner)
                found = self._smallest(kind, story, owner)
                if found is not None:
                    yield found
                    # the finding is also about all other requests with the form of its last one
                    last = self.form(found.story[-1])
                    told |= {str(index) for index, request in enumerate(story) if self.form(request) == last}

    def _smallest(self, kind: Kind, story: Story, owner: str) -> Candidate | None:
        """Cuts the story after the request that differs, then leaves out every request that is not needed."""
        before, last = (story, ()) if owner == FILES else (story[: int(owner)], story[int(owner) : int(owner) + 1])
        found = self._differs(kind, before + last, owner)

        def differs(fewer: Story) -> Candidate | None:
            smaller = fewer + last
            return self._differs(kind, smaller, owner) if smaller and complete(smaller) else None

        return smallest((before,), found, differs) if found else None

    def _differs(self, kind: Kind, story: Story, owner: str) -> Candidate | None:
        """The finding if, in some world of the kind, the last request (or the files) differs from the reference."""
        known = self.reference(story, kind.base(len(story)))
        wanted = FILES if owner == FILES else str(len(story) - 1)
        if owner != FILES and known.seen.answers[-1] is None:
            return None
        for world, seen in self.in_order(partial(self._served, story), kind.worlds(len(story))):
            pointers = by_request(known.unlike(seen)).get(wanted)
            if pointers:
                return Candidate(
                    kind=kind.name,
                    anomaly=kind.anomaly,
                    words=kind.words,
                    story=story,
                    world=world,
                    pointers=tuple(pointers),
                    expected=known.seen,
                    observed=seen,
                    where=hosts_for_one_client if kind.several_hosts and parts_a_client(story, world) else kind.where,
                    unlike=known.unlike,
                    stands=partial(self._stands, kind, story, world, tuple(pointers)),
                )
        return None

    def _stands(self, kind: Kind, story: Story, world: World, pointers: tuple[str, ...]) -> bool:
        base = kind.base(len(story))
        known = self.reference(story, base)
        tries = [(base, 21), (base, 22), (world, 23), (world, 24)]
        self.later_than(known.ended)
        played = self.each(lambda one: self.seen(story, *one), tries)
        known.learn(played[:2])
        return all(set(pointers) & set(known.unlike(again)) for again in played[2:])


def smallest(parts: tuple[Story, ...], found: Candidate, tried: Callable[..., Candidate | None]) -> Candidate:
    """The finding of a story in parts, with every request left out that it does not need.

    Tries to leave out each request of each part, the last one first, and repeats this until none can be left out.
    `tried` is called with the remaining parts, and returns the finding if it is still there.
    """
    shrinks = True
    while shrinks:
        shrinks = False
        for number in range(len(parts)):
            for at in reversed(range(len(parts[number]))):
                fewer = parts[number][:at] + parts[number][at + 1 :]
                less = tried(*parts[:number], fewer, *parts[number + 1 :])
                if less is not None:
                    parts, found, shrinks = (*parts[:number], fewer, *parts[number + 1 :]), less, True
    return found


def parts_a_client(story: Story, world: World) -> bool:
    """Whether the requests of at least one client are served by several processes."""
    served = {(request.client, at.process) for request, at in zip(story, world.at, strict=True)}
    return len(served) > len({client for client, _ in served})


def complete(story: Story) -> bool:
    """Whether every request comes after those whose answers it repeats."""
    names: set[str] = set()
    for request in story:
        if request.needs - names:
            return False
        names.add(request.name)
    return True

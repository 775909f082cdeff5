"""Overlaps: a request is interrupted at one of its steps, another one is served completely, then the first goes on.

With two interruptions the other one is served up to one of its steps, and goes on when the first has ended; with three
the first is held once more in between. The answers of both, the answers of the requests after them and the files must
equal those of one of the two serial orders, served by the same threads and processes. If the second cannot go on while
the first is held, it is excluded, which is what a lock is for: then the first goes on, and after it the second.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from statelab.audit.compare import Flat, Noise, answers, different, flat
from statelab.audit.explore import Candidate, Explorer, smallest
from statelab.audit.inputs import marked, texts, values, varied
from statelab.audit.kinds import side_by_side
from statelab.audit.play import NO_STEP, At, Seen, World
from statelab.audit.story import Story
from statelab.plan.deployments import Deployment

SAME_LINE = 3
"""A request is held at one line at most this many times."""
BATCH = 16
"""How many pairs are tried before pairs similar to one with a finding are left out of the rest."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """What separates the two requests: `first` and `second` say who serves them, `words` describe it."""

    name: str
    words: str
    first: At
    second: At
    other: At

    def has(self, deployment: Deployment) -> bool:
        if self.name == "greenlets" and deployment.unpatched_at_import:
            return False
        return self.name in deployment.spread - deployment.in_turn

    def has_over_a_store(self, deployment: Deployment) -> bool:
        """The same for two requests that meet in a store: two processes may then be on two hosts."""
        return self.has(deployment) or (self.name == "processes" and side_by_side(deployment))


THREADS = Boundary("threads", "two threads of one process", At("a1", "one"), At("a1", "two"), At("a1", "three"))
GREENLETS = Boundary("greenlets", "two greenlets of one process", At("a1", "one"), At("a1", "two"), At("a1", "three"))
PROCESSES = Boundary("processes", "two processes", At("a1", "one"), At("a2", "one"), At("a1", "three"))


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A story in parts: requests before, the two that overlap, requests after."""

    before: Story
    pair: Story
    after: Story

    @property
    def story(self) -> Story:
        return self.before + self.pair + self.after

    @property
    def swapped(self) -> Story:
        return self.before + self.pair[::-1] + self.after

    def world(self, boundary: Boundary, *holds: int) -> World:
        """A world in which the two are served in turns, each until the next of these steps; without steps, one after
        the other."""
        at = (boundary.other,) * len(self.before) + (boundary.first, boundary.second)
        return World(
            kind=boundary.name,
            at=at + (boundary.other,) * len(self.after),
            pair=len(self.before),
            holds=holds,
            patched=boundary is GREENLETS,
        )

    def world_swapped(self, boundary: Boundary) -> World:
        at = (boundary.other,) * len(self.before) + (boundary.second, boundary.first)
        return replace(self.world(boundary), at=at + (boundary.other,) * len(self.after))


class Orders:
    """Both orders of a scene's two requests, with their noise. Each order is played once. It is played again, to learn
    noise, only if a world equals neither order. Noise can only remove differences, so a world that equals an order
    needs no noise."""

    def __init__(self, explorer: Explorer, scene: Scene, boundary: Boundary) -> None:
        self._explorer, self._scene, self._boundary = explorer, scene, boundary
        self._runs: tuple[list[Flat], list[Flat]] = ([], [])
        self.seen: list[Seen] = []
        self._noise = (Noise(), Noise())
        self._learned = False
        self.play(1)
        self._ended = time.monotonic()

    def play(self, *run_numbers: int, anew: bool = False) -> None:
        """Plays both orders once more for each of these runs; with `anew`, in processes that imported the app
        themselves, to learn which random values an import makes (the files are those of two imports, and are not
        compared)."""
        scene, boundary, index = self._scene, self._boundary, len(self._scene.before)
        orders = [(scene.story, scene.world(boundary)), (scene.swapped, scene.world_swapped(boundary))]
        if anew:
            orders = [(story, _by_b(world)) for story, world in orders]
        tries = [(*order, run) for run in run_numbers for order in orders]
        for number, seen in enumerate(self._explorer.each(lambda one: self._explorer.seen(*one), tries)):
            order = number % 2
            if order:  # sorted by request, not by the time of sending
                swap = {index: index + 1, index + 1: index}
                seen.answers[index : index + 2] = seen.answers[index : index + 2][::-1]
                seen.trouble = {swap.get(at, at): text for at, text in seen.trouble.items()}
            if anew:
                self._noise[order].learn([answers(self._runs[order][0]), answers(flat(seen))])
                continue
            self.seen.append(seen)
            self._runs[order].append(flat(seen))
            self._noise[order].learn(self._runs[order])

    def unlike(self, seen: Seen) -> list[str]:
        """Where a world differs from the nearest order; empty if an order explains it."""
        found = min(self._unlike_each(seen), key=len)
        if found and not self._learned:
            self._learned = True
            self.play(2, 4)
            self.play(5, anew=True)
            found = min(self._unlike_each(seen), key=len)
        return found

    def _unlike_each(self, seen: Seen) -> list[list[str]]:
        world = flat(seen)
        return [noise.without(different(runs[0], world)) for runs, noise in zip(self._runs, self._noise, strict=True)]

    def nearest(self, seen: Seen) -> Seen:
        one, other = self._unlike_each(seen)
        return self.seen[0] if len(one) <= len(other) else self.seen[1]

    def stands(self, world: World) -> bool:
        """Whether still no order explains the world when everything is played again."""
        self._explorer.later_than(self._ended)
        self.play(21)
        again = self._explorer.each(lambda run: self._explorer.seen(self._scene.story, world, run), (22, 23))
        return all(map(self.unlike, again))

    @property
    def touches_files(self) -> bool:
        return any(seen.files for seen in self.seen)


def _by_b(world: World) -> World:
    return replace(world, at=tuple(replace(at, process="b" + at.process[1:]) for at in world.at))


def steps_to_hold(steps: list[dict[str, object]], most: int) -> list[int]:
    """Numbers of the steps to try, in order. If no other code can see a difference between consecutive steps, only the
    last of them is tried, because under a tracer an object held by a local variable is freed one step late (CPython
    until 3.12)."""
    passed: dict[tuple[object, ...], int] = {}
    chosen: list[int] = []
    alike = False
    for number, step in enumerate(steps):
        key = tuple(step[part] for part in ("file", "line", "function", "at"))
        passed[key] = passed.get(key, 0) + 1
        alike = passed[key] <= SAME_LINE or (alike and bool(step.get("as_before")))
        ends = number + 1 == len(steps) or not steps[number + 1].get("as_before")
        if alike and ends:
            chosen.append(number)
    return chosen[:most]


def scenes(story: Story) -> Iterator[Scene]:
    """Pairs every request of the story with a copy of each request (itself included) sent by another client: once with
    the same values, and once with other values if it sends any."""
    tried = set()
    for i, first in enumerate(story):
        before, following = story[:i], story[i + 1 :]
        # pages read before are read once more at the end
        targets = {str(request) for request in following}
        again = [
            replace(request, name="") for request in story[: i + 1] if request.reads and str(request) not in targets
        ]
        after = following + tuple(again)
        names = {request.name for request in before}
        for other in story:
            if other.needs - names:
                continue
            twin = replace(other, client=other.client + "'", name="", wait_s=0.0)
            other_values = varied(twin, marked("2"))
            for second in dict.fromkeys((twin, other_values)):
                key = (before, first, replace(second, line=0))
                if key not in tried:
                    tried.add(key)
                    yield Scene(before=before, pair=(replace(first, wait_s=0.0), second), after=after)


def overlaps(explorer: Explorer, story: Story, boundary: Boundary) -> Iterator[Candidate]:
    """The findings of a story's overlaps, one for each two requests."""
    told: set[tuple[str, str, str]] = set()
    waiting = list(scenes(story))
    if boundary is GREENLETS:
        waiting = _that_switch(explorer, waiting)
    while waiting:
        batch, waiting = waiting[:BATCH], waiting[BATCH:]
        worlds = explorer.worlds
        explorer.progress(f"between {boundary.words}: {batch[0].pair[0]}, {batch[0].pair[1]}")
        new = [scene for scene in batch if not told & _known(explorer, scene, "lost-update", "stalled")]
        found = explorer.each(lambda scene: first_difference(explorer, scene, boundary), new)
        for scene, candidate in zip(new, found, strict=True):
            if candidate is not None and not told & _known(explorer, scene, candidate.anomaly):
                told |= _known(explorer, scene, candidate.anomaly)
                yield _smallest(explorer, scene, boundary, candidate)
        explorer.tried(len(batch), explorer.worlds - worlds)


def _steps(explorer: Explorer, scene: Scene, boundary: Boundary) -> list[dict[str, object]]:
    """The steps of the first request, which are the same whatever comes after it."""
    alone = replace(scene, after=())
    world = alone.world(boundary, NO_STEP)
    return explorer.once(
        (boundary.name, scene.before, scene.pair[0]), lambda: explorer.seen(alone.story, world, 3).steps
    )


def _that_switch(explorer: Explorer, found: list[Scene]) -> list[Scene]:
    """The scenes whose first request lets other greenlets run. The others, which are the majority, need not be
    played."""
    explorer.progress(f"between {GREENLETS.words}")
    one_each = {scene.before + scene.pair[:1]: scene for scene in found}
    steps = explorer.each(lambda scene: _steps(explorer, scene, GREENLETS), one_each.values())
    switching = {first for first, taken in zip(one_each, steps, strict=True) if taken}
    left = [scene for scene in found if scene.before + scene.pair[:1] in switching]
    explorer.tried(len(found) - len(left), len(one_each))
    return left


def _known(explorer: Explorer, scene: Scene, *anomalies: str) -> set[tuple[str, str, str]]:
    one, other = sorted(map(explorer.form, scene.pair))
    return {(one, other, anomaly) for anomaly in anomalies}


def first_difference(
    explorer: Explorer, scene: Scene, boundary: Boundary, like: Candidate | None = None
) -> Candidate | None:
    """The first world with a request held in which no order explains what was seen; with `like`, the first that has the
    same anomaly. None if there is none."""
    if boundary is PROCESSES and scene in explorer.without_files:
        return None
    orders = Orders(explorer, scene, boundary)
    index = len(scene.before)
    if not orders.touches_files:
        explorer.without_files.add(scene)
        if boundary is PROCESSES:
            return None
    if any(seen.answers[at] is None for seen in orders.seen for at in (index, index + 1)):
        return None
    begun: list[tuple[tuple[int, ...], list[dict[str, object]]]] = [((), _steps(explorer, scene, boundary))]
    for interruptions in range(1, explorer.interruptions + 1):
        # each adds a hold to a schedule with one interruption fewer, which counted the steps of the request served last
        schedules = [
            (*before, hold)
            for before, steps in begun
            for hold in steps_to_hold(steps, explorer.most_steps)
            if hold > max(before[-2::-2], default=-1)
        ]
        counting = (NO_STEP,) if interruptions < explorer.interruptions else ()
        begun = []

        def held(holds: tuple[int, ...], counting: tuple[int, ...] = counting) -> Seen:
            return explorer.seen(scene.story, scene.world(boundary, *holds, *counting), 10)

        for holds, seen in explorer.in_order(held, schedules):
            begun.append((holds, seen.steps))
            pointers = orders.unlike(seen) if seen.held else []
            anomaly = _anomaly(scene, seen, orders) if pointers else ""
            if pointers and (like is None or anomaly == like.anomaly):
                world = scene.world(boundary, *holds)
                return Candidate(
                    kind=boundary.name,
                    anomaly=anomaly,
                    words=f"served by {boundary.words} at once",
                    story=scene.story,
                    world=world,
                    pointers=tuple(pointers),
                    expected=orders.nearest(seen),
                    observed=seen,
                    pair=(index, index + 1),
                    where=boundary.has_over_a_store if explorer.sites.app.stores else boundary.has,
                    unlike=orders.unlike,
                    stands=partial(orders.stands, world),
                )
    return None


def _anomaly(scene: Scene, seen: Seen, orders: Orders) -> str:
    """`stalled` if a request has no answer, `leak-overlap` if one shows a value that only the other sent, else
    `lost-update`."""
    index = len(scene.before)
    if any(at in seen.trouble for at in (index, index + 1)):
        return "stalled"
    for mine, other in ((0, 1), (1, 0)):
        foreign = values(scene.pair[other]) - values(scene.pair[mine])
        for request in scene.before:
            foreign -= values(request)
        answer = seen.answers[index + mine]
        serial = [texts(one.answers[index + mine]) for one in orders.seen]
        usual = [text for answer_texts in serial for text in answer_texts]
        for value in foreign:
            if any(value in text for text in texts(answer)) and not any(value in text for text in usual):
                return "leak-overlap"
    return "lost-update"


def _smallest(explorer: Explorer, scene: Scene, boundary: Boundary, found: Candidate) -> Candidate:
    """The finding without the requests before and after that are not needed for the same anomaly."""

    def differs(after: Story, before: Story) -> Candidate | None:
        names = {request.name for request in before}
        if any(request.needs - names for request in scene.pair):
            return None
        return first_difference(explorer, replace(scene, before=before, after=after), boundary, found)

    return smallest((scene.after, scene.before), found, differs)

"""Between: a request is interrupted at one of its steps, another one served whole, then the first goes on.

The answers of both, what the requests after them show and what is left in files must be those of one of the two orders
in which the two can follow each other, served by the same threads and processes. A second that cannot go on while the
first is held is excluded, which is what a lock is for: the first goes on, and so does the second.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace
from functools import partial

from statelab.audit.compare import Flat
from statelab.audit.compare import Noise
from statelab.audit.compare import different
from statelab.audit.compare import flat
from statelab.audit.explore import NO_STEP
from statelab.audit.explore import Candidate
from statelab.audit.explore import Explorer
from statelab.audit.inputs import marked
from statelab.audit.inputs import texts
from statelab.audit.inputs import values
from statelab.audit.inputs import varied
from statelab.audit.kinds import side_by_side
from statelab.audit.play import At
from statelab.audit.play import Seen
from statelab.audit.play import World
from statelab.audit.story import Story
from statelab.plan.deployments import Deployment

SAME_LINE = 3
"""A request is held at one line at most this many times."""
BATCH = 16
"""After every so many pairs, those that are like a pair with a finding are left out."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """What lies between the two requests: `first` and `second` serve them, `words` say so."""

    name: str
    words: str
    first: At
    second: At
    other: At

    def has(self, deployment: Deployment) -> bool:
        if self.name == "processes":
            return side_by_side(deployment)
        return self.name in deployment.spread - deployment.in_turn


THREADS = Boundary("threads", "two threads of one process", At("a1", "one"), At("a1", "two"), At("a1", "three"))
GREENLETS = Boundary("greenlets", "two greenlets of one process", At("a1", "one"), At("a1", "two"), At("a1", "three"))
PROCESSES = Boundary("processes", "two processes", At("a1", "one"), At("a2", "one"), At("a1", "three"))


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Requests before, the two that overlap, requests after."""

    before: Story
    pair: Story
    after: Story

    @property
    def story(self) -> Story:
        return self.before + self.pair + self.after

    @property
    def swapped(self) -> Story:
        return self.before + self.pair[::-1] + self.after

    def world(self, boundary: Boundary, hold: int | None) -> World:
        """Interrupted at step `hold`; None: the first, then the second."""
        at = (boundary.other,) * len(self.before) + (boundary.first, boundary.second)
        return World(
            kind=boundary.name,
            at=at + (boundary.other,) * len(self.after),
            pair=len(self.before),
            hold=hold,
            patched=boundary is GREENLETS,
        )

    def world_swapped(self, boundary: Boundary) -> World:
        at = (boundary.other,) * len(self.before) + (boundary.second, boundary.first)
        return replace(self.world(boundary, None), at=at + (boundary.other,) * len(self.after))


class Orders:
    """Both orders of a scene's two requests, each played twice, with their noise."""

    def __init__(self, explorer: Explorer, scene: Scene, boundary: Boundary) -> None:
        self._explorer, self._scene, self._boundary = explorer, scene, boundary
        self._runs: tuple[list[Flat], list[Flat]] = ([], [])
        self.seen: list[Seen] = []
        self._noise = (Noise(), Noise())
        self.play(1, 2)

    def play(self, *run_numbers: int) -> None:
        """Once more for each of these runs."""
        scene, boundary, index = self._scene, self._boundary, len(self._scene.before)
        orders = [(scene.story, scene.world(boundary, None)), (scene.swapped, scene.world_swapped(boundary))]
        tries = [(*order, run) for run in run_numbers for order in orders]
        for number, seen in enumerate(self._explorer.each(lambda one: self._explorer.seen(*one), tries)):
            order = number % 2
            if order:  # by the requests, not by when they were sent
                swap = {index: index + 1, index + 1: index}
                seen.answers[index : index + 2] = seen.answers[index : index + 2][::-1]
                seen.trouble = {swap.get(at, at): text for at, text in seen.trouble.items()}
            self.seen.append(seen)
            self._runs[order].append(flat(seen))
            self._noise[order].learn(self._runs[order])

    def unlike(self, seen: Seen) -> list[str]:
        """Where it differs from the order that it is nearest to; empty where an order explains it."""
        world = flat(seen)
        each = [noise.without(different(runs[0], world)) for runs, noise in zip(self._runs, self._noise, strict=True)]
        return min(each, key=len)

    def nearest(self, seen: Seen) -> Seen:
        world = flat(seen)
        unlike = [
            len(noise.without(different(runs[0], world))) for runs, noise in zip(self._runs, self._noise, strict=True)
        ]
        return self.seen[0] if unlike[0] <= unlike[1] else self.seen[1]

    def stands(self, world: World) -> bool:
        """Whether no order explains the world when all is played anew."""
        self.play(21)
        again = self._explorer.each(lambda run: self._explorer.seen(self._scene.story, world, run), (22, 23))
        return all(map(self.unlike, again))

    @property
    def touches_files(self) -> bool:
        return any(seen.files for seen in self.seen)


def steps_to_hold(steps: list[dict[str, object]], most: int) -> list[int]:
    """Numbers of the steps that are tried, in order."""
    passed: dict[tuple[object, ...], int] = {}
    chosen: list[int] = []
    for number, step in enumerate(steps):
        key = tuple(step.values())
        passed[key] = passed.get(key, 0) + 1
        if passed[key] <= SAME_LINE and len(chosen) < most:
            chosen.append(number)
    return chosen


def scenes(story: Story) -> Iterator[Scene]:
    """Every request of the story with a twin of every other one and of itself, sent by another client: once the same,
    and once with values of its own where it sends any."""
    tried = set()
    for i, first in enumerate(story):
        before = story[:i]
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
                    yield Scene(before=before, pair=(replace(first, wait_s=0.0), second), after=_after(story, i))


def _after(story: Story, i: int) -> Story:
    """What follows, then what was read before, once more."""
    following = story[i + 1 :]
    targets = {str(request) for request in following}
    again = [replace(request, name="") for request in story[: i + 1] if request.reads and str(request) not in targets]
    return following + tuple(again)


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
        found = explorer.each(lambda scene: _first_difference(explorer, scene, boundary), new)
        for scene, candidate in zip(new, found, strict=True):
            if candidate is not None and not told & _known(explorer, scene, candidate.anomaly):
                told |= _known(explorer, scene, candidate.anomaly)
                yield _smallest(explorer, scene, boundary, candidate)
        explorer.tried(len(batch), explorer.worlds - worlds)


def _steps(explorer: Explorer, scene: Scene, boundary: Boundary) -> list[dict[str, object]]:
    """The steps that the first request takes."""
    return explorer.seen(scene.story, scene.world(boundary, NO_STEP), 3).steps


def _that_switch(explorer: Explorer, found: list[Scene]) -> list[Scene]:
    """Those whose first request lets other greenlets in: no other one needs to be played, and most do not."""
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


def _first_difference(
    explorer: Explorer, scene: Scene, boundary: Boundary, like: Candidate | None = None
) -> Candidate | None:
    """The first step at which holding gives what no order explains; with `like`, with the same anomaly."""
    orders = Orders(explorer, scene, boundary)
    index = len(scene.before)
    if boundary.name == "processes" and not orders.touches_files:
        return None
    if any(seen.answers[at] is None for seen in orders.seen for at in (index, index + 1)):
        return None
    steps = _steps(explorer, scene, boundary)
    worlds = [scene.world(boundary, hold) for hold in steps_to_hold(steps, explorer.most_steps)]
    played = explorer.each(lambda world: explorer.seen(scene.story, world, 10), worlds)
    unlike = [(world, seen) for world, seen in zip(worlds, played, strict=True) if seen.held and orders.unlike(seen)]
    if unlike:
        orders.play(4)
    for world, seen in unlike:
        pointers = orders.unlike(seen)
        anomaly = _anomaly(scene, seen, orders)
        if pointers and (like is None or anomaly == like.anomaly):
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
                where=boundary.has,
                unlike=orders.unlike,
                stands=partial(orders.stands, world),
            )
    return None


def _anomaly(scene: Scene, seen: Seen, orders: Orders) -> str:
    """`stalled` if one has no answer, `leak-overlap` if one shows what only the other sent, else `lost-update`."""
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
    """Without every request before and after that is not needed for the same anomaly."""
    shrinks = True
    while shrinks:
        shrinks = False
        for smaller in _smaller(scene):
            less = _first_difference(explorer, smaller, boundary, found)
            if less is not None:
                scene, found, shrinks = smaller, less, True
                break
    return found


def _smaller(scene: Scene) -> Iterator[Scene]:
    for index in reversed(range(len(scene.after))):
        yield replace(scene, after=scene.after[:index] + scene.after[index + 1 :])
    for index in reversed(range(len(scene.before))):
        before = scene.before[:index] + scene.before[index + 1 :]
        names = {request.name for request in before}
        if not any(request.needs - names for request in scene.pair):
            yield replace(scene, before=before)

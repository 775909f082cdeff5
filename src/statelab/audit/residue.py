"""Finds leaks left behind: values that one client sent and another client is shown later.

The second client's story is served after the first one's: once in the same process, and once with the first one's
served by another process. Any difference went through memory and not through a store. It is a leak if the second client
is shown a value that only the first has sent, unless that value lies in a collection that the app fills for everybody.
Such a list is `divergent`; only its author knows whether others should see it.
"""

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from statelab.audit.compare import Noise, different, flat
from statelab.audit.explore import Candidate, Explorer, complete, smallest
from statelab.audit.inputs import marked, texts, values, varied
from statelab.audit.kinds import FRESH_THREADS, PROCESSES
from statelab.audit.play import At, Seen, World
from statelab.audit.story import REFERENCE, Request, Story
from statelab.plan.deployments import Deployment

Place = tuple[str, At, At, At]
"""The place in words, then who serves the first client, who serves the second, and who serves the first when the two
are kept apart."""
SAME_THREAD = ("in the same thread", At("a1"), At("a1"), At("a2"))
OTHER_THREAD = ("in another thread of the same process", At("a1", "one"), At("a1", "two"), At("a2", "one"))

OF_THE_REQUEST_S_OWN = ("__defaults__", "__kwdefaults__", "(of this thread)", ".get()")


def keeps_processes(deployment: Deployment) -> bool:
    """Whether a process serves more than one request."""
    return not deployment.fresh & PROCESSES


def keeps_threads(deployment: Deployment) -> bool:
    """Whether a thread serves more than one request."""
    return keeps_processes(deployment) and not deployment.fresh & FRESH_THREADS


def another_client(story: Story, mark: str) -> Story:
    """The same requests by new clients, with values of their own if `mark` is given."""

    def renamed(request: Request) -> Request:
        text = partial(REFERENCE.sub, lambda found: found.group().replace(found.group(1), found.group(1) + "-2", 1))
        own = varied(request, marked(mark)) if mark else request
        return replace(
            own,
            target=text(own.target),
            body=text(own.body),
            headers=tuple((name, text(value)) for name, value in own.headers),
            name=request.name and request.name + "-2",
            client=request.client + "-2",
        )

    return tuple(map(renamed, story))


def leaks(explorer: Explorer, story: Story) -> Iterator[Candidate]:
    """The findings, one for each request that shows what another client sent."""
    told: set[str] = set()
    clients = list(_two_clients(explorer, story))
    explorer.progress("one client after another")
    found = explorer.each(lambda two: _in_some_thread(explorer, *two), clients)
    for (first, second), leak in zip(clients, found, strict=True):
        if leak is not None and explorer.form(second[-1]) not in told:
            told.add(explorer.form(second[-1]))
            yield _smallest(explorer, first, second, *leak)


def _in_some_thread(explorer: Explorer, first: Story, second: Story) -> tuple[Place, Candidate] | None:
    """The leak into another thread, or else the leak into the same thread. A value that leaks into another thread leaks
    into the same one too, so the same thread is tried first, and another only if that leaked."""
    found = None
    for place, where in ((SAME_THREAD, keeps_threads), (OTHER_THREAD, keeps_processes)):
        if explorer.some_has(where):
            leak = _leak(explorer, first, second, place)
            if leak is None:
                break
            found = place, leak
    return found


def _two_clients(explorer: Explorer, story: Story) -> Iterator[tuple[Story, Story]]:
    """Pairs of stories: the whole story twice, and the whole story followed by each of its requests with the requests
    that it needs."""
    own = another_client(story, "2")
    if _statuses(explorer, own) != _statuses(explorer, story):
        own = another_client(story, "")
    for index in range(len(own)):
        kept = {index}  # the request, and those before it whose answers it repeats
        for at in range(index - 1, -1, -1):
            if any(own[at].name in own[later].needs for later in kept):
                kept.add(at)
        needed = tuple(own[at] for at in sorted(kept))
        yield story, needed
        if own[: index + 1] != needed:
            yield story, own[: index + 1]


def _statuses(explorer: Explorer, story: Story) -> list[int | None]:
    return [answer["status"] if answer else None for answer in explorer.reference(story).seen.answers]


def _leak(explorer: Explorer, first: Story, second: Story, place: Place) -> Candidate | None:
    """The leak, if the last request of `second` shows what `first` sent, and only when the same process served it."""
    words, one, two, apart = place
    story = first + second
    with_it = World(kind="left-behind", at=(one,) * len(first) + (two,) * len(second))
    without = World(kind="left-behind", at=(apart,) * len(first) + (two,) * len(second))
    expected, observed = explorer.each(lambda one: explorer.seen(story, *one), [(without, 1), (with_it, 10)])
    ended = time.monotonic()
    noise = Noise()
    last = str(len(story) - 1)

    def unlike(seen: Seen) -> list[str]:
        return noise.without(different(flat(expected), flat(seen)))

    def of_the_last() -> list[str]:
        return [pointer for pointer in unlike(observed) if pointer.partition("/")[0] == last]

    if not of_the_last():
        return None
    noise.learn([flat(expected), flat(explorer.seen(story, without, 2))])
    pointers = of_the_last()
    if not pointers:
        return None
    sent = frozenset[str]().union(*map(values, first))
    own = frozenset[str]().union(*map(values, second))
    shown = _shown(observed, sent - own) - _shown(expected, sent)
    if not shown:
        return None
    lost_own = _shown(expected, own) - _shown(observed, own)
    if not lost_own and not _not_for_everybody(explorer, first, one, sorted(shown)):
        sender = next((request for request in first if values(request) & shown), first[0])
        explorer.note(
            f"{second[-1]} shows another client what {sender} sent, from a collection that it is kept in:"
            " no finding, since it may be meant for everybody"
        )
        return None

    def stands() -> bool:
        explorer.later_than(ended)
        noise.learn([flat(expected), *(flat(explorer.seen(story, without, run)) for run in (21, 22))])
        return bool(set(pointers) & set(unlike(explorer.seen(story, with_it, 23))))

    return Candidate(
        kind="left-behind",
        anomaly="leak-residue",
        words=f"one client after another {words}",
        story=story,
        world=with_it,
        pointers=tuple(pointers),
        expected=expected,
        observed=observed,
        stands=stands,
        unlike=unlike,
        where=keeps_processes if place is OTHER_THREAD else keeps_threads,
        clients=len(first),
    )


def _shown(seen: Seen, words: frozenset[str]) -> frozenset[str]:
    """The values among these that the last answer shows."""
    shown = list(texts(seen.answers[-1]))
    whole = {word: re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])") for word in words}
    return frozenset(word for word, pattern in whole.items() if any(map(pattern.search, shown)))


def _not_for_everybody(explorer: Explorer, first: Story, at: At, words: list[str]) -> bool:
    """Whether one of the values lies outside of collections that everybody shares: in an attribute, a default argument,
    or a thread."""
    world = World(kind="look", at=(replace(at, thread="main"),) * len(first))
    seen = explorer.seen(first, world, 1, look=True, words=words)
    if not seen.places:
        return True
    holding = [place for word in words for place in seen.places[-1]["holding"][word]]
    plain = [place for place in holding if "[" not in place or any(mark in place for mark in OF_THE_REQUEST_S_OWN)]
    return bool(plain) or not holding


def _smallest(explorer: Explorer, first: Story, second: Story, place: Place, found: Candidate) -> Candidate:
    """The finding without the requests that it does not need; the last one, which shows the leak, is always kept."""

    def leaks_still(fewer: Story, before_last: Story) -> Candidate | None:
        rest = before_last + second[-1:]
        return _leak(explorer, fewer, rest, place) if fewer and complete(fewer) and complete(rest) else None

    return smallest((first, second[:-1]), found, leaks_still)

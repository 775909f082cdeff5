"""Coverage of the stories: whether they wrote anything at all, and which of the app's rules no request reached."""

from collections.abc import Iterable, Iterator, Sequence

from statelab.audit.explore import Explorer
from statelab.audit.story import READS, Story
from statelab.audit.tell import changes

NOT_OF_THE_APP = "static"
"""The endpoint by which Flask itself serves files."""


def exercises(explorer: Explorer, story: Story) -> Iterator[str]:
    """Why the story exercises nothing: every request fails, or nothing is written. Empty if it exercises something."""
    seen = explorer.reference(story).seen
    served = [request for request, answer in zip(story, seen.answers, strict=True) if answer and answer["status"] < 500]
    first = f"the story that begins with {story[0]}"
    if not served:
        yield f"{first} exercises nothing: every request in it fails"
    elif all(request.reads for request in served) and not seen.files:
        cookies = any(
            name.lower() == "set-cookie" for answer in seen.answers if answer for name, _ in answer["headers"]
        )
        if not cookies and not any(changes(explorer.looked(story))):
            yield f"{first} exercises nothing: it only reads, and changes no place in memory, no file and no cookie"


def troubles(explorer: Explorer, story: Story) -> Iterator[str]:
    """Failures of the story even when it is served alone, and what the fence refused."""
    seen = explorer.reference(story).seen
    for refused in explorer.looked(story).blocked:
        yield f"the app was refused a {refused}"
    for index, trouble in seen.trouble.items():
        yield f"{story[index]}: {trouble}"
    for name in seen.busy:
        yield f"a thread {name!r} that a request started went on after {3:g} s; what it does later is not seen"
    for index, answer in enumerate(seen.answers):
        if answer is not None and answer["status"] >= 500:
            yield f"{story[index]} is answered {answer['status']} even when served alone"


def not_reached(explorer: Explorer, stories: Sequence[Story]) -> tuple[str, ...]:
    """Each method and rule of the app that no request of the stories reached, as `POST /jobs/<name>`."""
    sent: Iterable[str] = (text for story in stories for text in explorer.reference(story).seen.sent.values())
    keys = [(method, target.partition("?")[0]) for method, _, target in (text.partition(" ") for text in sent)]
    known = explorer.routes(keys)
    if known["routes"] is None:
        return ()
    reached = {(method, rule) for (method, _), rule in zip(keys, known["goes"], strict=True)}
    return tuple(
        f"{method} {rule['rule']}"
        for rule in known["routes"]
        if rule["endpoint"] != NOT_OF_THE_APP
        for method in rule["methods"]
        if (method, rule["rule"]) not in reached and method not in READS - {"GET"}
    )

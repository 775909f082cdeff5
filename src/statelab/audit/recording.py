"""Stories that the lab recorded: the history of a promise, as `statelab run --app` saves it.

In: a history (`histories/<workload>/run-1/<promise>.<deployment>.<window>.parquet`, or operations as JSON Lines in a
file that has the promise's name) and the app's promises, which say what request each operation is. Out: the first
operations as a story, each of the load's clients a client of its own.
"""

from pathlib import Path

import msgspec

from statelab.audit.story import Request, Story
from statelab.core.errors import BadInput
from statelab.core.operation import Operation, decode_lines
from statelab.plan import promises

SUFFIXES = (".parquet", ".jsonl")
MOST_REQUESTS = 12
"""The most requests of a story. A recording has thousands of operations of few kinds, and the number of worlds grows
with the square of the requests."""


def is_recording(path: Path) -> bool:
    return path.suffix in SUFFIXES


def read(path: Path, folder: Path) -> tuple[Story, list[str]]:
    """The story, and a note on what was left out; raises BadInput. `folder` is the app's, with its promises."""
    name = path.name.partition(".")[0]
    promise = promises.load(folder).get(name)
    if promise is None:
        raise BadInput(f"{path}: what it recorded is asked for by no [promise.{name}] of {folder}")
    operations = sorted(_operations(path), key=lambda operation: operation.start)
    story: list[Request] = []
    for operation in operations[:MOST_REQUESTS]:
        ask = promise.asks.get(operation.op)
        if ask is None:
            raise BadInput(f"{path}: [promise.{name}] says no request for {operation.op!r}, which was recorded")
        sent = {"key": operation.key, "id": operation.op_id or "", "body": operation.op_id or ""}
        known = sent if operation.value is None else {**sent, "value": operation.value}
        try:
            target, headers, body = ask.fill(known)
        except KeyError as error:
            raise BadInput(
                f"{path}: a history does not have the {{{error.args[0]}}} of {operation.op!r}: write an .http file"
            ) from None
        story.append(
            Request(
                method=ask.method,
                target=target,
                headers=tuple(headers.items()),
                body=(body or b"").decode(),
                client=str(operation.process),
            )
        )
    if not story:
        raise BadInput(f"{path}: no operation in it")
    left = len(operations) - len(story)
    return tuple(story), [f"{path}: its first {len(story)} operations; {left} more left out"] if left else []


def _operations(path: Path) -> list[Operation]:
    try:
        if path.suffix == ".jsonl":
            return list(decode_lines(path.read_bytes().splitlines()))
        from statelab.record import parquet  # takes half a second, so only for such a file

        return parquet.read(path).operations()
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, LookupError, TypeError, msgspec.DecodeError) as error:
        raise BadInput(f"{path}: no history of the lab: {error}") from None

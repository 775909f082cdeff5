"""The proof of a violated register: the smallest witness that the rule or the search found, in words: what each
operation did, and why that cannot be.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from statelab.check.kernels.forgetting import Violated, minimal
from statelab.check.kernels.model import Deadline, Proof
from statelab.check.kernels.search import nearest, slack_of
from statelab.check.kernels.words import Cast
from statelab.check.models.register.search import KeySearch, Requests
from statelab.check.models.register.values import cas_answer, column, there
from statelab.check.models.register.witness import Judgement, Link, Scene, Witness, of_failed_cas, smallest
from statelab.record.columns import History, Integers

CHANGES = ("write", "cas")


def by_rule(judgement: Judgement, violated: Violated, proving: Deadline) -> Proof:
    """The proof of a key that the rule found wrong.

    The answer false of a `cas`, once it is forgotten, no longer says that the `cas` had no effect. So where one was to
    make a value that the witness rests on, its answer may be part of the witness too, and the slack another one. Else
    the witness that the rule gives is the smallest.
    """
    scene, history = judgement.scene, judgement.scene.history
    found: Witness | None
    if len(judgement.denied):  # a cas that saw the very value that it was to replace is a violation alone
        found = Witness("false-failure", (int(judgement.denied[0]),), np.zeros(0, np.int64))
    else:
        found = smallest(scene, np.flatnonzero(judgement.forked)) or of_failed_cas(scene, judgement.failed_cas)
    assert found is not None, "a key that the rule found wrong has a witness"
    numbers = scene.numbers(found.values)
    same_key = history.key == history.key[found.rows[0]]
    asked = np.flatnonzero(same_key & np.isin(column(history, "value"), numbers) & there(history, "value"))
    refused = asked[cas_answer(history, False)[asked]]
    if found.kind == "phantom" and (column(history, "value")[asked] == numbers[-1]).any():
        found = replace(found, kind="aborted-read")
    rows = found.rows
    if len(refused):
        own, some = np.flatnonzero(same_key), sorted({*found.rows, *refused.tolist()})
        inside = np.searchsorted(own, some).tolist()
        rows = tuple(own[list(minimal(history.take(own), inside, CHANGES, violated, proving))].tolist())
    if not set(found.rows) <= set(rows):
        return _unordered(history, rows, "no-order", violated, proving)
    if set(rows) != set(found.rows) and found.kind != "aborted-read":
        return _unordered(history, rows, found.kind, violated, proving)
    slack = _slack(history, rows, violated, proving) if len(refused) else found.slack_ns
    cut_short = len(refused) > 0 and proving.passed
    found = replace(found, rows=_in_time(history, rows), slack_ns=slack)
    return Proof(found.kind, found.rows, words(history, found, _value(scene, found, numbers)), slack, cut_short)


def by_search(
    history: History, initial: int | None, key: int, stuck: int, violated: Violated, proving: Deadline
) -> Proof:
    """The proof of a key in which the search was stuck at a row."""
    own = np.flatnonzero(history.key == key)
    pieces = KeySearch(Requests(history, initial), own)

    def refuted(rows: Sequence[int]) -> bool:
        return pieces.search(proving, own[list(rows)].tolist()).verdict == "violated"

    rows = own[list(nearest(history.take(own), int(np.searchsorted(own, stuck)), refuted, proving))]
    return _unordered(history, tuple(rows.tolist()), "no-order", violated, proving)


def _in_time(history: History, rows: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(rows, key=lambda row: (int(history.start[row]), row)))


def _unordered(history: History, rows: tuple[int, ...], kind: str, violated: Violated, proving: Deadline) -> Proof:
    rows = _in_time(history, rows)
    slack = _slack(history, rows, violated, proving)
    return Proof(kind, rows, no_order(history, rows), slack, proving.passed)


def _slack(history: History, rows: tuple[int, ...], violated: Violated, proving: Deadline) -> int | None:
    own = np.flatnonzero(history.key == history.key[rows[0]])
    return slack_of(history.take(own), np.searchsorted(own, rows).tolist(), CHANGES, violated, proving)


def _value(scene: Scene, found: Witness, numbers: Integers) -> str:
    """The value that a proof in words turns on: the last of those that concern the witness; of a lost update the first,
    which is the one that was replaced twice."""
    history = scene.history
    if not len(numbers):
        expected = history.operation(found.rows[0]).expected
        return "nothing" if expected is None else str(expected)
    at = 0 if found.kind == "lost-update" else -1
    return "nothing" if scene.values.initial[found.values[at]] else str(history.shown(int(numbers[at])))


def deed(history: History, row: int) -> str:
    """`wrote 4`, `read nothing`, `replaced 4 by 5`, `was to replace 4 and found 3 instead` (or did not find it)."""
    operation = history.operation(row)
    if operation.op == "write":
        return f"wrote {operation.value}"
    if operation.op == "read":
        return f"read {_named(operation.result)}"
    expected = _named(operation.expected)
    if operation.result:
        return f"replaced {expected} by {operation.value}"
    if operation.seen is not None:
        return f"was to replace {expected} and found {operation.seen} instead"
    return f"was to replace {expected} and did not find it"


def _named(value: object) -> str:
    return "nothing" if value is None else str(value)


def shown(history: History, row: int) -> str:
    """The value that an operation left behind, or saw."""
    operation = history.operation(row)
    if operation.op == "cas" and not operation.result:
        return _named(operation.seen)
    return _named(operation.result if operation.op == "read" else operation.value)


def shown_by_request(history: History, row: int) -> str:
    """The value that an operation was to leave behind."""
    return _named(history.operation(row).value)


def words(history: History, witness: Witness, value: str) -> str:
    """Why a witness contradicts every register; `value` is the one that should not have been there, if there is one."""
    cast = Cast(history, witness.rows)
    deeds = " ".join(f"{cast.name(row)} {deed(history, row)}." for row in cast.rows)
    return f"{deeds} {_why(history, cast, witness, value)} {cast.introductions()}"


def no_order(history: History, rows: Sequence[int]) -> str:
    """The proof of a witness that an exhaustive search found: what was done, and that all orders were tried."""
    cast = Cast(history, rows)
    deeds = " ".join(f"{cast.name(row)} {deed(history, row)}." for row in cast.rows)
    rest = "whatever the other requests were answered"
    return f"{deeds} No order that their times allow explains this, {rest}. {cast.introductions()}"


def _why(history: History, cast: Cast, witness: Witness, value: str) -> str:
    if witness.kind == "phantom":
        (row,) = cast.rows
        seen = shown(history, row)
        came = "" if seen == value else f"{seen} can only have come from {value}. "
        return f"{came}Nobody wrote {value}, and it was not there in the beginning."
    if witness.kind == "aborted-read":
        return f"Only requests that failed were to write {value}: they had no effect, so nobody can have seen it."
    if witness.kind == "circular":
        rest = "by replacing what had replaced it: nobody wrote the first value."
        return f"{value} can only have come from itself, {rest}"
    if witness.kind == "future-read":
        (link,) = witness.links
        asked, seen = shown_by_request(history, link.asked), shown(history, link.earlier)
        origin = "" if asked == seen else f", from which {seen} came"
        apart = cast.span(int(history.start[link.asked]) - int(history.end[link.earlier]))
        return (
            f"{cast.name(link.earlier)} had ended {apart} before {asked}{origin} was asked for "
            f"({cast.facts(link.asked)}): a value cannot be seen before it is written."
        )
    if witness.kind == "lost-update":
        hidden = [row for row in cast.rows if _named(history.operation(row).expected) != value]
        also = "".join(f" {shown(history, row)} can only be there if it came from {value} too." for row in hidden)
        return (
            f"{value} was written once, and whoever replaces it leaves another value.{also} "
            "So only one request can have found it: one of the two updates is lost."
        )
    if witness.kind == "false-failure":
        return _why_not_failed(history, cast, witness, value)
    if len(witness.links) == 1:
        (link,) = witness.links
        new, old = shown(history, link.earlier), shown(history, link.later)
        apart = _apart(history, cast, link)
        return f"{apart}, and by {new} at the latest {old} was gone. A value that is gone does not come back."
    one, other = (
        f"{_apart(history, cast, link)}, so {shown(history, link.earlier)} came before {shown(history, link.later)}"
        for link in witness.links
    )
    return f"{one}. But {other}. A value that is gone does not come back."


def _why_not_failed(history: History, cast: Cast, witness: Witness, value: str) -> str:
    miss = next(row for row in cast.rows if history.operation(row).result is False)
    name, after = cast.name(miss), [link for link in witness.links if link.earlier == miss]
    before = [link for link in witness.links if link.later == miss]
    if not len(witness.values):
        return f"{name} found just the value that it was to replace, and yet did not replace it."
    since = [_apart(history, cast, link) for link in before] or [f"{value} was there from the beginning"]
    till = [_apart(history, cast, link) for link in after] or [f"nobody else asked for a change before {name} ended"]
    return f"{since[0]}, and {till[0]}: the value was {value} all the while, yet {name} did not find it."


def _apart(history: History, cast: Cast, link: Link) -> str:
    gap = cast.span(int(history.start[link.asked]) - int(history.end[link.earlier]))
    if link.asked == link.later:
        return f"{cast.name(link.earlier)} had ended {gap} before {cast.name(link.later)} started"
    asked = f"{shown_by_request(history, link.asked)} was asked for ({cast.facts(link.asked)})"
    return f"{cast.name(link.earlier)} had ended {gap} before {asked}"

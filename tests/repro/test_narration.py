"""What a reproduction looks like in a terminal: who was where, when, and what each found and left."""

from io import StringIO

import pytest
from rich.console import Console

from reproducing import Find
from statelab.check.judges.counter.judge import judge
from statelab.core.operation import Operation, ServedBy
from statelab.record.columns import History
from statelab.repro import narrate
from statelab.repro.outcome import ANYONE, Outcome
from statelab.repro.stage import Event, Play, What
from statelab.repro.targets import Target
from statelab.repro.timeline import WIDTH, timeline

MS = 1_000_000
ONE, OTHER = ServedBy("h", 7, 71, 0, "a"), ServedBy("h", 7, 72, 0, "a")


def operation(
    who: str, start: int, end: int | None, result: int | None, server: ServedBy | None = ONE, op: str = "increment"
) -> Operation:
    """One of the operations of a play, its times in ms."""
    return Operation(
        process=who,
        op=op,
        key="k",
        op_id=f"{who}-{start}",
        result=result,
        start=start * MS,
        end=None if end is None else end * MS,
        status="info" if end is None else "ok",
        served_by=server,
        timed_out=end is None,
    )


def event(at: int, who: str, what: What, told: Operation | None = None) -> Event:
    return Event(at=at * MS, who=who, what=what, server=told.served_by if told else ONE, operation=told)


def overtaken() -> Play:
    """A is held from 20 to 30 ms, B overtakes it, and both are told 3."""
    p1, p2 = operation("P", 0, 1, 1), operation("P", 2, 3, 2)
    a, b = operation("A", 10, 40, 3), operation("B", 21, 25, 3, OTHER)
    r = operation("R", 45, 50, 3, op="read")
    events = [
        event(1, "P", "answered", p1),
        event(3, "P", "answered", p2),
        event(20, "A", "held"),
        event(25, "B", "answered", b),
        event(30, "A", "released"),
        event(40, "A", "answered", a),
        event(50, "R", "answered", r),
    ]
    return Play(operations=[p1, p2, a, b, r], events=events)


def shown(play: Play, target: Target) -> Outcome:
    judgement = judge(History.from_operations(play.operations), ANYONE)
    return Outcome(target=target, play=play, judged=play.operations, judgement=judgement)


def printed(outcome: Outcome) -> str:
    output = StringIO()
    Console(file=output, width=140).print(narrate.steps(outcome))
    return output.getvalue()


def test_the_steps_say_who_where_and_what(find: Find) -> None:
    """One line for each thing that happened, in order, with what was read and written."""
    text = printed(shown(overtaken(), find("counter/module-global", "gthread")))
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    assert lines[2:] == [
        "3.0 P pid 7, thread 71 2 requests here, told 1 and 2",
        "20.0 A pid 7, thread 71 has come to its gate and is held between its read and its write",
        "25.0 B pid 7, thread 72 found 2, made it 3, is told 3",
        "30.0 A pid 7, thread 71 is let go",
        "40.0 A pid 7, thread 71 found 2, made it 3, is told 3",
        "50.0 R pid 7, thread 71 reads 3",
    ]


def test_what_is_told_apart_from_the_update_is_not_said_to_be_written(find: Find) -> None:
    """Where the answer is read later, nobody knows what the update found."""
    text = printed(shown(overtaken(), find("counter/redis-incr-get", "gthread")))
    assert "adds one, then reads 3 and is told 3" in text
    assert "found" not in text


def test_the_conclusion_is_the_judges(find: Find) -> None:
    """The anomaly, its meaning and the proof in words."""
    text = narrate.conclusion(shown(overtaken(), find("counter/module-global", "gthread")))
    assert text.startswith("Reproduced: lost-update, an acknowledged update is missing")
    assert "A and B were both told 3." in text


def test_a_schedule_in_which_nobody_was_held_proves_nothing(find: Find) -> None:
    """A mechanism that never comes to its gate: that nothing went wrong is no result."""
    a, r = operation("A", 10, 40, 1), operation("R", 45, 50, 1, op="read")
    calm = Play(operations=[a, r], events=[event(20, "A", "held"), event(50, "R", "answered", r)])
    target = find("counter/redis-incr", "gthread")
    assert shown(calm, target).kind == "cannot happen here"
    missed = shown(Play(operations=[a, r], events=[event(20, "A", "passed")]), target)
    assert (missed.kind, missed.as_predicted) == ("undecided", False)
    assert narrate.conclusion(missed).startswith("Undecided: held is predicted.")


def test_the_timeline_is_true_to_time() -> None:
    """From A's start to the last event, a column each 40/63 ms; P, which ended before, is left out."""
    a, b, r, axis = timeline(overtaken())
    assert [line[:1] for line in (a, b, r)] == ["A", "B", "R"]
    assert [line[4 + WIDTH :].strip() for line in (a, b, r)] == ["increment → 3", "increment → 3", "read → 3"]
    per_ms = (WIDTH - 1) / 40
    assert [place for place, sign in enumerate(a[4:]) if sign == "●"] == [round(10 * per_ms), round(20 * per_ms)]
    assert (b[4:].index("├"), b[4:].index("┤")) == (round(11 * per_ms), round(15 * per_ms))
    assert "40.0 ms" in axis


def test_what_never_ends_is_open_to_the_right(find: Find) -> None:
    """A request without an answer goes on to the end of the picture, and says so."""
    a = operation("A", 0, None, None, None)
    lines = timeline(
        Play(operations=[a], events=[event(2, "A", "held"), event(3, "A", "released"), event(9, "A", "failed", a)])
    )
    assert lines[0].endswith("▶  no answer")


@pytest.mark.parametrize(("answers", "told"), [(3, "told 1, 2 and 3"), (20, "told 1, 2, 3, 4, 5, 6, ... and 20")])
def test_many_answers_are_told_together(find: Find, answers: int, told: str) -> None:
    """A burst is one line for each copy, and short however long it was."""
    operations = [operation("W", number, number + 1, number + 1) for number in range(answers)]
    play = Play(operations=operations, events=[event(o.start // MS + 1, "W", "answered", o) for o in operations])
    assert f"{answers} requests here, {told}" in printed(shown(play, find("counter/module-global", "sync-4")))

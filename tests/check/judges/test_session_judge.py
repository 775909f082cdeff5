"""The judge of sessions: each anomaly on the smallest history that has it, and what is none."""

import pytest

from statelab.check.judges.judgement import Expectation
from statelab.check.judges.session import judge
from statelab.core.operation import Operation, ServedBy
from statelab.record.columns import History

ONE = Expectation(expected_processes=1)
SERVER = ServedBy(host="h", pid=1, thread=1, greenlet=0, boot="b")


def op(name: str, start: int, end: int | None, result: str | None, user: str = "ann", status: str = "ok") -> Operation:
    return Operation(
        process=start,
        op=name,
        key=f"cell.{user}",
        start=start,
        end=end,
        status="info" if end is None else status,  # type: ignore[arg-type]
        result=result,
        served_by=SERVER if status == "ok" and end is not None else None,
    )


LOGIN = op("login", 0, 1, "ann")
LOGOUT = op("logout", 20, 25, "ann")
GOOD = [
    LOGIN,
    op("count", 2, 6, "ann 1"),
    op("count", 3, 7, "ann 2"),
    op("whoami", 8, 9, "ann"),
    LOGOUT,
    op("count", 21, 27, None, status="fail"),
    op("whoami", 30, 31, None),
]


def judged(*operations: Operation) -> tuple[str, list[str]]:
    judgement = judge(History.from_operations(operations), ONE)
    return judgement.verdict, judgement.anomalies


def test_a_proof_says_what_the_client_did() -> None:
    """The model is a counter's, the words are those of the one who counts."""
    judgement = judge(History.from_operations([LOGIN, op("count", 2, 3, "ann 3")]), ONE)
    assert judgement.witness
    assert "takes 3 counts; 1 had been asked for" in judgement.witness.text
    assert "increment" not in judgement.witness.text


def test_a_session_that_keeps_all_promises() -> None:
    """Held, with what it rests on; a refusal after the logout is what is promised."""
    judgement = judge(History.from_operations(GOOD), ONE)
    assert (judgement.verdict, judgement.anomalies, judgement.operations.ok) == ("held", [], 4)


@pytest.mark.parametrize(
    ("more", "anomaly", "starts"),
    [
        (op("count", 4, 8, "ann 2"), "lost-update", [3, 4]),
        (op("read", 10, 11, "ann 1"), "lost-update", None),
        (op("whoami", 10, 11, "bob"), "wrong-user", [10]),
        (op("count", 10, 11, "bob 1"), "wrong-user", [10]),
        (op("whoami", 10, 11, None), "logged-out", [0, 10]),
        (op("whoami", 26, 27, "ann"), "logout-undone", [20, 26]),
        (op("read", 26, 27, "ann 2"), "logout-undone", [20, 26]),
    ],
)
def test_each_anomaly_with_its_witness(more: Operation, anomaly: str, starts: list[int] | None) -> None:
    """One operation more, and it is named; the witness is a violation by itself."""
    judgement = judge(History.from_operations([*GOOD, more]), ONE)
    assert (judgement.verdict, judgement.anomalies) == ("violated", [anomaly])
    assert judgement.witness
    assert judgement.witness.text
    if starts:
        assert [operation.start for operation in judgement.witness.operations] == starts
    assert anomaly in judged(*judgement.witness.operations)[1]


@pytest.mark.parametrize(
    "more",
    [
        op("whoami", 10, 20, None),  # it touches the logout, which may have come first
        op("whoami", 21, 22, None),
        op("whoami", 1, 2, None),  # it touches the login
        op("whoami", 25, 30, "ann"),  # it touches the logout's end
        op("count", 10, 11, None, status="fail"),
        op("count", 10, None, None),
    ],
)
def test_what_the_times_allow_is_no_anomaly(more: Operation) -> None:
    """Touching intervals may have been in either order; what was refused or is unknown accuses nobody."""
    assert judged(*GOOD, more) == ("held", [])


def test_a_logout_counts_as_ended_only_if_its_own_user_was_told_so() -> None:
    """Of unknown outcome, refused, or another's: whoever is logged in then is no anomaly."""
    after = op("whoami", 30, 31, "ann")
    assert judged(LOGIN, op("logout", 20, None, None), after)[1] == []
    assert judged(LOGIN, op("logout", 20, 25, None, status="fail"), after)[1] == []
    assert judged(LOGIN, op("logout", 20, 25, "bob"), after)[1] == ["wrong-user"]


def test_a_logout_of_unknown_outcome_may_have_ended_the_session() -> None:
    """Nobody is logged in any more, and nobody can say that this is wrong; one that was refused excuses nothing."""
    after = op("whoami", 30, 31, None)
    assert judged(LOGIN, op("logout", 20, None, None), after)[1] == []
    assert judged(LOGIN, op("logout", 20, 25, None, status="fail"), after)[1] == ["logged-out"]


def test_a_count_of_unknown_outcome_may_have_counted() -> None:
    """A number that nobody was told may be its own."""
    counts = [LOGIN, op("count", 2, None, None), op("count", 8, 9, "ann 2"), LOGOUT, op("whoami", 30, 31, None)]
    assert judged(*counts) == ("held", [])
    assert judged(LOGIN, *counts[2:]) == ("violated", ["lost-update"])


def test_whoever_adds_to_a_counter_adds_to_that_one() -> None:
    """Answers tell whose counter it was: another's request on it is a wrong user, and no lost update."""
    wrong = op("count", 10, 11, "ann 3", user="bob")
    assert judged(*GOOD, wrong, op("read", 12, 13, "ann 3"))[1] == ["wrong-user"]


@pytest.mark.parametrize(
    ("operations", "why"),
    [
        ([LOGIN], "no count was acknowledged"),
        (GOOD[:4], "nobody asked who is logged in after an acknowledged logout"),
        (GOOD[:5], "nobody asked who is logged in after an acknowledged logout"),
    ],
)
def test_what_was_not_tried_is_not_held(operations: list[Operation], why: str) -> None:
    """Without counts, a logout, and a question after it, nothing is known of the promise."""
    judgement = judge(History.from_operations(operations), ONE)
    assert (judgement.verdict, judgement.reason) == ("not-exercised", why)


def test_what_the_judge_cannot_read_is_unknown() -> None:
    """An answer that is none of the app's is no pass."""
    assert judged(*GOOD, op("read", 10, 11, "ann many"))[0] == "unknown"

"""Shops and limits are judged by what was promised: never more than there is, and nobody refused for nothing."""

from dataclasses import replace

import pytest

import inventory
import rate_limit
from statelab.check.judges.by_model import ByModel
from statelab.check.judges.inventory import SALES as shop
from statelab.check.judges.inventory import judge as of_articles
from statelab.check.judges.judgement import Expectation, Judgement
from statelab.check.judges.rate_limit import judge as limit
from statelab.core.load import LIMIT, STOCK
from statelab.core.operation import Operation, ServedBy
from statelab.record.columns import History

TWO = Expectation(expected_processes=2, spread=frozenset({"processes"}))
SOLD, LIMITED = replace(shop, initial=1), replace(limit, initial=1)


def asked(op: str, start: int, end: int | None, told: str | None, key: str = "k") -> Operation:
    by = start % 2
    return Operation(
        process=start,
        op=op,
        key=key,
        start=start,
        end=end,
        result=told,
        status="info" if end is None else "ok",
        served_by=ServedBy(host="h", pid=by, thread=by, greenlet=0, boot=f"boot-{by}") if end else None,
    )


Call = tuple[int, int | None, str | None] | tuple[int, int, str, str]


def judged(judge: ByModel, op: str, *calls: Call) -> Judgement:
    return judge(History.from_operations([asked(op, *call) for call in calls]), TWO)


@pytest.mark.parametrize(
    ("calls", "anomalies"),
    [
        ([(1, 5, "ok"), (2, 6, "sold-out")], []),
        ([(1, 5, "ok"), (2, 6, "ok")], ["oversold"]),
        # all that was sold after the refusal was sold too much: the refusal was right
        ([(1, 5, "ok"), (2, 6, "sold-out"), (7, 8, "ok")], ["oversold"]),
        # nothing was sold before, so there was one
        ([(1, 5, "sold-out"), (2, 6, "sold-out")], ["false-sold-out"]),
        ([(1, 3, "sold-out"), (4, 6, "ok"), (5, 7, "sold-out")], ["false-sold-out"]),
        # both: refused while one was there, and then two were sold
        ([(1, 3, "sold-out"), (4, 6, "ok"), (5, 7, "ok")], ["oversold", "false-sold-out"]),
        # on one article too much, on another too little
        (
            [(1, 5, "ok", "a"), (2, 6, "ok", "a"), (7, 9, "sold-out", "b"), (8, 10, "sold-out", "b")],
            ["oversold", "false-sold-out"],
        ),
    ],
)
def test_each_promise_has_its_anomaly(calls: list[tuple[int, int, str]], anomalies: list[str]) -> None:
    """Every contradiction is called by the promise that it breaks, with a witness of its own."""
    judgement = judged(SOLD, "buy", *calls)
    assert judgement.verdict == ("violated" if anomalies else "held")
    assert judgement.anomalies == anomalies
    assert list(judgement.witnesses) == anomalies
    for name, witness in judgement.witnesses.items():
        told = {operation.result for operation in witness.operations}
        assert ("sold-out" in told) is (name == "false-sold-out")


def test_an_unknown_outcome_is_never_held_against_anybody() -> None:
    """A buyer without an answer may have got the one; so may nobody."""
    assert judged(SOLD, "buy", (1, None, None), (2, 6, "sold-out"), (3, 7, "sold-out")).verdict == "held"
    assert judged(SOLD, "buy", (1, None, None), (2, 6, "ok"), (3, 7, "sold-out")).verdict == "held"
    unanswered = judged(SOLD, "buy", (1, None, None), (2, None, None))
    assert (unanswered.verdict, unanswered.reason) == ("not-exercised", "no operation was acknowledged")


def test_the_smallest_witness_is_one_more_than_there_were() -> None:
    """Of many sales the first that are too many, in rows of the whole history."""
    calls = [(1, 2, "ok", "a"), (3, 4, "sold-out", "a"), *((n, n + 3, "ok", "b") for n in range(5, 10))]
    witness = judged(SOLD, "buy", *calls).witnesses["oversold"]
    assert [(operation.key, operation.start) for operation in witness.operations] == [("b", 5), ("b", 6)]
    assert "Only 1 can be: 1 was in stock." in witness.text


def test_a_limit_is_a_stock_in_other_words() -> None:
    """The same proofs, told as those of a limit."""
    over = judged(LIMITED, "hit", (1, 5, "ok"), (2, 6, "ok"))
    assert over.anomalies == ["over-limit"]
    assert "A and B were both told ok. Only 1 can be: the limit is 1." in over.witnesses["over-limit"].text
    refused = judged(LIMITED, "hit", (1, 5, "refused"), (2, 6, "refused"))
    assert refused.anomalies == ["over-refused"]
    assert "The limit is 1, and when A ended 1 other hit had been asked for" in refused.witnesses["over-refused"].text
    assert "stock" not in refused.witnesses["over-refused"].text
    late = judged(LIMITED, "hit", (1, 3, "refused"), (2, 6, "refused"), (4, 5, "ok"))
    assert late.anomalies == ["over-refused"]
    held = judged(LIMITED, "hit", (1, 5, "ok"), (2, 6, "refused"))
    assert held.reason.startswith("one limit of 1 explains all answers")


def test_more_is_asked_for_than_there_is() -> None:
    """Or nobody would ever be refused; load and judge take the number from one place."""
    assert STOCK < inventory.BUYS
    assert LIMIT < rate_limit.HITS


def test_an_article_that_may_not_be_in_stock_says_nothing() -> None:
    """Its buyers are refused because it is not there; those of another article are judged."""
    put = [asked("stock", 1, None, None, "a"), asked("stock", 2, 3, None, "b")]
    refused = [asked("buy", 4, 5, "sold-out", "a")]
    sold = [asked("buy", start, start + 1, "ok", "b") for start in (10, 11)]
    too_much = asked("buy", 12, 13, "ok", "b")
    assert of_articles(History.from_operations([*put, *refused, *sold]), TWO).anomalies == []
    assert of_articles(History.from_operations([*put, *refused, *sold, too_much]), TWO).anomalies == ["oversold"]
    assert of_articles(History.from_operations(refused), TWO).anomalies == ["false-sold-out"]

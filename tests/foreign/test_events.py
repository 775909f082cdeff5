"""Histories of events: what pairs with what, what an end means, and what is refused with its line."""

from pathlib import Path

import pytest

from foreign.test_formats import judged, refused
from statelab.check.models import MODELS
from statelab.foreign.edn import Word, forms
from statelab.foreign.read import read
from statelab.foreign.refused import Refused


def events(*lines: str) -> str:
    """`0 invoke :write 1` as the maps of Jepsen."""
    made = []
    for line in lines:
        process, kind, f, *value = line.split(maxsplit=3)
        made.append(f"{{:process {process}, :type :{kind}, :f {f}, :value {value[0] if value else 'nil'}}}\n")
    return "".join(made)


def operations(tmp_path: Path, content: str, model: str | None = None) -> list[tuple[object, ...]]:
    """Process, operation, key, value, result and status of each operation."""
    path = tmp_path / "x"
    path.write_text(content)
    found = read(str(path), MODELS, model).history.operations()
    return [(o.process, o.op, o.key, o.value, o.result, o.status) for o in found]


def test_an_event_may_look_in_many_ways(tmp_path: Path) -> None:
    """Comments, discarded forms, records, fields that mean nothing here, events of the nemesis; one vector or none."""
    content = """; a history
[{:process 0, :type :invoke, :f :write, :value "a \\"b\\" \\u00e9", :time 10 :jepsen/note {:x #{1 2} :y [1 [2 [3]]]}}
 #_{:process 9 :type :invoke :f :write :value 3}
 #jepsen.history.Op{:index 1 :process 0, :type :ok, :f :write, :value "a \\"b\\" é", :time 20 :at #inst "2020-01-01"}
 {:process :nemesis, :type :info, :f :start, :value nil, :time 21}
 #:op{:process 1, :type :invoke, :f :read, :value nil, :time 30}
 {:process 1, :type :ok, :f :register/read, :value "a \\"b\\" é" :time 40} ]
"""
    wanted = [(0, "write", "", 'a "b" é', None, "ok"), (1, "read", "", None, 'a "b" é', "ok")]
    assert operations(tmp_path, content) == wanted
    assert operations(tmp_path, content.replace("[{", "{", 1).replace("} ]", "}")) == wanted
    said = judged(tmp_path, content)
    assert said.read_as == "Jepsen EDN history, 5 events, 1 of them by no client, 2 operations, by :time"


def test_how_an_operation_ends(tmp_path: Path) -> None:
    """A refused cas is an answer; what failed did not happen; info and no end are unknown, and the process goes on."""
    content = events(
        *("0 invoke :write 1", "1 invoke :cas [1 2]", "2 invoke :read", "3 invoke :write 5", "4 invoke :cas [5 6]"),
        *(
            "0 info :write 1",
            "1 fail :cas [1 2]",
            "2 fail :read :timed-out",
            "3 fail :write 5",
            "4 fail :cas :timed-out",
        ),
        *("0 invoke :read", "0 ok :read 1", "5 invoke :cas [1 3]", "5 ok :cas [1 3]", "6 invoke :write 8"),
    )
    assert operations(tmp_path, content) == [
        (0, "write", "", 1, None, "info"),
        (1, "cas", "", 2, False, "ok"),
        (2, "read", "", None, None, "fail"),
        (3, "write", "", 5, None, "fail"),
        (4, "cas", "", 6, None, "info"),
        (0, "read", "", None, 1, "ok"),
        (5, "cas", "", 3, True, "ok"),
        (6, "write", "", 8, None, "info"),
    ]


def test_a_drain_is_a_dequeue_for_each_value(tmp_path: Path) -> None:
    """In no order of their own; what it got twice, or what nobody put there, is seen; one that failed took nothing."""
    put = ("0 invoke :enqueue 1", "0 ok :enqueue 1", "0 invoke :enqueue :b", "0 ok :enqueue :b", "1 invoke :drain")
    assert operations(tmp_path, events(*put, "1 ok :drain [:b 1]"))[2:] == [
        ("1, drain at 5, 1", "dequeue", "", None, ":b", "ok"),
        ("1, drain at 5, 2", "dequeue", "", None, 1, "ok"),
    ]
    for got, verdict in (("[:b 1]", "held"), ("[]", "held"), ("[1 :b 1]", "violated"), ("[2]", "violated")):
        said = judged(tmp_path, events(*put, f"1 ok :drain {got}"))
        assert (said.model, said.verdict) == ("queue", verdict)
    assert operations(tmp_path, events(*put, "1 fail :drain"))[2][1:] == ("dequeue", "", None, None, "fail")


def test_a_cas_that_failed_for_another_reason_was_not_answered(tmp_path: Path) -> None:
    """A connection that was refused says nothing of the value; taken for an answer, it would invent a violation."""
    content = events("0 invoke :write 1", "0 ok :write 1", "1 invoke :cas [1 2]", "1 fail :cas [1 2]")
    assert judged(tmp_path, content).verdict == "violated"
    lost = content.replace(":fail, :f :cas, :value [1 2]", ":fail, :f :cas, :value [1 2], :error :connection-refused")
    assert judged(tmp_path, lost).verdict == "held"


def test_independent_keys(tmp_path: Path) -> None:
    """Where every operation asks with a vector of two, the first is the key; a cas has two values beside it."""
    content = events(
        *("0 invoke :write [1 5]", "1 invoke :read [1 nil]", "0 ok :write [1 5]", "1 ok :read [1 5]"),
        *("1 invoke :cas [:k [5 [6]]]", "1 ok :cas [:k [5 [6]]]"),
    )
    assert operations(tmp_path, content) == [
        (0, "write", "1", 5, None, "ok"),
        (1, "read", "1", None, 5, "ok"),
        (1, "cas", ":k", "[6]", True, "ok"),
    ]
    alone = events("0 invoke :write [1 5]", "0 ok :write [1 5]", "1 invoke :read", "1 ok :read [1 5]")
    assert [one[2:5] for one in operations(tmp_path, alone)] == [("", "[1 5]", None), ("", None, "[1 5]")]
    assert "line 4" in refused(tmp_path, content.replace(":read, :value [1 5]", ":read, :value [2 5]"))


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("-7", -7),
        ("7N", 7),
        ("9223372036854775807", 2**63 - 1),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ('"7"', "7"),
        (":kw/of-a-space", ":kw/of-a-space"),
        ("true", "true"),
        ("1.50", "1.5"),
        ("\\newline", "\\newline"),
        ("3/4", "3/4"),
        ("#{3 1 2}", "#{1 2 3}"),
        ("{:b 1 :a nil}", None),
        ("(1 [2 #{}])", "[1 [2 #{}]]"),
        ("nil", None),
    ],
)
def test_values_are_told_apart_as_edn_does(written: str, value: object, tmp_path: Path) -> None:
    """Integers of 64 bits and strings stay, all else becomes its text; a map is a transaction, nil no value."""
    content = events(f"0 invoke :write {written}", f"0 ok :write {written}", "0 invoke :read", f"0 ok :read {written}")
    if value is None:
        assert "line 1" in refused(tmp_path, content)
    else:
        assert [one[3:5] for one in operations(tmp_path, content)] == [(value, None), (None, value)]


def test_two_values_never_become_the_same_text(tmp_path: Path) -> None:
    """A string that looks like a keyword is another value."""
    content = events("0 invoke :write :a", "0 ok :write :a", "0 invoke :read", '0 ok :read ":a"')
    assert "line 4: the value :a is a string here" in refused(tmp_path, content)


def test_two_keys_never_become_the_same(tmp_path: Path) -> None:
    """The key 1 and the key "1" are two to Jepsen."""
    content = events("0 invoke :write [1 1]", "0 ok :write [1 1]", '0 invoke :read ["1" nil]', '0 ok :read ["1" nil]')
    assert "line 3: the value 1 is a string here" in refused(tmp_path, content)


def test_the_model_is_that_of_the_operations(tmp_path: Path) -> None:
    """A set answers with collections, a counter with numbers; and each is judged as what it is."""
    both = ("0 invoke :add 1", "0 ok :add 1", "0 invoke :read")
    assert judged(tmp_path, events(*both, "0 ok :read #{1}")).model == "set"
    assert judged(tmp_path, events(*both, "0 ok :read [1]")).verdict == "held"
    assert judged(tmp_path, events(*both, "0 ok :read 2")).verdict == "violated"
    assert "counter" in judged(tmp_path, events(*both, "0 ok :read 1")).model
    keyed = events("0 invoke :add [0 1]", "0 ok :add [0 1]", "0 invoke :read [0 nil]", "0 ok :read [0 #{}]")
    assert (judged(tmp_path, keyed).model, judged(tmp_path, keyed).verdict) == ("set", "violated")
    counted = keyed.replace("#{}", "7")
    assert "counter" in judged(tmp_path, counted).model
    assert judged(tmp_path, counted).verdict == "violated"
    locks = events("0 invoke :acquire", "0 ok :acquire", "1 invoke :acquire", "1 ok :acquire", "0 invoke :release")
    assert (judged(tmp_path, locks).model, judged(tmp_path, locks).verdict) == ("mutex", "violated")
    ids = events("0 invoke :generate", "0 ok :generate 1", "1 invoke :generate", "1 ok :generate 1")
    assert (judged(tmp_path, ids).model, judged(tmp_path, ids).verdict) == ("unique-ids", "violated")
    for answer, verdict in (("x", "held"), ("", "violated")):
        texts = events('0 invoke :append "x"', '0 ok :append "x"', "0 invoke :get", f'0 ok :get "{answer}"')
        said = judged(tmp_path, texts.replace(":value", ':key "0", :value'))
        assert (said.model, said.verdict) == ("key-value", verdict)


TIMES = [
    ([0, 10, 20, 30], [0, 1, 2, 3], "by :time", [(0, 10), (20, 30)]),
    ([0, 10, 10, 30], [0, 1, 2, 3], "by :index", [(0, 1), (2, 3)]),
    ([0, 10, 5, 30], [0, 1, 2, 3], "by :index", [(0, 1), (2, 3)]),
    ([0, 10, 20, 30], None, "by :time", [(0, 10), (20, 30)]),
    ([20, 30, 0, 10], None, "by :time", [(0, 10), (20, 30)]),
    ([0, None, 20, 30], None, "in the order of the file", [(0, 1), (2, 3)]),
    ([0, None, 20, 30], [4, 5, 0, 1], "by :index", [(0, 1), (2, 3)]),
    (None, None, "in the order of the file", [(0, 1), (2, 3)]),
    (
        [0.5, 0.75, 1.25, 2.0],
        None,
        "by :time, stamps in seconds, read to the ns",
        [(500_000_000, 750_000_000), (1_250_000_000, 2_000_000_000)],
    ),
]


@pytest.mark.parametrize(("times", "indices", "order", "stamps"), TIMES)
def test_what_orders_the_events(
    times: list[float | None] | None,
    indices: list[int] | None,
    order: str,
    stamps: list[tuple[int, int]],
    tmp_path: Path,
) -> None:
    """The index, else the place, else the time; the time is the stamp where it says as much as that order."""
    lines = events("0 invoke :write 1", "0 ok :write 1", "1 invoke :read", "1 ok :read 1").splitlines()
    for number, time in enumerate(times or []):
        lines[number] = lines[number].replace("}", "" if time is None else f", :time {time}") + "}"
    for number, index in enumerate(indices or []):
        lines[number] = lines[number].replace("}", f", :index {index}" + "}")
    path = tmp_path / "x"
    path.write_text("\n".join(lines).replace("}}", "}"))
    reading = read(str(path), MODELS, None)
    assert reading.how is not None
    assert reading.how.endswith(order)
    assert [(o.start, o.end) for o in sorted(reading.history.operations(), key=lambda o: o.start)] == stamps


BAD = {
    "an operation that nobody knows": (events("0 invoke :write 1", "1 invoke :frob 1"), "line 2: no operation frob"),
    "two at once": (events("0 invoke :write 1", "0 invoke :read"), "line 2: process 0 asks for read before its write"),
    "an end of nothing": (events("0 ok :write 1", "0 invoke :write 1"), "line 1: ok of write by process 0"),
    "an end of another operation": (events("0 invoke :write 1", "0 ok :read 1"), "line 2: ok of read"),
    "a transaction": (events("0 invoke :txn [[:r 1 nil]]"), "elle"),
    "a transaction without a name": ("{:index 2 :type :invoke, :value [[:append 255 8] [:r 253 nil]]}", "elle"),
    "accounts": (events("0 invoke :transfer {:from 1 :to 2 :amount 3}"), "elle"),
    "no type": ("{:process 0 :f :read}", "line 1: no :type"),
    "another type": ("{:process 0 :f :read :type :maybe}", "line 1: :type is :maybe"),
    "a time that is none": ('{:process 0 :f :read :type :invoke :time "noon"}', "line 1: :time is"),
    "times of two kinds": (
        "{:process 0 :f :read :type :invoke :time 1}\n{:process 0 :f :read :type :ok :value 1 :time 2.5}",
        "line 2: the time 2.5",
    ),
    "an index twice": (
        "{:process 0 :f :read :type :invoke :index 1}\n{:process 0 :f :read :type :ok :value 1 :index 1}",
        "line 2: the index 1 is that of line 1",
    ),
    "something else than a map": ("{:process 0 :f :read :type :invoke}\n17\n", "line 2: 17 is not an event"),
    "a map that is never closed": ("{:process 0 :f :read\n", "line 1: what '{' opens is never closed"),
    "a bracket too many": ("{:process 0 :f :read :type :invoke}\n]", "line 2: ']' closes nothing"),
    "a name without a value": ("{:process 0 :f}", "line 1: a map has a name without a value"),
    "a field twice": ("{:process 0 :f :read :process 1}", "line 1: the field :process is given twice"),
    "a cas of one value": (events("0 invoke :cas 1"), "line 1: a cas asks with"),
    "a drain without its end": (events("0 invoke :enqueue 1", "1 invoke :drain"), "line 2: drain ended without its"),
    "a drain of one value": (events("0 invoke :drain", "0 ok :drain 1"), "line 2: it answers with a collection"),
    "results": ("{:valid? true}", "line 1: no :process"),
    "only the nemesis": ("{:process :nemesis :type :info :f :start}", "no operations in it"),
}


@pytest.mark.parametrize(("content", "words"), BAD.values(), ids=BAD.keys())
def test_what_is_no_history_is_refused_with_its_line(content: str, words: str, tmp_path: Path) -> None:
    """Whole, with the format that it was read as."""
    said = refused(tmp_path, content)
    assert words in said
    assert said.endswith("(read as Jepsen EDN history)")


def test_nesting_has_no_end() -> None:
    """Vectors in vectors are read without recursion; what is not EDN has its line."""
    ((value, _),) = forms("[" * 5000 + "]" * 5000)
    assert value == [value[0]]
    assert [value for value, _ in forms("a #_ b c ##NaN")] == [Word("a"), Word("c"), Word("##NaN")]
    with pytest.raises(Refused) as error:
        list(forms('{:a\n"never closed'))
    assert error.value.line == 2


def test_a_log_has_other_lines(tmp_path: Path) -> None:
    """Lines of other loggers are left out, hints and dates too; a process that timed out may ask again."""
    log = (
        "INFO  jepsen.core - Worker 3 starting\nINFO  jepsen.util - 6 \t:invoke :write \t38 \t:hint 0\n"
        "INFO  jepsen.util - :nemesis\t:info\t:start\tnil\nINFO  jepsen.util - 6\t:info\t:write\t:timed-out\n"
        "2024-05-01 12:00:00,123{GMT}\tINFO\t[jepsen worker 7] jepsen.util: 7\t:invoke\t:cas\t[38 1]\n"
        "2024-05-01 12:00:00,124{GMT}\tINFO\t[jepsen worker 7] jepsen.util: 7\t:fail\t:cas\t[38 1]\t:lost\n"
        "6\t:invoke\t:read\tnil\n6\t:ok\t:read\t38\n"
    )
    assert operations(tmp_path, log) == [
        (6, "write", "", 38, None, "info"),
        (7, "cas", "", 1, None, "fail"),
        (6, "read", "", None, 38, "ok"),
    ]


def test_json_is_read_as_strictly(tmp_path: Path) -> None:
    """One object a line or one array; a field twice, NaN and half a line are refused with their line."""
    asked = '{"process": "a", "type": "invoke", "f": "write", "value": 12345678901234567890}\n'
    ended = '{"process": "a", "type": "ok", "f": "write", "value": 12345678901234567890}\n'
    assert operations(tmp_path, asked + ended) == [("a", "write", "", "12345678901234567890", None, "ok")]
    assert operations(tmp_path, f"[{asked},\n{ended}]") == [("a", "write", "", "12345678901234567890", None, "ok")]
    for bad in ('{"process": 1, "process": 2}', '{"process": NaN}', '{"process": 1', "[]"):
        assert "line 3" in refused(tmp_path, asked + ended + bad)

"""What a cell's history is called: each rule by the smallest history that shows it, and on simulated deployments.

`inc(start, end, told, by)` is an acknowledged increment, `read(start, end, value, by)` an answered read; times in ns.
"""

import random
from collections import Counter
from itertools import combinations

import msgspec
import pytest

from counter_histories import MS, history, inc, read, server, unknown
from simulated_cells import Deployment, simulate
from statelab.check.assess import cell
from statelab.check.judges.counter.judge import judge
from statelab.check.judges.judgement import Expectation, Judgement, overlaps
from statelab.core.operation import Operation, ServedBy
from statelab.core.results import ANOMALIES, Bounds, Cell, CellKey, Counts, Coverage, Prediction
from statelab.record.columns import History

ONE, TWO = server(pid=1), server(pid=2)
SYNC = Expectation(expected_processes=1)
THREADS = Expectation(expected_processes=1, spread=frozenset({"threads"}))
PROCESSES = Expectation(expected_processes=2, spread=frozenset({"processes"}))
BOTH = Expectation(expected_processes=2, spread=frozenset({"processes", "threads"}))
FORKS = Expectation(expected_processes=None, spread=frozenset({"processes"}))


def thread(pid: int, number: int) -> ServedBy:
    return server(pid=pid, thread=10 * pid + number)


SHARED_AND_ATOMIC = [inc(0, 5, 1, ONE), inc(3, 9, 2, TWO), read(10, 11, 2, ONE), read(12, 13, 2, TWO)]
MODULE_GLOBAL_IN_TWO_PROCESSES = [
    inc(0, 5, 1, ONE),
    inc(3, 9, 1, TWO),
    inc(10, 14, 2, ONE),
    read(20, 21, 2, ONE),
    read(22, 23, 1, TWO),
]
MODULE_GLOBAL_IN_TWO_PROCESSES_WITH_THREADS = [
    inc(0, 5, 1, thread(1, 1)),
    inc(2, 6, 1, thread(1, 2)),  # found 0 as well: one update of pid 1 is lost
    inc(0, 4, 1, thread(2, 1)),
    inc(5, 9, 2, thread(2, 1)),
    inc(7, 9, 3, thread(2, 2)),
    read(20, 21, 1, thread(1, 1)),
    read(22, 23, 3, thread(2, 2)),
]
INCREMENT_THEN_GET = [inc(0, 5, 2, ONE), inc(1, 6, 2, TWO), read(10, 11, 2, ONE), read(12, 13, 2, TWO)]
FORK_PER_REQUEST = [
    inc(0, 5, 1, server(pid=10)),
    inc(3, 9, 1, server(pid=11)),
    inc(12, 14, 1, server(pid=12)),
    read(20, 21, 0, server(pid=13)),
    read(22, 23, 0, server(pid=14)),
]
GET_AND_SET = [
    inc(0, 9, 1, ONE),
    inc(1, 8, 1, TWO),
    inc(10, 12, 2, ONE),
    read(20, 21, 2, ONE),
    read(22, 23, 2, TWO),
]


def names(judgement: Judgement) -> tuple[str, list[str]]:
    return judgement.verdict, judgement.anomalies


def test_a_shared_atomic_counter_holds() -> None:
    """One counter explains all answers, every process answered, and operations overlapped."""
    judgement = judge(history(*SHARED_AND_ATOMIC), PROCESSES)
    assert names(judgement) == ("held", [])
    assert judgement.reason == (
        "one counter explains all answers (2 increments, 2 reads); 1 pair of operations overlapped"
    )
    assert judgement.scope == "one value for all"
    assert judgement.lost == Bounds(min=0, max=0)
    assert judgement.witness is None


def test_a_module_global_in_several_processes_diverges() -> None:
    """Each process counts right by itself: the copies disagree, and no update is lost."""
    judgement = judge(history(*MODULE_GLOBAL_IN_TWO_PROCESSES), PROCESSES)
    assert names(judgement) == ("violated", ["divergent"])
    assert judgement.scope == "one value per process"
    assert (judgement.lost, judgement.race_events, judgement.duplicates) == (Bounds(min=0, max=0), 0, 1)
    assert judgement.witness is not None
    assert [(o.op, o.result, o.served_by) for o in judgement.witness.operations] == [("read", 2, ONE), ("read", 1, TWO)]
    assert judgement.witness.slack_ns == 20 - 14, "the last increment ended that long before the reads began"
    assert judgement.witness.text == (
        "A read 2, B read 1. No acknowledged increment was running between the start of A and the end of B: one copy "
        "cannot show this. A: pid 1, thread 1, from 0 to 1 ns. B: pid 2, thread 1, from 2 to 3 ns. "
        "The values of each process agree: each process has its own copy."
    )


def test_a_module_global_with_threads_diverges_and_loses() -> None:
    """Copies per process, and inside one of them an update that another overwrote: both are named and shown."""
    judgement = judge(history(*MODULE_GLOBAL_IN_TWO_PROCESSES_WITH_THREADS), BOTH)
    assert names(judgement) == ("violated", ["lost-update", "divergent"])
    assert (judgement.lost, judgement.race_events, judgement.scope) == (Bounds(min=1, max=1), 1, None)
    lost = judgement.witnesses["lost-update"]
    assert [(o.result, o.served_by) for o in lost.operations] == [(1, thread(1, 1)), (1, thread(1, 2))]
    assert lost.culprit == "increment@2"
    assert "one of the two updates is lost. In all, 1 of 5 acknowledged increments are missing" in lost.text
    assert all(o.served_by and o.served_by.pid == 1 for o in lost.context), "the picture is of one copy"
    assert [o.result for o in judgement.witnesses["divergent"].operations] == [1, 3]


def test_a_number_read_apart_from_its_update_is_misreported() -> None:
    """INCR, then GET: both got 2, and yet the total is right."""
    judgement = judge(history(*INCREMENT_THEN_GET), PROCESSES)
    assert names(judgement) == ("violated", ["misreported"])
    assert (judgement.lost, judgement.duplicates, judgement.race_events) == (Bounds(min=0, max=0), 1, 0)
    assert judgement.witness is not None
    assert judgement.witness.text.endswith("lacks no increment: the answer was wrong, not the update.")
    assert "rolled back" not in judgement.witness.text


def test_a_process_per_request_never_persists() -> None:
    """Everybody is told 1 and everybody reads 0: that is one anomaly, neither divergence nor lost updates."""
    judgement = judge(history(*FORK_PER_REQUEST), FORKS)
    assert names(judgement) == ("violated", ["never-persists"])
    assert judgement.lost == Bounds(min=3, max=3)
    assert judgement.witness is not None
    first, second = judgement.witness.operations
    assert (first.result, second.result) == (1, 1)
    assert first.end is not None
    assert second.start > first.end, "they do not even overlap"


def test_get_and_set_loses_updates() -> None:
    """Two processes found the same value: one update is gone, whoever is asked."""
    judgement = judge(history(*GET_AND_SET), PROCESSES)
    assert names(judgement) == ("violated", ["lost-update"])
    assert (judgement.lost, judgement.scope) == (Bounds(min=1, max=1), None)
    assert judgement.witness is not None
    assert judgement.witness.culprit == "increment@0"


def test_lost_updates_show_in_the_total_alone() -> None:
    """Numbers all different, but the final value lacks two: a read and a count are the proof."""
    judgement = judge(history(inc(0, 5, 1, ONE), inc(3, 9, 2, TWO), inc(4, 9, 3, TWO), read(10, 11, 1, ONE)), PROCESSES)
    assert names(judgement) == ("violated", ["lost-update"])
    assert judgement.lost == Bounds(min=2, max=2)
    assert judgement.witness is not None
    assert [o.op for o in judgement.witness.operations] == ["read"]
    assert judgement.witness.text == (
        "A read 1 after every increment had ended. The counter started at 0 and 3 increments had been acknowledged: "
        "2 of these 3 must be missing. A: pid 1, thread 1, from 0 to 1 ns."
    )


def test_an_effect_nobody_asked_for_is_overcounted() -> None:
    """One increment was asked for and took effect twice."""
    judgement = judge(history(inc(0, 5, 1, ONE), read(10, 11, 2, ONE)), SYNC)
    assert names(judgement) == ("violated", ["overcounted"])
    assert judgement.witness is not None
    assert (
        "1 increment had been acknowledged: 1 increment took effect that no request asked for."
        in judgement.witness.text
    )


def test_a_timeout_is_a_stall() -> None:
    """A request without an answer in time is named, beside whatever else is wrong."""
    hung = msgspec.structs.replace(unknown(4), timed_out=True, error="TimeoutError: timed out", op_id="hung")
    fine = judge(history(*SHARED_AND_ATOMIC, hung), PROCESSES)
    assert names(fine) == ("violated", ["stalled"])
    assert fine.scope == "one value for all"
    assert fine.witness is not None
    assert fine.witness.operations == [hung]
    assert fine.witness.text.startswith("A (increment) got no answer within the time limit (TimeoutError: timed out).")
    assert fine.operations == Counts(ok=2, fail=0, info=1, timed_out=1)
    lossy = judge(history(*GET_AND_SET, inc(13, 14, 2, TWO), inc(13, 14, 2, TWO), hung), PROCESSES)
    assert names(lossy) == ("violated", ["lost-update", "stalled"])


def test_a_read_that_hangs_is_a_stall_too() -> None:
    """Counts are those of increments, but time-outs are those of all operations."""
    hung = Operation(process=1, op="read", start=4, end=9, status="fail", timed_out=True)
    judgement = judge(history(*SHARED_AND_ATOMIC, hung), PROCESSES)
    assert names(judgement) == ("violated", ["stalled"])
    assert judgement.operations == Counts(ok=2, fail=0, info=0, timed_out=1)


UNKNOWN_OUTCOMES = {
    "it took effect before everybody": [unknown(0), inc(5, 6, 2, ONE), inc(5, 7, 3, TWO), read(8, 9, 3, ONE)],
    "it had no effect": [unknown(0), inc(5, 6, 1, ONE), inc(5, 7, 2, TWO), read(8, 9, 2, ONE)],
    "it takes effect between the final reads": [
        unknown(0),
        inc(5, 6, 1, ONE),
        inc(5, 7, 2, TWO),
        read(8, 9, 2, ONE),
        read(10, 11, 3, TWO),
        read(12, 13, 3, ONE),
    ],
    "several, each at its own time": [
        unknown(0),
        unknown(3),
        unknown(20),
        inc(5, 6, 3, ONE),
        inc(5, 7, 4, TWO),
        read(30, 31, 4, ONE),
        read(32, 33, 5, ONE),
    ],
}


@pytest.mark.parametrize("operations", UNKNOWN_OUTCOMES.values(), ids=UNKNOWN_OUTCOMES.keys())
def test_unknown_outcomes_make_no_violation(operations: list[Operation]) -> None:
    """An increment without an answer may have taken effect, or not, or do so at any later time."""
    assert names(judge(history(*operations), PROCESSES)) == ("held", [])


def test_unknown_outcomes_widen_what_is_lost() -> None:
    """Two acknowledged increments, one unknown, and a final value of 1: one or two updates are missing."""
    judgement = judge(history(inc(0, 5, 1, ONE), inc(1, 6, 1, ONE), unknown(2), read(10, 11, 1, ONE)), THREADS)
    assert names(judgement) == ("violated", ["lost-update"])
    assert judgement.lost == Bounds(min=1, max=2)


def test_unknown_outcomes_do_not_hide_a_true_duplicate() -> None:
    """The total may be right by an unknown increment, but then each number may be true, and two equal ones collided."""
    judgement = judge(history(inc(0, 5, 1, ONE), inc(1, 6, 1, ONE), unknown(2), read(10, 11, 2, ONE)), THREADS)
    assert names(judgement) == ("violated", ["lost-update"])
    assert judgement.lost == Bounds(min=0, max=1)


def test_reads_may_change_once_for_each_unknown_outcome() -> None:
    """A late write of an unanswered request explains one change of the final value; one change more shows copies."""
    late = [inc(0, 5, 1, ONE), inc(1, 6, 1, ONE), inc(7, 8, 2, ONE), unknown(2)]
    once = judge(history(*late, read(10, 11, 2, ONE), read(12, 13, 1, ONE)), PROCESSES)
    again = judge(history(*late, read(10, 11, 2, ONE), read(12, 13, 1, ONE), read(14, 15, 2, ONE)), PROCESSES)
    assert names(once) == ("violated", ["lost-update"])
    assert names(again) == ("violated", ["divergent"])
    assert [o.result for o in again.witnesses["divergent"].operations] == [2, 1, 2]
    assert "only 1 increment without an answer could change the value" in again.witnesses["divergent"].text


def test_reads_at_the_same_time_prove_fewer_changes() -> None:
    """Overlapping reads of 2, 1 and 2 may have come as 2, 2, 1: one late write explains them."""
    late = [inc(0, 5, 1, ONE), inc(1, 6, 1, ONE), inc(7, 8, 2, ONE), unknown(2)]
    overlapping = [read(10, 19, 2, ONE), read(11, 18, 1, ONE), read(12, 17, 2, ONE)]
    assert names(judge(history(*late, *overlapping), PROCESSES)) == ("violated", ["lost-update"])


def test_reads_during_increments_prove_no_copies() -> None:
    """One copy that is set back shows different values while increments are under way, before and after each other."""
    race = [inc(0, 50, 1, ONE), inc(1, 10, 1, ONE), inc(11, 20, 2, ONE), inc(60, 61, 2, ONE)]
    during = [read(21, 22, 2, ONE), read(45, 51, 1, ONE), read(52, 60, 1, ONE)]
    judgement = judge(history(*race, *during, read(70, 71, 2, ONE)), THREADS)
    assert names(judgement) == ("violated", ["lost-update"])
    assert judgement.lost == Bounds(min=2, max=2)


CHANGES_DURING_A_READ = {
    "an increment begins during the read": [read(20, 22, 2, ONE), inc(25, 28, 3, ONE), read(23, 30, 3, ONE)],
    "an increment ends as the read begins": [inc(20, 24, 3, ONE), read(24, 25, 2, ONE), read(26, 27, 3, ONE)],
}


@pytest.mark.parametrize("operations", CHANGES_DURING_A_READ.values(), ids=CHANGES_DURING_A_READ.keys())
def test_reads_beside_an_increment_prove_no_copies(operations: list[Operation]) -> None:
    """A read that only touches an increment may come before or after it, even where updates were lost earlier."""
    race = [inc(0, 5, 1, ONE), inc(1, 6, 1, ONE), inc(7, 8, 2, ONE)]
    judgement = judge(history(*race, *operations, read(40, 41, 3, ONE)), THREADS)
    assert names(judgement) == ("violated", ["lost-update"])


def test_of_disagreeing_reads_the_closest_are_shown() -> None:
    """Two neighbours in time that differ, with the shortest span."""
    finals = [read(100, 101, 2, ONE), read(200, 201, 1, TWO), read(203, 204, 2, ONE), read(300, 301, 1, TWO)]
    judgement = judge(history(*MODULE_GLOBAL_IN_TWO_PROCESSES[:3], *finals), PROCESSES)
    assert judgement.witness is not None
    assert [o.start for o in judgement.witness.operations] == [200, 203]


def test_a_read_that_touches_the_last_increment_is_not_a_final_one() -> None:
    """[10, 14] and [14, 15] are concurrent: that read may come before the increment."""
    early = read(14, 15, 1, ONE)
    assert names(judge(history(inc(0, 5, 1, ONE), inc(10, 14, 2, ONE), early), SYNC)) == ("not-exercised", [])
    later = judge(history(inc(0, 5, 1, ONE), inc(10, 14, 2, ONE), early, read(16, 17, 2, ONE)), SYNC)
    assert (names(later), later.lost) == (("held", []), Bounds(min=0, max=0))


def test_one_increment_alone_cannot_show_that_nothing_persists() -> None:
    """One acknowledged increment that no read finds is a lost update; two are needed to say more."""
    assert names(judge(history(inc(0, 5, 1, ONE), read(10, 11, 0, ONE)), SYNC)) == ("violated", ["lost-update"])


def test_an_unknown_outcome_may_be_lost_in_any_copy() -> None:
    """Who served a request without an answer is not known: it widens the loss of all copies together by one."""
    judgement = judge(history(*MODULE_GLOBAL_IN_TWO_PROCESSES, unknown(1), read(24, 25, 2, ONE)), PROCESSES)
    assert names(judgement) == ("violated", ["divergent"])
    assert judgement.lost == Bounds(min=0, max=1)


def test_copies_show_in_the_numbers_when_all_reads_met_one_process() -> None:
    """All final reads met pid 1. Still its numbers and those of pid 2 each fit a counter of their own."""
    operations = [*MODULE_GLOBAL_IN_TWO_PROCESSES[:3], read(20, 21, 2, ONE), read(22, 23, 2, ONE)]
    judgement = judge(history(*operations), PROCESSES)
    assert names(judgement) == ("violated", ["divergent"])
    assert judgement.lost == Bounds(min=0, max=0)
    assert judgement.witness is not None
    assert {o.served_by for o in judgement.witness.operations} == {ONE, TWO}
    assert judgement.witness.text.endswith(
        "The numbers of each process by themselves fit one counter: one value per process."
    )


def test_copies_that_end_alike_by_chance_are_told_apart_by_their_numbers() -> None:
    """Two processes that served two increments each both end at 2: no update is lost."""
    increments = [inc(4 * n, 4 * n + 6, n // 2 + 1, (ONE, TWO)[n % 2]) for n in range(4)]
    judgement = judge(history(*increments, read(30, 31, 2, ONE), read(32, 33, 2, TWO)), PROCESSES)
    assert names(judgement) == ("violated", ["divergent"])


def test_copies_that_end_alike_by_chance_are_told_apart_by_their_totals() -> None:
    """The same, where the numbers were read apart from the updates: each process ends at exactly what it served."""
    increments = [inc(n, 20 + n, 2, (ONE, TWO)[n % 2]) for n in range(4)]
    judgement = judge(history(*increments, read(30, 31, 2, ONE), read(32, 33, 2, TWO)), PROCESSES)
    assert names(judgement) == ("violated", ["divergent", "misreported"])
    assert judgement.lost == Bounds(min=0, max=0)


def test_copies_are_seen_at_any_quiet_moment() -> None:
    """The copies end alike after a last increment, but did not agree before it."""
    before = MODULE_GLOBAL_IN_TWO_PROCESSES_WITH_THREADS[:5]
    middle = [read(20, 21, 1, thread(1, 1)), read(22, 23, 3, thread(2, 2))]
    catching_up = [inc(30, 31, 2, thread(1, 1)), inc(32, 33, 3, thread(1, 1))]
    after = [read(40, 41, 3, thread(1, 1)), read(42, 43, 3, thread(2, 2))]
    judgement = judge(history(*before, *middle, *catching_up, *after), BOTH)
    assert names(judgement) == ("violated", ["lost-update", "divergent"])
    assert judgement.lost == Bounds(min=1, max=1)


def test_a_copy_that_was_not_read_widens_the_bounds() -> None:
    """Nobody read pid 2 at the end: what its duplicates cost is not known, only that pid 1 lost one."""
    operations = [o for o in MODULE_GLOBAL_IN_TWO_PROCESSES_WITH_THREADS if not (o.op == "read" and o.result == 3)]
    twice = [*operations, inc(7, 9, 3, thread(2, 1))]
    judgement = judge(history(*twice), BOTH)
    assert judgement.verdict == "violated"
    assert judgement.anomalies[0] == "lost-update"
    assert judgement.lost == Bounds(min=1, max=5)


def test_a_duplicate_without_any_final_read_is_a_lost_update() -> None:
    """The violation is proven, its cost is not: no final value contradicts the likelier name."""
    judgement = judge(history(inc(0, 5, 1, ONE), inc(1, 6, 1, ONE), inc(7, 8, 2, ONE)), THREADS)
    assert names(judgement) == ("violated", ["lost-update"])
    assert judgement.lost is None


SCOPES = {
    "one value per host": [server(1, host="a"), server(1, host="b")],
    "one value per process": [server(1), server(2)],
    "one value per thread": [server(1, 1), server(1, 2)],
    "one value per greenlet": [server(1, 1, 7), server(1, 1, 8)],
}


@pytest.mark.parametrize(("scope", "servers"), SCOPES.items())
def test_the_scope_is_the_coarsest_level_that_is_valid(scope: str, servers: list[ServedBy]) -> None:
    """Two servers that differ at one level only and each count for themselves have a value each at that level."""
    counts = [inc(10 * n, 10 * n + 15, n // 2 + 1, servers[n % 2]) for n in range(6)]
    judgement = judge(history(*counts, *(read(90, 91, 3, by) for by in servers)), Expectation(expected_processes=1))
    assert judgement.scope == scope
    assert names(judgement) == ("violated", ["divergent"])


def test_the_scope_of_what_never_persists_is_the_request() -> None:
    """A fresh value for every request, in one thread."""
    judgement = judge(history(*(inc(10 * n, 10 * n + 5, 1, ONE) for n in range(3)), read(90, 91, 0, ONE)), SYNC)
    assert names(judgement) == ("violated", ["never-persists"])
    assert judgement.scope == "one value per request"


def test_a_process_that_served_one_request_shows_no_wider_scope() -> None:
    """Nobody saw whether a second request of that process would have found the value."""
    assert judge(history(*FORK_PER_REQUEST), FORKS).scope == "one value per request"


def test_without_servers_there_is_only_the_whole() -> None:
    """A history that does not tell who answered is judged as one: copies cannot be told from one broken counter."""
    stripped = [msgspec.structs.replace(o, served_by=None) for o in MODULE_GLOBAL_IN_TWO_PROCESSES]
    judgement = judge(history(*stripped), PROCESSES)
    assert (judgement.verdict, judgement.scope) == ("violated", None)
    assert judgement.anomalies == ["divergent"]


ANSWERED_BY_TWO_THREADS = [inc(0, 5, 1, thread(1, 1)), inc(3, 9, 2, thread(1, 2)), read(10, 11, 2, thread(1, 1))]
ONE_AFTER_THE_OTHER = [inc(0, 5, 1, ONE), inc(6, 9, 2, TWO), read(10, 11, 2, ONE)]
SHORTFALLS: dict[str, tuple[list[Operation], Expectation, str]] = {
    "nothing": ([], SYNC, "no increment was acknowledged"),
    "only refusals": ([read(0, 1, 0, ONE)], SYNC, "no increment was acknowledged"),
    "no final read": ([inc(0, 5, 1, ONE), read(2, 7, 1, ONE)], SYNC, "no read was answered after the last increment"),
    "processes": (ANSWERED_BY_TWO_THREADS, PROCESSES, "only 1 of 2 processes answered"),
    "forks": (ANSWERED_BY_TWO_THREADS, FORKS, "only one process answered"),
    "threads": ([inc(0, 5, 1, ONE), inc(3, 9, 2, ONE), read(10, 11, 2, ONE)], THREADS, "only one thread answered"),
    "greenlets": (
        ANSWERED_BY_TWO_THREADS,
        Expectation(expected_processes=1, spread=frozenset({"greenlets"})),
        "only one greenlet answered",
    ),
    "hosts": (
        SHARED_AND_ATOMIC,
        Expectation(expected_processes=2, spread=frozenset({"hosts", "processes"})),
        "only one host answered",
    ),
    "overlap": (ONE_AFTER_THE_OTHER, PROCESSES, "no two operations overlapped"),
}


@pytest.mark.parametrize(("operations", "expectation", "reason"), SHORTFALLS.values(), ids=SHORTFALLS.keys())
def test_what_was_not_exercised_does_not_pass(
    operations: list[Operation], expectation: Expectation, reason: str
) -> None:
    """Without a violation, poor coverage is a verdict of its own, with its reason, and says nothing about the scope."""
    judgement = judge(history(*operations), expectation)
    assert names(judgement) == ("not-exercised", [])
    assert reason in judgement.reason
    assert judgement.scope is None


def test_one_process_alone_needs_no_overlap() -> None:
    """Where nothing lies between two requests, they cannot overlap and need not."""
    judgement = judge(history(inc(0, 5, 1, ONE), inc(6, 9, 2, ONE), read(10, 11, 2, ONE)), SYNC)
    assert names(judgement) == ("held", [])


@pytest.mark.parametrize("operations", [MODULE_GLOBAL_IN_TWO_PROCESSES, GET_AND_SET, INCREMENT_THEN_GET])
def test_a_violation_is_proof_whatever_the_coverage(operations: list[Operation]) -> None:
    """Two of ninety-nine processes are enough to show that something is wrong."""
    judgement = judge(
        history(*operations), Expectation(expected_processes=99, spread=frozenset({"hosts", "greenlets"}))
    )
    assert judgement.verdict == "violated"


def test_an_error_of_the_checker_is_unknown() -> None:
    """A history that the checker cannot read does not pass, and the reason is in the error's words."""
    judgement = judge(history(Operation(process=0, op="buy", start=0, end=1, status="ok")), SYNC)
    assert names(judgement) == ("unknown", [])
    assert judgement.reason == (
        "the checker stopped: ValueError: the counter model knows increment and read, not 'buy'"
    )


def test_coverage_counts_who_answered() -> None:
    """Processes by boot, threads and greenlets within them; only answers count."""
    silent = msgspec.structs.replace(unknown(1), served_by=server(pid=77))
    servers = [server(1, 1, 5), server(1, 2, 6), server(2, 2, 5)]
    judgement = judge(history(*(inc(n, 9, n + 1, by) for n, by in enumerate(servers)), silent), PROCESSES)
    assert judgement.coverage == Coverage(processes=2, expected_processes=2, threads=3, greenlets=3, overlaps=3)


@pytest.mark.parametrize("seed", range(4))
def test_overlaps_are_the_pairs_that_could_collide(seed: int) -> None:
    """Counted pair by pair: intervals that touch, same key, at least one increment, both answered."""
    rng = random.Random(seed)
    starts = [rng.randint(0, 60) for _ in range(60)]
    operations = [
        rng.choice((inc, inc, read))(start, start + rng.randint(0, 9), 1, ONE, key=rng.choice("ab")) for start in starts
    ]
    pairs = sum(
        a.key == b.key and "increment" in (a.op, b.op) and a.start <= (b.end or 0) and b.start <= (a.end or 0)
        for a, b in combinations(operations, 2)
    )
    assert overlaps(history(*operations, unknown(0), unknown(0)), SYNC) == pairs > 0


def test_rate_and_latency_are_those_of_acknowledged_increments() -> None:
    """Increments per second from first start to last end, and quantiles of their durations in ms."""
    increments = [inc(100 * MS * n, 100 * MS * n + (n + 1) * MS, n + 1, ONE) for n in range(11)]
    judgement = judge(history(*increments, read(2_000 * MS, 2_900 * MS, 11, ONE), unknown(0)), SYNC)
    assert judgement.rate_ops_s == pytest.approx(11 / 1.011)
    assert judgement.latency_ms is not None
    assert msgspec.structs.astuple(judgement.latency_ms) == pytest.approx((6, 10.5, 10.9))


def test_nothing_answered_has_no_rate() -> None:
    """Without an acknowledged increment there is neither rate nor latency."""
    judgement = judge(history(unknown(0)), SYNC)
    assert (judgement.rate_ops_s, judgement.latency_ms) == (None, None)


def test_a_witness_comes_with_its_neighbours() -> None:
    """Up to four operations on each side, in order of time, none of them part of the proof."""
    plain = [inc(10 * n, 10 * n + 4, n + 1, ONE) for n in range(20)]
    twice = msgspec.structs.replace(plain[10], op_id="again", start=99, end=105)
    judgement = judge(history(*plain, twice, read(900, 901, 20, ONE)), THREADS)
    assert judgement.witness is not None
    assert [o.start for o in judgement.witness.operations] == [99, 100]
    assert [o.start for o in judgement.witness.context] == [60, 70, 80, 90, 110, 120, 130, 140]


def test_the_first_number_handed_out_again_is_in_the_picture() -> None:
    """However far away it is, since the proof speaks of it."""
    before = [inc(10 * n, 10 * n + 4, n + 1, ONE) for n in range(20)]
    slow = msgspec.structs.replace(inc(9, 300, 2, ONE), op_id="slow")
    after = [inc(310 + 10 * n, 314 + 10 * n, n + 3, ONE) for n in range(18)]
    judgement = judge(history(*before, slow, *after, read(900, 901, 20, ONE)), THREADS)
    assert judgement.witness is not None
    assert judgement.witness.culprit == "slow"
    assert judgement.witness.text.endswith(
        "A rolled back 19 updates. In all, 19 of 39 acknowledged increments are missing at the end."
    )
    assert [o.result for o in judgement.witness.context if o.start >= 310] == [3]


def test_an_unknown_outcome_explains_a_value_that_is_higher_than_all_answers() -> None:
    """Whose process served the request without an answer is not known: either may have counted it."""
    lossy = MODULE_GLOBAL_IN_TWO_PROCESSES_WITH_THREADS[:5]
    finals = [
        read(t, t + 1, value, thread(pid, 1)) for t, pid, value in [(20, 1, 1), (22, 2, 4), (24, 1, 1), (26, 2, 4)]
    ]
    assert names(judge(history(*lossy, unknown(1), *finals), BOTH)) == ("violated", ["lost-update", "divergent"])
    assert "overcounted" in judge(history(*lossy, *finals), BOTH).anomalies


def test_anomalies_and_witnesses_are_in_one_order() -> None:
    """Anomalies come in the order of the table, with a witness each, and the first one's is the cell's."""
    hung = msgspec.structs.replace(unknown(1), timed_out=True)
    again = read(24, 25, 1, thread(1, 1))
    judgement = judge(history(*MODULE_GLOBAL_IN_TWO_PROCESSES_WITH_THREADS, again, hung), BOTH)
    assert judgement.anomalies == [name for name in ANOMALIES if name in ("stalled", "divergent", "lost-update")]
    assert list(judgement.witnesses) == judgement.anomalies
    assert [witness.anomaly for witness in judgement.witnesses.values()] == judgement.anomalies
    assert judgement.witness == judgement.witnesses["lost-update"]
    assert judgement.reason == "; ".join(f"{name}: {ANOMALIES[name]}" for name in judgement.anomalies)


def test_a_judgement_becomes_a_row_of_the_report() -> None:
    """Address, prediction and measurement together make a cell that can be stored as JSON."""
    key = CellKey(workload="counter", mechanism="module-global", deployment="sync-4", window="tight")
    prediction = Prediction(anomalies=("divergent",), guaranteed=True, reason="one copy per process")
    judgement = judge(history(*MODULE_GLOBAL_IN_TWO_PROCESSES), PROCESSES)
    row = cell(key, prediction, judgement)
    assert (row.mechanism, row.predicted, row.anomalies) == ("module-global", ["divergent"], ["divergent"])
    assert (row.operations, row.scope) == (judgement.operations, judgement.scope)
    assert msgspec.json.decode(msgspec.json.encode(row), type=Cell) == row


def test_each_key_is_a_counter_of_its_own() -> None:
    """Reads of two keys differ without being copies, and a race on one key is found beside a sound one."""
    sound = [inc(0, 5, 1, ONE, key="a"), inc(3, 9, 2, TWO, key="a"), inc(2, 4, 1, ONE, key="b")]
    finals = [read(20, 21, 2, ONE, key="a"), read(22, 23, 1, TWO, key="b")]
    assert names(judge(history(*sound, *finals), PROCESSES)) == ("held", [])
    judgement = judge(history(*sound, inc(3, 5, 1, TWO, key="b"), *finals, read(30, 31, 2, TWO, key="a")), PROCESSES)
    assert names(judgement) == ("violated", ["lost-update"])
    assert judgement.lost == Bounds(min=1, max=1)


SIMULATED: dict[str, tuple[Deployment, set[tuple[str, ...]]]] = {
    "shared, atomic": (Deployment(processes=4), {()}),
    "shared, atomic, many without an answer": (Deployment(processes=4, threads=2, unanswered=0.1), {()}),
    "shared, get and set": (Deployment(processes=4, atomic=False), {("lost-update",)}),
    "shared, get and set, without some answers": (
        Deployment(threads=8, atomic=False, unanswered=0.03),
        {("lost-update",)},
    ),
    "shared, answers later": (Deployment(processes=4, answers_later=True), {("misreported",)}),
    "shared, answers later, without some answers": (
        Deployment(processes=4, answers_later=True, unanswered=0.03),
        {("misreported",)},
    ),
    "per process, atomic": (Deployment(processes=4, copies="process"), {("divergent",)}),
    "per process, atomic, without some answers": (
        Deployment(processes=4, copies="process", unanswered=0.03),
        {("divergent",)},
    ),
    "per process, get and set": (
        Deployment(processes=2, threads=4, copies="process", atomic=False),
        {("lost-update", "divergent")},
    ),
    "per process, answers later": (
        Deployment(processes=2, threads=4, copies="process", answers_later=True),
        {("divergent", "misreported")},
    ),
    "per thread": (Deployment(processes=2, threads=4, copies="thread"), {("divergent",)}),
    "per request": (Deployment(processes=4, copies="request"), {("never-persists",)}),
    "per request, without some answers": (
        Deployment(processes=4, copies="request", unanswered=0.03),
        {("never-persists",)},
    ),
}


@pytest.mark.parametrize(("deployment", "expected"), SIMULATED.values(), ids=SIMULATED.keys())
def test_simulated_deployments_get_their_true_names(deployment: Deployment, expected: set[tuple[str, ...]]) -> None:
    """Where the truth is known, 40 random runs of each deployment are called by exactly the names it deserves."""
    spread = frozenset({"processes"} if deployment.processes > 1 else {"threads"})
    expectation = Expectation(expected_processes=deployment.processes, spread=spread)
    judgements = [judge(simulate(deployment, random.Random(seed)), expectation) for seed in range(40)]
    assert set(Counter(tuple(judgement.anomalies) for judgement in judgements)) == expected
    assert {judgement.verdict for judgement in judgements} == {"violated" if any(expected) else "held"}
    assert all(judgement.lost is not None for judgement in judgements)
    assert all("\n" not in w.text and w.operations for judgement in judgements for w in judgement.witnesses.values())


def test_the_bounds_hold_the_true_loss() -> None:
    """In a simulated counter that loses updates, the number of missing ones lies within the bounds."""
    for seed in range(30):
        given: History = simulate(Deployment(threads=8, atomic=False), random.Random(seed))
        final = int(given.result[-1])
        judgement = judge(given, THREADS)
        assert judgement.lost == Bounds(min=121 - final, max=121 - final)

"""The rule for the nearest mechanism that holds, and the comparison that it counts lines with."""

import pytest
from hypothesis import given, strategies
from msgspec import structs

from offered import offered
from statelab.core.paths import DEPLOYMENTS
from statelab.core.results import Cell, Latency
from statelab.plan.catalogue import Catalogue, Claims, Mechanism, Workload
from statelab.plan.deployments import ON_REQUEST, Deployment, load_all
from statelab.theory.code_diff import diff, in_columns
from statelab.theory.fixes import Fixes, candidates, lasting_candidates, unfixed, with_fixes

DEPLOYED = load_all(DEPLOYMENTS)
PROCESS = frozenset({"requests", "greenlets", "threads"})
HOST = PROCESS | {"processes"}
CLUSTER = HOST | {"hosts"}
NOTHING: frozenset[str] = frozenset()


def mechanism(
    shared: frozenset[str], atomic: frozenset[str] = NOTHING, source: str | None = None, **more: object
) -> Mechanism:
    claims = {"shared_across": shared, "atomic_across": atomic, "survives": "server"} | more
    return Mechanism(summary="", claims=Claims(**claims), source=source)  # type: ignore[arg-type]


def workload(**mechanisms: Mechanism) -> Workload:
    return Workload(promise="", operations={}, mechanisms=mechanisms)


def nearest(deployment: str, **others: Mechanism) -> list[str]:
    """What may replace `broken`, the first of the mechanisms, nearest first."""
    return [found.name for found in candidates(workload(**others), "broken", DEPLOYED[deployment])]


def test_the_same_place_comes_before_fewer_lines() -> None:
    """Same reach, same store, outliving the same: nearer than whatever needs a smaller change."""
    broken = mechanism(CLUSTER, store="redis", source="get\nset")
    small = mechanism(CLUSTER, CLUSTER, store="memcached", source="get\nset\nx")
    large = mechanism(CLUSTER, CLUSTER, store="redis", source="a\nb\nc\nd\ne")
    assert nearest("sync-4", broken=broken, small=small, large=large) == ["large", "small"]


def test_the_smaller_step_in_reach_comes_before_fewer_lines() -> None:
    """Where the place itself cannot hold, the host comes before the cluster."""
    broken = mechanism(PROCESS, source="n += 1")
    cluster = mechanism(CLUSTER, CLUSTER, store="redis", source="n += 1\nx")
    host = mechanism(HOST, HOST, source="a\nb\nc")
    assert nearest("sync-4", broken=broken, cluster=cluster, host=host) == ["host", "cluster"]


def test_within_a_place_fewest_lines_come_first_and_then_the_table() -> None:
    """Removed and added lines count alike; equal ones keep the order of the table."""
    broken = mechanism(HOST, source="open\nread\nwrite")
    others = {
        "much": mechanism(HOST, HOST, source="a\nb\nc"),
        "little": mechanism(HOST, HOST, source="open\nlock\nread\nwrite"),
        "also-little": mechanism(HOST, HOST, source="open\nread\nwrite\nunlock"),
    }
    assert nearest("sync-4", broken=broken, **others) == ["little", "also-little", "much"]


@pytest.mark.parametrize(
    ("deployment", "fix", "why"),
    [
        ("sync-4", mechanism(PROCESS, PROCESS), "it reaches less far"),
        ("gthread", mechanism(PROCESS, PROCESS), "it reaches less far, though it holds here"),
        ("sync-4", mechanism(HOST, HOST, survives="worker"), "it forgets earlier"),
        ("sync-4", mechanism(HOST), "it breaks as well"),
        ("gevent", mechanism(HOST, HOST, blocks_hub=True), "it stalls with a window that yields"),
        ("gevent", mechanism(HOST), "with window call it holds for want of a switch point only"),
        ("gthread", mechanism(HOST, HOST, answers_later=True), "its answers are wrong"),
    ],
)
def test_no_fix(deployment: str, fix: Mechanism, why: str) -> None:
    """What gives something up, or holds without a promise, replaces nothing."""
    assert nearest(deployment, broken=mechanism(HOST), fix=fix) == [], why


def test_a_mechanism_for_another_part_of_the_promise_replaces_nothing() -> None:
    """Work at the start is no cure for a request that is sent again, however near it is kept."""
    broken = mechanism(HOST, part="retry")
    assert nearest("sync-4", broken=broken, near=mechanism(HOST, HOST, part="start")) == []
    assert nearest("sync-4", broken=broken, far=mechanism(CLUSTER, CLUSTER, store="redis", part="retry")) == ["far"]


def test_what_is_to_happen_once_is_replaced_by_what_does_the_same_job() -> None:
    """Every mechanism of the workload says which job it does, and for each job there is one that holds."""
    once = offered().workloads["once"]
    job = {name: found.claims.part for name, found in once.mechanisms.items()}
    broken = ("idempotency-dict", "lazy-init", "apscheduler-every-worker")
    fixes = {name: {other.name for other in candidates(once, name, DEPLOYED["sync-4"])} for name in broken}
    assert {job[name] for name in broken} == set(job.values())
    assert all(fixes.values())
    assert all(job[other] == job[name] for name in broken for other in fixes[name])


def test_an_app_without_sources_or_with_words_of_its_own_is_ranked_by_its_claims() -> None:
    """No source: no lines to count, the table decides; a lifetime nobody knows counts as none."""
    broken = mechanism(HOST, survives="a weekend")
    others = {"first": mechanism(HOST, HOST), "second": mechanism(HOST, HOST, source="x")}
    assert nearest("sync-4", broken=broken, **others) == ["first", "second"]


# A run: one workload, `broken` and two that hold by the theory, the nearer of them `near`.
RUN = Catalogue(
    windows=["io"],
    workloads={
        "counter": workload(
            broken=mechanism(HOST, source="read\nwrite"),
            far=mechanism(CLUSTER, CLUSTER, store="redis", source="incr"),
            near=mechanism(HOST, HOST, source="lock\nread\nwrite"),
        )
    },
)


def cell(name: str, verdict: str = "held", window: str = "io", rate: float | None = 100.0, **more: object) -> Cell:
    return Cell(
        workload="counter",
        mechanism=name,
        deployment="sync-4",
        window=window,
        predicted=[],
        guaranteed=True,
        prediction_reason="",
        verdict=verdict,  # type: ignore[arg-type]
        reason="",
        rate_ops_s=rate,
        latency_ms=Latency(p50=1.0, p95=rate / 10, p99=50.0) if rate else None,
        **more,  # type: ignore[arg-type]
    )


def fixed(*cells: Cell) -> tuple[Cell, Fixes]:
    """The first of the cells with its fix, and the run's fixes."""
    fixes = Fixes([*cells], RUN, DEPLOYED)
    return with_fixes([*cells], fixes)[0], fixes


def test_the_fix_is_the_nearest_that_held_in_the_same_run_with_its_cost() -> None:
    """Throughput and p95 of the fix over those of the broken one, from the same deployment and window."""
    found, _ = fixed(cell("broken", "violated", rate=200.0), cell("far"), cell("near", rate=50.0))
    assert found.fix
    assert (found.fix.mechanism, found.fix.rate_ratio, found.fix.p95_ratio) == ("near", 0.25, 0.25)
    assert found.fix.passed_over == []


@pytest.mark.parametrize("verdict", ["violated", "unknown", "not-exercised", "unavailable"])
def test_what_did_not_hold_here_is_passed_over_by_name(verdict: str) -> None:
    """The theory alone is not enough: only `held` counts, and what it ranks nearer is told."""
    found, _ = fixed(cell("broken", "violated"), cell("near", verdict), cell("far"))
    assert found.fix
    assert (found.fix.mechanism, found.fix.passed_over) == ("far", ["near"])


def test_another_window_does_not_count() -> None:
    """What held with another window says nothing of this one."""
    found, _ = fixed(cell("broken", "violated"), cell("near", window="tight"), cell("far"))
    assert found.fix
    assert found.fix.mechanism == "far"


@pytest.mark.parametrize("verdict", ["violated", "unknown", "not-exercised"])
def test_a_fix_holds_in_every_window_that_it_was_measured_in(verdict: str) -> None:
    """One that holds here and not with another window under the same deployment is passed over."""
    found, _ = fixed(cell("broken", "violated"), cell("near"), cell("near", verdict, window="call"), cell("far"))
    assert found.fix
    assert (found.fix.mechanism, found.fix.passed_over) == ("far", ["near"])


def test_where_only_another_window_is_in_the_way_the_reason_names_it() -> None:
    """The nearest held with this window and not with the other one."""
    broken, fixes = fixed(cell("broken", "violated"), cell("near"), cell("near", "violated", window="call"))
    [(reason, _)] = unfixed([broken], fixes)
    assert "`near`, did not hold with window call" in reason


def test_the_fix_that_lasts_held_in_every_cell_of_the_run() -> None:
    """Under gevent `near` stalls, so `far` is the one that holds everywhere; here the nearest stays the nearest."""
    elsewhere = {"deployment": "gevent"}
    cells = [cell("broken", "violated"), cell("near"), cell("far"), structs.replace(cell("far"), **elsewhere)]
    near = structs.replace(cell("near", "violated"), **elsewhere)
    [broken, *_] = with_fixes([*cells, near], Fixes([*cells, near], RUN, DEPLOYED))
    assert broken.fix
    assert broken.lasting_fix
    assert (broken.fix.mechanism, broken.lasting_fix.mechanism) == ("near", "far")


def test_a_fix_that_lasts_outlives_a_worker_and_is_no_loss() -> None:
    """What ends with its worker does not last, however widely it is shared; where nobody minds, it may."""
    table = {
        "broken": mechanism(PROCESS, survives="request"),
        "mortal": mechanism(CLUSTER, CLUSTER, survives="request"),
        "lasting": mechanism(CLUSTER, CLUSTER, survives="server", source="a\nb"),
    }
    assert lasting_candidates(workload(**table), "broken", DEPLOYED.values()) == ["lasting"]
    about = Workload(promise="", operations={}, mechanisms=table, shows={"lost-update": "oversold"})
    assert lasting_candidates(about, "broken", DEPLOYED.values()) == ["mortal", "lasting"]


@pytest.mark.parametrize(
    ("name", "broken", "fix"),
    [
        ("counter", "module-global", "redis-incr"),
        ("counter", "file", "redis-incr"),
        ("counter", "redis-get-set", "redis-incr"),
        ("counter", "postgres-read-write", "postgres-update"),
        ("inventory", "sqlite-naive", "sqlite-conditional-update"),
        ("rate-limit", "module-dict", "redis-incr"),
        ("lock", "threading-lock", "redis-lock"),
        ("once", "lazy-init", "lazy-init-redis-lock"),
        ("connection", "postgres-global", "postgres-pool"),
        ("request-scope", "module-global", "flask-g"),
    ],
)
def test_the_fix_that_lasts_is_what_people_do(name: str, broken: str, fix: str) -> None:
    """One command of the store that is there already, or of one that every worker reaches."""
    assert lasting_candidates(offered().workloads[name], broken, DEPLOYED.values())[0] == fix


@pytest.mark.parametrize("deployment", load_all(DEPLOYMENTS / ON_REQUEST).values(), ids=lambda found: found.name)
def test_what_holds_only_since_requests_come_in_turn_is_no_fix(deployment: Deployment) -> None:
    """The time in milliseconds is unique as long as one worker serves one request after the other, and no longer."""
    unique = offered().workloads["unique-id"]
    assert "milliseconds" not in [found.name for found in candidates(unique, "itertools-count", deployment)]


def test_a_missing_figure_leaves_the_ratio_open() -> None:
    """Nothing measured before or after: no ratio, but the fix."""
    for rates in ((None, 100.0), (100.0, None), (0.0, 100.0)):
        found, _ = fixed(cell("broken", "violated", rate=rates[0]), cell("near", rate=rates[1]))
        assert found.fix
        assert (found.fix.mechanism, found.fix.rate_ratio, found.fix.p95_ratio) == ("near", None, None)


@pytest.mark.parametrize("verdict", ["held", "unknown", "not-exercised", "unavailable"])
def test_only_a_violated_cell_has_a_fix(verdict: str) -> None:
    """What was not proved broken needs none, and is not said to lack one."""
    found, fixes = fixed(cell("broken", verdict), cell("near"))
    assert found.fix is None
    assert list(unfixed([found], fixes)) == []


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ([], "`near`, was not measured"),
        ([cell("near", "not-exercised")], "`near`, was not exercised"),
        ([cell("near", "unavailable"), cell("far", "violated")], "`near`, was unavailable"),
    ],
)
def test_without_a_fix_there_is_a_reason(others: list[Cell], words: str) -> None:
    """The nearest by the theory and what became of it."""
    broken, fixes = fixed(cell("broken", "violated"), *others)
    [(reason, lacking)] = unfixed([broken], fixes)
    assert words in reason
    assert lacking is broken


def test_where_the_theory_knows_none_it_says_so() -> None:
    """The widest that holds has nothing wider to turn to."""
    broken, fixes = fixed(cell("far", "violated"))
    [(reason, _)] = unfixed([broken], fixes)
    assert reason == (
        "the theory predicts of no other mechanism that does the same job, reaches as far and lasts as long "
        "that it holds here"
    )


def sides(before: str, after: str) -> list[tuple[str | None, str | None]]:
    return [(pair.before, pair.after) for pair in diff(before, after).pairs if pair.changed]


def test_a_line_that_is_only_indented_otherwise_is_the_same() -> None:
    """A lock around two lines changes one line; both sides keep their indentation, blank lines are no lines."""
    comparison = diff("read\n\nwrite", "with lock:\n    read\n    write\n")
    assert comparison.changed == 1
    assert [pair.after for pair in comparison.pairs] == ["with lock:", "    read", "    write"]
    assert [pair.before for pair in comparison.pairs] == [None, "read", "write"]


def test_replaced_lines_stand_side_by_side() -> None:
    """The first removed one beside the first added one, and so on; what is over has nothing beside it."""
    assert sides("a\nb\nc", "a\nx\ny\nc") == [("b", "x"), (None, "y")]


def test_a_hunk_is_a_change_with_two_neighbours() -> None:
    """What lies far from any change is left out, and the text says where."""
    before = "\n".join("abcdefghij")
    comparison = diff(before, before.replace("a", "A").replace("j", "J"))
    assert [[pair.before for pair in hunk] for hunk in comparison.hunks] == [["a", "b", "c"], ["h", "i", "j"]]
    assert in_columns(comparison, "old", "new").splitlines() == [
        "old   | new",
        "------+------",
        "- a   | + A",
        "  b   |   b",
        "  c   |   c",
        "  ... |   ...",
        "  h   |   h",
        "  i   |   i",
        "- j   | + J",
    ]


def test_a_long_line_goes_on_in_the_next_under_one_mark() -> None:
    """A column stays narrow enough for two of them; a word that is longer is not broken."""
    text = in_columns(diff("", "x = " + "call() + " * 20 + "y" * 70), "old", "new")
    marked = [line.partition("| ")[2] for line in text.splitlines()[2:]]
    assert [line[0] for line in marked] == ["+"] + [" "] * (len(marked) - 1)
    assert max(map(len, marked[:-1])) <= 62
    assert "".join(line[2:].strip() for line in marked).replace(" ", "") == "x=" + "call()+" * 20 + "y" * 70


CODE = strategies.lists(strategies.sampled_from(["a", "b", "  a", "", "c = 1"]), max_size=8).map("\n".join)


def code_lines(code: str) -> list[str]:
    return [line for line in code.splitlines() if line.strip()]


@given(CODE, CODE)
def test_nothing_is_lost_or_made_up(before: str, after: str) -> None:
    """Each side of the pairs is the code itself; what is unchanged is equal but for its indentation."""
    pairs = diff(before, after).pairs
    assert [pair.before for pair in pairs if pair.before is not None] == code_lines(before)
    assert [pair.after for pair in pairs if pair.after is not None] == code_lines(after)
    same = [(pair.before or "", pair.after or "") for pair in pairs if not pair.changed]
    assert all(old.strip() == new.strip() for old, new in same)


@pytest.mark.parametrize("deployment", ["dev-threaded", "gthread", "gevent-2"])
@pytest.mark.parametrize(
    ("broken", "fix"),
    [
        ("sqlite-global", "sqlite-pool"),
        ("redis-global", "redis-pool"),
        ("memcached-global", "memcached-pool"),
        ("postgres-global", "postgres-pool"),
        ("postgres-closed-at-exit", "postgres-on-g"),
    ],
)
def test_a_shared_connection_is_replaced_by_one_of_the_same_store(broken: str, fix: str, deployment: str) -> None:
    """By a pool where there is one, else by one on `g`; one that the interpreter happens to close is no fix."""
    workload = offered().workloads["connection"]
    assert candidates(workload, broken, DEPLOYED[deployment])[0].name == fix


def test_the_same_store_comes_before_the_smaller_step_in_reach() -> None:
    """Where the place cannot be kept, what needs no other server is nearer."""
    broken = mechanism(PROCESS, store="redis")
    host = mechanism(HOST, HOST)
    cluster = mechanism(CLUSTER, CLUSTER, store="redis")
    assert nearest("sync-4", broken=broken, host=host, cluster=cluster) == ["cluster", "host"]


def test_where_outliving_the_request_is_the_fault_the_fix_may_reach_less_far() -> None:
    """State of one request is no loss where nobody sees that it is not kept; elsewhere it would be one."""
    table = {"broken": mechanism(PROCESS), "own": mechanism(NOTHING, survives=None)}
    about = Workload(promise="", operations={}, mechanisms=table, shows={"left-behind": "leak-residue"})
    assert [found.name for found in candidates(about, "broken", DEPLOYED["sync"])] == ["own"]
    assert nearest("sync-4", **table) == []

"""The sentences on top say where theory and experiment disagree, and what is missing."""

from statelab.core.results import Bounds, Fix
from statelab.report.content.document import compose

from .cells import LOST, cell, results


def test_a_contradiction_is_told_with_prediction_and_measurement() -> None:
    """Whoever reads it has both sides, and the report's verdict is that it fails."""
    report = compose(results(cell(**LOST, lost=Bounds(min=12, max=12))))
    text = report.contradictions[0].text
    assert report.verdict == "This report fails: 1 cell is violated where held is predicted."
    for part in (
        "`redis-incr`",
        "`sync-4`",
        "lost-update",
        "an update excludes every other",
        "12 are missing",
        "12 of 1,000",
    ):
        assert part in text


def test_agreement_is_told_too() -> None:
    """Without a contradiction nothing fails, and no finding is made up."""
    report = compose(results(cell(), cell(mechanism="file", predicted=["lost-update"], **LOST)))
    assert report.verdict.startswith("No cell is violated")
    assert [report.contradictions, report.differences, report.not_seen, report.hidden] == [[], [], [], []]


def test_a_difference_names_what_was_missing_and_what_came_on_top() -> None:
    """Equal differences of one mechanism are one sentence."""
    changes = {**LOST, "predicted": ["divergent", "lost-update"], "anomalies": ["lost-update", "misreported"]}
    report = compose(results(cell(**changes), cell(deployment="gevent-2", **changes)))
    assert [sentence.text for sentence in report.differences] == [
        "`redis-incr` (counter, window `io`) under `sync-4`, `gevent-2`: misreported was seen although not predicted; "
        "lost-update was seen as predicted; divergent was predicted and not seen."
    ]


def test_what_is_missing_beside_something_seen_is_no_difference() -> None:
    """Half of the prediction in a short run contradicts nothing: it has a list of its own."""
    changes = {**LOST, "predicted": ["divergent", "lost-update"]}
    report = compose(results(cell(**changes)))
    assert report.differences == []
    assert [sentence.text for sentence in report.partly_seen] == [
        "`redis-incr` (counter, window `io`) under `sync-4`: lost-update was seen as predicted; "
        "divergent was predicted and not seen."
    ]


def test_what_holds_wherever_it_was_measured_is_named() -> None:
    """One violated or undecided cell is enough not to be; those that replace most others come first."""
    cells = [
        cell(mechanism="a"),
        cell(mechanism="a", deployment="gevent", verdict="unknown"),
        cell(mechanism="b"),
        cell(mechanism="c"),
        cell(mechanism="c", deployment="gevent", verdict="unavailable"),
        cell(mechanism="d", predicted=["lost-update"], fix=Fix(mechanism="c", rate_ratio=1.0, p95_ratio=1.0), **LOST),
    ]
    report = compose(results(*cells))
    assert report.holds == [("counter", ["c", "b"])]
    assert report.breaks == "1 of 4 mechanisms under some deployment: lost-update (1)."


def test_what_a_narrow_window_hides_is_told_once_for_all_it_hides() -> None:
    """Held without a promise in one window and violated in another one is a sentence; held in both is none."""
    rows = [
        cell(mechanism=name, guaranteed=False, window="tight", deployment="gthread")
        for name in ("global", "class", "luck")
    ] + [cell(mechanism=name, predicted=["lost-update"], deployment="gthread", **LOST) for name in ("global", "class")]
    (sentence,) = compose(results(*rows)).hidden
    assert "holds in `global`, `class` under `gthread`; with `io` it is violated there" in sentence.text


def test_what_is_unavailable_is_told_with_how_to_get_it() -> None:
    """One entry a reason, with the help that fits the store."""
    down = {"verdict": "unavailable", "reason": "postgres is not installed"}
    stores = [{"name": name, "workload": "counter", "store": "postgres"} for name in ("pg-a", "pg-b")]
    report = compose(results(cell(mechanism="pg-a", **down), cell(mechanism="pg-b", **down), mechanisms=stores))
    (absence,) = report.absences
    assert "postgres is not installed. 2 cells: `pg-a`, `pg-b`." in absence.text
    assert "How to get it: install postgres" in absence.text


def test_a_deployment_that_does_not_start_is_no_matter_of_a_store() -> None:
    """Cells that need different stores, or none, have the reason and no wrong help."""
    down = {"verdict": "unavailable", "reason": "sync-4 did not come up; its log ends with:\nBoom\n" + "x" * 400}
    stores = [{"name": "pg", "workload": "counter", "store": "postgres"}]
    report = compose(results(cell(mechanism="pg", **down), cell(mechanism="file", **down), mechanisms=stores))
    (absence,) = report.absences
    assert absence.help == ""
    assert "Boom" in absence.text
    assert all(len(row.words) < 300 for row in report.rows)


def test_a_run_that_was_stopped_says_what_it_lacks() -> None:
    """All missing cells are kept; a sentence names the first of them."""
    names = [f"counter/file/sync/{number}" for number in range(30)]
    report = compose(results(cell(), stopped="interrupted", missing=names))
    assert report.incomplete[0] == "The run was stopped early: interrupted."
    assert report.incomplete[1].startswith("30 cells missing: `counter/file/sync/0`, ")
    assert report.incomplete[1].endswith(" and 18 more.")
    assert report.missing == names


def test_a_manifest_is_told_whatever_it_holds() -> None:
    """Known keys come first, unknown ones follow with their units, empty and endless ones are left out."""
    report = compose(
        results(
            cell(),
            think_time_ms=2,
            seed=7,
            commit="",
            machine={"cores": 2, "memory_bytes": 8 * 2**30},
            durations_s={"load": 42.04},
            plan=[{"cell": number} for number in range(900)],
            notes=["slow disk"],
        )
    )
    assert report.facts == [
        ("seed", "7"),
        ("cores", "2"),
        ("memory", "8.0 GiB"),
        ("durations", "load 42.0 s"),
        ("think time", "2 ms"),
    ]
    assert report.notes == ["slow disk"]

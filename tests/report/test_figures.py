"""Numbers are printed with the same digits everywhere, and bounds stay true when they are rounded."""

import pytest

from statelab.core.results import Bounds, Counts, Coverage, Interval, Runs
from statelab.report.content import figures
from statelab.report.content.rows import Row

from .cells import cell


def test_the_bound_is_the_rule_of_three() -> None:
    """1 − 0.05^(1/n): with that share, n trials without a violation have a chance of 5 %."""
    assert (1 - figures.bound(3_000)) ** 3_000 == pytest.approx(0.05)
    assert figures.bound(3_000) == pytest.approx(3 / 3_000, rel=0.01)
    assert figures.bound(0) == 1.0


@pytest.mark.parametrize("overlaps", [1, 2, 3, 10, 99, 1_000, 60_001, 10_000_000])
def test_a_bound_is_rounded_up(overlaps: int) -> None:
    """A printed bound is never below the true one and at most a tenth above it."""
    bound = figures.bound(overlaps)
    printed = float(figures.at_most(bound).removesuffix(figures.PERCENT)) / 100
    assert bound * (1 - 1e-7) <= printed <= bound * 1.11


def test_not_seen_tells_its_bound_and_the_overlaps_it_rests_on() -> None:
    """The words of a cell in which nothing was seen never say safe."""
    row = Row(cell(predicted=["lost-update"], guaranteed=False))
    assert row.not_seen_bound == "none in 3,000 overlaps, so at most 0.100\N{NO-BREAK SPACE}% of them (95 %)"
    assert "safe" not in row.words
    assert Row(cell()).not_seen_bound == ""


def test_where_a_request_counts_many_times_the_bound_rests_on_the_requests_that_met() -> None:
    """Not on the overlaps that the clients saw."""
    met = Coverage(processes=1, expected_processes=1, threads=8, greenlets=0, overlaps=84, met=1)
    row = Row(cell(predicted=["lost-update"], guaranteed=False, coverage=met))
    assert row.not_seen_bound.startswith("none in 1 meeting, so at most 95")


def test_not_seen_without_overlaps_has_no_bound() -> None:
    """Nothing overlapped, so nothing can be said."""
    assert "no bound" in Row(cell(predicted=["divergent"], coverage=None)).not_seen_bound


@pytest.mark.parametrize(
    ("bounds", "counts", "text"),
    [
        (Bounds(min=12, max=12), Counts(ok=4_000, fail=0, info=0), "12 of 4,000 (0.3 %)"),
        (Bounds(min=310, max=1_314), Counts(ok=2_000, fail=0, info=4), "310–1,314 of 2,000 (≥ 16 %)"),
        (Bounds(min=0, max=0), Counts(ok=10, fail=0, info=0), "0 of 10 (0 %)"),
        (Bounds(min=3, max=3), None, "3"),
        (None, None, "–"),
    ],
)
def test_lost_updates_are_bounds_of_the_acknowledged_ones(
    bounds: Bounds | None, counts: Counts | None, text: str
) -> None:
    """Unknown outcomes leave the count uncertain, and the share is the certain part."""
    assert figures.lost(bounds, counts).replace("\N{NO-BREAK SPACE}", " ") == text


def test_runs_are_told_with_their_intervals() -> None:
    """Violated in m of k with its interval; the lost share as median with its own."""
    runs = Runs(
        total=10,
        violated=10,
        interval=Interval(low=0.692, high=1.0),
        lost_share_median=0.431,
        lost_share_interval=Interval(low=0.4, high=0.45),
    )
    row = Row(cell(runs=runs))
    assert row.runs.replace("\N{NO-BREAK SPACE}", " ") == "10 of 10 [69 %, 100 %]"
    assert row.lost_over_runs.replace("\N{NO-BREAK SPACE}", " ") == "43 % [40 %, 45 %]"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"python": "3.11.7", "cores": 2}, "python 3.11.7, cores 2"),
        (["a", {"b": True}], "a, b yes"),
        (612.25, "612.2"),
        (20261122, "20261122"),
    ],
)
def test_a_manifest_value_is_told_in_words(value: object, text: str) -> None:
    """Whatever a manifest holds is shown without braces."""
    assert figures.plain(value) == text

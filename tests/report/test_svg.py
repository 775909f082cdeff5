"""A timeline is a well-formed picture that says without colour who did what, when, and what is unknown."""

import random
import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from statelab.core.operation import Operation
from statelab.core.results import ANOMALIES, Witness
from statelab.report.timeline.picture import Picture, Timescale
from statelab.report.timeline.svg import timeline

from .sample import DEPLOYMENTS
from .witnesses import HOSTILE, increment, served, witness_of

NAMES = "{http://www.w3.org/2000/svg}"
SYNC, GTHREAD, GEVENT = (next(d for d in DEPLOYMENTS if d["name"] == name) for name in ("sync-4", "gthread", "gevent"))


def parsed(witness: Witness) -> ElementTree.Element:
    return ElementTree.fromstring(timeline(witness))


def texts(root: ElementTree.Element) -> str:
    return "\n".join(element.text or "" for element in root.iter(NAMES + "text"))


def groups(root: ElementTree.Element, kind: str) -> list[ElementTree.Element]:
    return [group for group in root.iter(NAMES + "g") if kind in group.get("class", "").split()]


def made(anomaly: str, **deployment: object) -> Witness:
    return witness_of(anomaly, {**SYNC, **deployment}, random.Random(1))


@pytest.mark.parametrize("anomaly", ANOMALIES)
def test_every_anomaly_has_a_picture(anomaly: str) -> None:
    """It parses, says what broke, is small, and refers to nothing outside."""
    svg = timeline(made(anomaly))
    root = ElementTree.fromstring(svg)
    assert ANOMALIES[anomaly] in texts(root)
    assert len(svg.encode()) <= 30_000
    assert not re.search(r"url\(|href|<script|<style|<image", svg)
    assert svg.count("http:") == 1  # the namespace


def test_an_operation_of_unknown_outcome_has_no_right_side() -> None:
    """Its shape is an open path to the edge, and the words say that its end is not known."""
    root = parsed(made("stalled"))
    unended = groups(root, "open")
    assert len(unended) == 8
    for group in unended:
        assert group.find(NAMES + "rect") is None
        outline = group.find(NAMES + "path")
        assert outline is not None
        assert "Z" not in outline.get("d", "Z").upper()
    assert "increment → ? (timed out)" in texts(root)
    assert "outcome unknown" in texts(root)


def test_an_operation_that_ended_is_a_closed_box() -> None:
    """Closed interval, closed box; its width is its time."""
    root = parsed(made("lost-update"))
    boxes = [group.find(NAMES + "rect") for group in groups(root, "proof")]
    widths = sorted(float(box.get("width", "")) for box in boxes if box is not None)
    assert widths[1] / widths[0] == pytest.approx(9.2 / 2.3, rel=0.01)


def test_the_culprit_and_the_context_are_marked_in_words() -> None:
    """The operation that overwrote others is named; neighbours are greyed and the footnote says so."""
    root = parsed(made("lost-update"))
    assert "◀ culprit" in texts(root)
    assert len(groups(root, "proof")) == 2
    assert len(groups(root, "context")) == 6
    assert "grey: neighbours, no part of the proof" in texts(root)


def test_the_slack_is_marked_between_the_two_stamps_it_lies_between() -> None:
    """A bracket and its length in ms; where no clock is needed the picture says that."""
    root = parsed(made("divergent"))
    assert "slack 2.500 ms" in texts(root)
    assert any(path.get("class") == "slack" for path in root.iter(NAMES + "path"))
    assert "no clock is needed" in texts(parsed(made("lost-update")))


def test_a_slack_without_its_two_stamps_is_still_told() -> None:
    """The number is in the picture even where the bracket cannot be."""
    witness = Witness(anomaly="divergent", operations=[increment(1, 2, 0, 1)], text="", slack_ns=7_000_000)
    assert "slack 7.000 ms" in texts(parsed(witness))


def test_servers_are_told_apart_by_colour_and_stroke_and_words() -> None:
    """Two processes: two colours, two strokes, and the pid at each operation."""
    root = parsed(made("divergent"))
    boxes = [group.find(NAMES + "rect") for group in groups(root, "proof")]
    assert len({box.get("stroke") for box in boxes if box is not None}) == 2
    assert len({box.get("stroke-dasharray") for box in boxes if box is not None}) == 2
    assert "A increment → 58 · pid 4120" in texts(root)
    assert "B: pid 4121 thread 4122 on web-1" in texts(root)


@pytest.mark.parametrize(("deployment", "told"), [(GTHREAD, "B: pid 4120 thread 4122"), (GEVENT, "greenlet …000192")])
def test_one_process_is_told_apart_by_thread_or_greenlet(deployment: dict[str, object], told: str) -> None:
    """The coarsest level at which the proof's operations differ has the colours."""
    root = parsed(made("lost-update", **deployment))
    boxes = [group.find(NAMES + "rect") for group in groups(root, "proof")]
    assert len({box.get("stroke") for box in boxes if box is not None}) == 2
    assert told in texts(root)


def test_text_of_others_cannot_break_the_picture() -> None:
    """Markup is escaped, and control characters are left out."""
    by = served(SYNC, 0)
    hostile = Operation(process=HOSTILE, op=HOSTILE, start=0, end=5, status="ok", result=1, error=HOSTILE, served_by=by)
    svg = timeline(Witness(anomaly=HOSTILE, operations=[hostile], text=HOSTILE, culprit=HOSTILE))
    assert ElementTree.fromstring(svg).find(f".//{NAMES}script") is None
    assert "\x1b" not in svg
    assert "\x00" not in svg


def test_a_long_proof_says_how_much_of_it_is_drawn() -> None:
    """Nothing is left out in silence."""
    assert "drawn: 40 of the proof's 61 operations" in texts(parsed(made("overcounted")))


@pytest.mark.parametrize("operations", [[], [increment(1, None, 3, None)], [increment(1, 1, 3, 3)]])
def test_odd_witnesses_have_a_picture(operations: list[Operation]) -> None:
    """No operation, only an unended one, one without duration: none of them stops a report."""
    parsed(Witness(anomaly="stalled", operations=operations, text=""))


def test_a_client_that_went_on_after_an_unknown_outcome_gets_another_line() -> None:
    """An operation that never ended fills its line; what the client did later stands below it."""
    operations = [increment(1, None, 0, None), increment(1, 4, 5, 6), increment(1, 5, 7, 8)]
    lanes = Picture(Witness(anomaly="stalled", operations=operations, text="")).lanes()
    assert [(lane.client, len(lane.boxes)) for lane in lanes] == [("1", 1), ("1", 2)]


@pytest.mark.parametrize("anomaly", ANOMALIES)
def test_labels_do_not_run_into_each_other(anomaly: str) -> None:
    """Labels of one line and one level keep apart, and those of the proof are never left out."""
    for lane in Picture(made(anomaly)).lanes():
        assert all(box.label for box in lane.boxes if box.proof)
        for level in range(1, lane.levels + 1):
            starts = sorted((box.label_x, len(box.label)) for box in lane.boxes if box.level == level and box.label)
            assert all(x + letters * 6 <= after for (x, letters), (after, _) in pairwise(starts))


def test_time_counts_from_the_first_operation_of_the_proof() -> None:
    """The picture and the proof's text give the same times: neighbours before the proof are before zero."""
    scale = Picture(made("lost-update")).scale
    assert scale.start < scale.zero
    assert (scale.x(scale.zero), "0") in scale.ticks()
    assert scale.ticks()[0][1].startswith("−")


@pytest.mark.parametrize(("span_ms", "last"), [(0.004, "0.0040"), (0.9, "0.8"), (13.2, "12"), (5_000, "5,000")])
def test_ticks_are_round_and_true(span_ms: float, last: str) -> None:
    """Steps of 1, 2 or 5 with the decimals they need, placed where their time is."""
    scale = Timescale(1_000, 1_000 + round(span_ms * 1e6), 1_000, 0, 100)
    ticks = scale.ticks()
    assert ticks[0] == (0.0, f"{0:.{len(last.partition('.')[2])}f}")
    assert ticks[-1][1] == last
    assert ticks[-1][0] == pytest.approx(float(last.replace(",", "")) / span_ms * 100)
    assert 4 <= len(ticks) <= 11

"""The page is one well-formed document that needs nothing but itself and can be read without colours or script."""

import base64
import gzip
import json
import re
from functools import cache
from html.parser import HTMLParser

import msgspec
import pytest

from statelab.core.results import Results
from statelab.report.content.document import compose
from statelab.report.formats import html as page

from .cells import LOST, cell, results
from .sample import SHOWN, sample

VOID = {"meta", "input", "br", "link"}


class Parsed(HTMLParser):
    """Tags, links and text of a page; fails on a tag that is closed wrongly."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & {*self._open}:
            self.text.append(data)

    def of(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


def first_view(text: str) -> str:
    """The page without the packed views."""
    return re.sub(r'<script type="application/gzip"[^>]*>[^<]*</script>', "", text)


@cache
def html() -> str:
    return first_view(page.render(compose(sample())))


@cache
def views() -> dict[str, str]:
    return {address: text for part in page.views(compose(sample())).values() for address, text in part.items()}


@cache
def whole() -> str:
    """What is seen first, and every view that opens from it."""
    return html() + "".join(views().values())


@cache
def parsed() -> Parsed:
    return Parsed(html())


@cache
def parsed_whole() -> Parsed:
    return Parsed(whole())


def test_the_page_refers_to_nothing_outside_of_it() -> None:
    """No address, no import, no font, no source: it opens offline and tells nobody."""
    for tag, attributes in parsed_whole().tags:
        assert not {"src", "srcset", "action", "background", "xlink:href", "data", "poster"} & attributes.keys(), tag
        assert attributes.get("href", "#").startswith("#")
        assert not re.search(r"http:|https:|//|url\(", " ".join(attributes.values()))
    for outside in ("http:", "https:", "//", "url(", "@import", "@font-face"):
        assert outside not in whole().replace("memory://", "")  # a setting of Flask-Limiter, in a text


def test_every_link_leads_somewhere_and_every_anchor_is_unique() -> None:
    """A cell of a matrix leads to its numbers."""
    anchors = [attributes["id"] for _, attributes in parsed().tags if "id" in attributes]
    targets = {attributes["href"].removeprefix("#") for attributes in parsed_whole().of("a")}
    assert len(anchors) == len(set(anchors))
    assert targets <= {*anchors, *views()}
    assert {attributes["data-include"] for _, attributes in parsed_whole().tags if "data-include" in attributes} <= {
        *views()
    }
    assert "counter.redis-incr.gevent-2.io" in targets


def test_every_state_of_a_cell_appears_with_words() -> None:
    """Symbol, words and colour: each state has all three in a cell, and words in the legend."""
    cells = re.findall(r'<td class="([\w-]+)"[^>]*>(.*?)</td>', html(), re.DOTALL)
    for state in SHOWN:
        shown = {re.sub(r"<[^>]+>", " ", text) for name, text in cells if name == state.name}
        assert shown, state.name
        assert all(state.symbol in text for text in shown)
        assert state.title in "".join(parsed().text)
        assert any(re.search("[A-Z]{2}|[a-z]{3}", text) for text in shown)


def test_each_cell_opens_all_about_it() -> None:
    """Prediction, measurement, every column, and where it is violated what holds instead or the proof."""
    report = compose(sample())
    for row in report.rows:
        text = views()[row.anchor]
        assert f"Predicted {row.predicted_words}: " in text
        assert row.state.title in text
        assert text.count("<dt>") == len(report.columns)
        assert ("<svg" in text) == ("The proof" in text) == (row.cell.witness is not None)
        assert all(f'href="#{row.fix_anchor(fix)}"' in text for fix, _ in row.fixes)
    assert {row.anchor for row in report.rows} <= {attributes.get("id") for attributes in parsed().of("td")}


def test_the_views_are_packed_whole_by_workload() -> None:
    """What the page unpacks is what was rendered."""
    text = page.render(compose(sample()))
    packed = re.findall(r'<script type="application/gzip" data-part="([^"]*)">([^<]*)</script>', text)
    unpacked = {name: json.loads(gzip.decompress(base64.b64decode(data))) for name, data in packed}
    assert unpacked == page.views(compose(sample()))


def test_text_of_others_is_shown_and_does_nothing() -> None:
    """The hostile text arrives as text: no element, no control character."""
    assert len(parsed().of("script")) == 1
    assert "<script>alert('x')</script>" in "".join(parsed().text)
    assert len(parsed_whole().of("script")) == 1
    assert not re.search("[\x00-\x08\x0b-\x1f]", whole())


def test_tables_can_be_read_aloud() -> None:
    """Every header cell has a scope, every table a caption, every picture a role and a title."""
    assert all(attributes.get("scope") in ("col", "row", "rowgroup") for attributes in parsed_whole().of("th"))
    assert len(parsed_whole().of("caption")) == len(parsed_whole().of("table"))
    assert all(attributes.get("role") == "img" for attributes in parsed_whole().of("svg"))
    assert len(re.findall(r"<svg[^>]*><title>", whole())) == len(parsed_whole().of("svg"))
    assert parsed_whole().of("html") == [{"lang": "en"}]


def test_proofs_begin_with_the_workload_that_the_tables_begin_with() -> None:
    """The same anomaly in two workloads: the first one's proofs come first, though the other one's is as short and
    needs fewer boundaries between requests."""
    (violated, *_) = [row.cell for row in compose(sample()).rows if row.cell.anomalies == ["lost-update"]]
    later = msgspec.structs.replace(violated, workload="session", deployment="sync")
    both = Results(manifest=sample().manifest, cells=[violated, later])
    assert [example.row.cell.workload for example in compose(both).examples] == ["counter", "session"]


def test_each_kind_of_violation_has_a_picture_and_each_violated_cell_its_proof() -> None:
    """One picture for each anomaly between each kind of requests; the words for every cell."""
    report = compose(sample())
    proofs = sum(1 for row in report.rows if row.cell.witness)
    assert len(parsed_whole().of("svg")) == len(report.examples) + proofs
    assert views()["proofs"].count("<pre>") == len(report.examples)
    assert html().count("<pre>") == sum(1 for sentence in report.surprises if sentence.proof)
    assert {example.witness.anomaly for example in report.examples} == {
        "lost-update",
        "divergent",
        "never-persists",
        "misreported",
        "stalled",
        "overcounted",
    }


def test_what_contradicts_the_theory_comes_first() -> None:
    """The verdict is on top, in words, and the sentence follows before any matrix."""
    text = "".join(parsed().text)
    places = [text.index(part) for part in ("This report fails", "Either the lab or the theory", "counter, window io")]
    assert places[0] < places[1]
    assert html().index('id="disagreements"') < html().index('id="matrices"')


def test_a_report_in_which_all_agrees_says_so() -> None:
    """No empty lists, no picture section, no alarm."""
    text = "".join(Parsed(first_view(page.render(compose(results(cell()))))).text)
    assert "Nothing: every measured cell came out as the rule predicts." in text
    assert "Proofs" not in text


@pytest.mark.parametrize("given", [results(), results(cell(**LOST, witness=None, operations=None, lost=None))])
def test_a_report_of_little_can_be_written(given: object) -> None:
    """No cell at all, or a cell without figures: the page is there and well formed."""
    Parsed(page.render(compose(given)))  # type: ignore[arg-type]


def test_what_is_seen_first_is_small() -> None:
    """1,200 cells: at most 300 KB and 3,000 elements without the packed views, 700 KB with them."""
    assert len(html().encode()) <= 300_000
    assert len(parsed().tags) <= 3_000
    assert len(page.render(compose(sample())).encode()) <= 700_000
    script = html().partition("<script>")[2].partition("</script>")[0]
    assert len(script.encode()) <= 10_000


def test_dark_and_light_and_paper_are_provided_for() -> None:
    """The page follows the reader's scheme and can be printed."""
    assert "prefers-color-scheme: dark" in html()
    assert "@media print" in html()

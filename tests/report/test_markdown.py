"""The Markdown can be pasted into an issue and into docs."""

from statelab.report.content.document import compose
from statelab.report.formats import markdown
from statelab.report.formats.markdown import headline_markdown

from .cells import LOST, cell, results
from .sample import sample


def tables(text: str) -> list[list[str]]:
    """The lines of each table."""
    found: list[list[str]] = [[]]
    for line in text.splitlines():
        if line.startswith("|"):
            found[-1].append(line)
        elif found[-1]:
            found.append([])
    return [table for table in found if table]


def columns(line: str) -> int:
    return line.replace("\\|", "").count("|") - 1


def test_an_issue_takes_the_whole_text() -> None:
    """65,536 characters are the limit; what is left out is said to be."""
    text = markdown.render(compose(sample()))
    assert len(text) <= 65_536
    assert "left out here" not in text or "`index.html` has all of them" in text


def test_what_does_not_fit_is_said_to_be_left_out() -> None:
    """The last parts go first, and a sentence says how many."""
    cells = [
        cell(mechanism=f"mechanism-{number}-{'x' * 90}", deployment=f"deployment-{column}")
        for number in range(300)
        for column in range(20)
    ]
    text = markdown.render(compose(results(*cells)))
    assert "parts are left out here" in text
    assert len(text) <= 65_536


def test_every_table_has_as_many_cells_in_each_line() -> None:
    """Text of others opens no columns."""
    for table in tables(markdown.render(compose(sample()))):
        assert len({columns(line) for line in table}) == 1


def test_text_of_others_is_no_html() -> None:
    """The only tags are the report's own."""
    outside_code = markdown.render(compose(sample())).split("```")[::2]
    assert not any("<script" in part for part in outside_code)
    assert "\x1b" not in "".join(outside_code)


def test_a_proof_is_folded_away_under_its_kind() -> None:
    """Each example is a <details> with the witness in a code block that nothing in it can end."""
    text = markdown.render(compose(sample()))
    assert text.count("<details>") == text.count("</details>")
    assert text.count("```") % 2 == 0
    assert "<summary>‼ LU lost-update between greenlets and processes: redis-incr under gevent-2" in text


def test_a_cell_that_differs_has_its_prediction_beside_it() -> None:
    """Where the mark does not tell the prediction it follows in brackets."""
    text = markdown.render(compose(results(cell(**LOST), cell(deployment="sync", predicted=["divergent"], **LOST))))
    assert "| `redis-incr` | **‼ LU** (✓) | **≠ +LU (not seen: DV)** |" in text


def test_the_headline_has_one_window_and_its_legend() -> None:
    """The table of docs/tables.md: mechanisms × deployments with window io, marks and what they mean."""
    text = headline_markdown(sample())
    assert "window `io`" in text
    assert "window `tight`" not in text
    assert "| ✗ | violated as predicted: what is in brackets was predicted as well and did not show" in text
    assert "| LU | lost-update: an acknowledged update is missing: another one overwrote it |" in text
    assert len(tables(text)) == 3


def test_the_headline_takes_the_widest_window_there_is() -> None:
    """A run without window io has a headline as well."""
    assert "window `call`" in headline_markdown(results(cell(window="tight"), cell(window="call")))
    assert headline_markdown(results()).startswith("| sign |")

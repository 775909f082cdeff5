"""docs/architecture.md: its picture is drawn from the code, and each file and name that it leads to is there."""

import re

from statelab.core.paths import ROOT
from statelab.report.docs.architecture_picture import PAGE, PICTURE, SOURCE, draw, imports, layers


def test_the_picture_is_up_to_date() -> None:
    assert PICTURE.read_text() == draw(), "docs/architecture.svg is out of date: run `make docs`"


def test_every_file_and_name_of_the_page_is_there() -> None:
    """A newcomer follows it to the end; the way to a red cell is eight files long."""
    page = PAGE.read_text()
    for file in re.findall(r"`((?:src|services|loadtests)/[^`]+\.(?:py|env))`", page):
        assert (ROOT / file).is_file(), file
    for file, name in re.findall(r"`([\w/]+\.py)` \(`(\w+)`\)", page):
        assert re.search(rf"^\s*(?:def|class) {name}\b", (ROOT / file).read_text(), re.MULTILINE), (file, name)
    assert re.findall(r"^(\d+)\. ", page.partition("## Why is this cell red?")[2], re.MULTILINE) == list("12345678")


def test_every_folder_has_a_floor_and_says_what_it_is() -> None:
    """At most twelve folders and one file, each with a docstring, and no import that goes up or sideways."""
    entries = {path.stem for path in SOURCE.iterdir() if not path.name.startswith("__")} - {"py"}
    floors = layers()
    assert {name for floor in floors for name in floor} == entries
    assert len(entries) <= 13
    floor_of = {name: number for number, floor in enumerate(floors) for name in floor}
    for folder, others in imports().items():
        assert all(floor_of[other] > floor_of[folder] for other in others), (folder, others)

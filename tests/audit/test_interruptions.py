"""More than one interruption: what shows only when both requests are held, and how that is told."""

import json
from pathlib import Path

import pytest
from small_apps import HEAD, TORN_READ

from statelab.cli.audit import run

UNDER_A_LOCK = TORN_READ.replace("price =", "lock = threading.Lock()\nprice =")
for name in ("look", "sale"):
    UNDER_A_LOCK = UNDER_A_LOCK.replace(f"def {name}():", f"def {name}():\n  with lock:")


def findings(
    folder: Path, source: str, capsys: pytest.CaptureFixture[str], *, interruptions: int
) -> list[dict[str, list[str]]]:
    (folder / "shop.py").write_text(HEAD + source)
    (folder / "story.http").write_text("POST /look\n###\nPOST /sale")
    (folder / "bounds.toml").write_text("[audit]\napp = 'shop:app'\nstories = ['*.http']\n[audit.bounds]\njobs = 1\n")
    run(app_dir=str(folder), config=str(folder / "bounds.toml"), interruptions=interruptions, form="json")
    return [found for found in json.loads(capsys.readouterr().out)["findings"]]


@pytest.mark.process
def test_a_torn_read_takes_two_interruptions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The price is another one only while the sale is held, and the look sees it only if it is held as well."""
    assert findings(tmp_path, TORN_READ, capsys, interruptions=1) == []
    assert findings(tmp_path, UNDER_A_LOCK, capsys, interruptions=2) == []
    (found,) = findings(tmp_path, TORN_READ, capsys, interruptions=2)
    assert found["requests"] == ["POST /look", "POST /sale"]
    assert "two prices" in found["observed"]
    first, second, *go_on = found["schedule"]
    assert "POST /look: held before shop.py:" in first
    assert "POST /sale: held before shop.py:" in second
    assert go_on == ["first   goes on: 500 two prices", "second  goes on: 200 over"]
    assert len(found["source"]) == 2

"""What an audit is told in a file, and how bad files are refused."""

import json
import sys
from pathlib import Path

import pytest
from small_apps import HEAD, IN_MEMORY

from statelab.audit.config import Config, begin, load
from statelab.cli.audit import run
from statelab.core.errors import BadInput


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        (
            "statelab.toml",
            "[audit]\nstorys = []",
            "statelab.toml: the audit's table: Object contains unknown field `st",
        ),
        ("statelab.toml", "[audit.bounds]\njob = 2", "statelab.toml: the audit's table, bounds: Object contains unkn"),
        ("statelab.toml", "[audit.bounds]\njobs = 0", "statelab.toml: the audit's table, bounds.jobs: Expected `int`"),
        ("statelab.toml", "[audit.accept]\n'a: b: c' = ''", "Expected `str` of length >= 1"),
        ("statelab.toml", "[audit]\nreset = 'reset'", "statelab.toml: the audit's table, reset: "),
        ("statelab.toml", "[audit]\nstories = ['*.http']", "stories: '*.http' names no file in"),
        ("statelab.toml", "[audit", "statelab.toml: "),
        ("pyproject.toml", "[tool.statelab.audit]\nap = ''", "pyproject.toml: the audit's table: Object contains unk"),
    ],
)
def test_a_bad_file_is_refused_with_its_name_and_the_key(name: str, text: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(BadInput) as refused:
        load(tmp_path)
    assert sentence in str(refused.value)


def test_two_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "statelab.toml").write_text("[audit]\napp = 'a:b'")
    (tmp_path / "pyproject.toml").write_text("[tool.statelab.audit]\napp = 'a:b'")
    with pytest.raises(BadInput, match="both configure the audit"):
        load(tmp_path)


def test_the_first_file_is_read_as_it_stands_and_is_never_written_over(tmp_path: Path) -> None:
    begin(tmp_path, "shop:app")
    assert load(tmp_path) == Config(app="shop:app")
    with pytest.raises(BadInput, match="already configures"):
        begin(tmp_path, "shop:app")
    every_key = (tmp_path / "statelab.toml").read_text().replace("\n# ", "\n")
    (tmp_path / "statelab.toml").write_text(every_key)
    (tmp_path / "stories").mkdir()
    (tmp_path / "stories" / "one.http").write_text("GET /\n")
    whole = load(tmp_path)
    assert whole.stories == (str(tmp_path / "stories" / "one.http"),)
    assert whole.reset == "shop.testing:reset"
    assert whole.ignore == {"body/generated_at": "the time of the answer"}


def audited(folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, object]]:
    code = run(app=None, stories=(), app_dir=str(folder), python=sys.executable, out=None, form="json", init=False)
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.process
def test_accepted_findings_do_not_fail_and_one_that_is_gone_is_noted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "shop.py").write_text(HEAD + IN_MEMORY)
    (tmp_path / "story.http").write_text("POST /jobs/paint\n###\nGET /jobs\n")
    table = "[audit]\napp = 'shop:app'\nstories = ['*.http']\n[audit.accept]\n'divergent: gone: -' = 'an old one'\n"
    (tmp_path / "statelab.toml").write_text(table)
    code, found = audited(tmp_path, capsys)
    assert code == 1
    assert "accepted, and not found any more: divergent: gone: -" in found["notes"]  # type: ignore[operator]
    keys = [finding["key"] for finding in found["findings"]]  # type: ignore[attr-defined]
    (tmp_path / "statelab.toml").write_text(table + "".join(f"'{key}' = 'known'\n" for key in keys))
    code, found = audited(tmp_path, capsys)
    assert code == 0
    assert found["findings"] == []
    assert found["deployments"]["sync-4"]["verdict"] == "violated"  # type: ignore[index]
    assert sorted(found["accepted"]) == sorted(keys)  # type: ignore[call-overload]


OUTSIDE = """
def outside():
    return os.environ["OUTSIDE"]
def reset():
    open(outside(), "w").close()
def broken():
    raise ValueError("no such table")
@app.post("/jobs/<name>")
def make(name):
    with open(outside(), "a") as file:
        file.write(name)
    return {"jobs": len(open(outside()).read()), "at": os.getpid()}
"""


@pytest.mark.process
@pytest.mark.parametrize("reset", ["", "reset = 'shop:reset'"])
def test_reset_puts_back_what_neither_memory_nor_the_folder_holds(
    reset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The app counts in a file outside of its folder. Without a reset each world goes on where the last one ended."""
    app = tmp_path / "app"
    app.mkdir()
    monkeypatch.setenv("OUTSIDE", str(tmp_path / "outside"))
    (app / "shop.py").write_text(HEAD + OUTSIDE)
    (app / "story.http").write_text("POST /jobs/a\n###\nPOST /jobs/bb\n")
    (app / "statelab.toml").write_text(
        f"[audit]\napp = 'shop:app'\nstories = ['*.http']\n{reset}\n[audit.ignore]\n'body/at' = 'a process'\n"
        "[audit.bounds]\njobs = 1\nmost_steps = 1\n"
    )
    audited(app, capsys)
    left = (tmp_path / "outside").read_text()
    assert (len(left) <= 6) == bool(reset), left


@pytest.mark.process
def test_a_reset_that_raises_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTSIDE", str(tmp_path / "outside"))
    (tmp_path / "shop.py").write_text(HEAD + OUTSIDE)
    (tmp_path / "story.http").write_text("POST /jobs/a\n")
    (tmp_path / "statelab.toml").write_text("[audit]\napp = 'shop:app'\nstories = ['*.http']\nreset = 'shop:broken'\n")
    with pytest.raises(BadInput, match="reset = 'shop:broken' failed: ValueError: no such table"):
        run(app=None, stories=(), app_dir=str(tmp_path), python=sys.executable, out=None, form="json", init=False)

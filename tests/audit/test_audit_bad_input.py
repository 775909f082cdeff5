"""What cannot be audited: one sentence with what to do, exit code 2 or 3, and nothing is left behind."""

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from small_apps import HEAD, IN_A_FILE, IN_MEMORY

from statelab.cli.main import main

COMMAND = Path(sys.executable).parent / "statelab"


@dataclass
class Done:
    returncode: object
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """The program with these arguments in the app's folder, in this process, which takes no second start of Python."""
    told_to_end = signal.getsignal(signal.SIGTERM)
    monkeypatch.chdir(folder)

    def ran(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["statelab", "audit", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Done(ended.value.code, said.out, said.err)

    yield ran
    signal.signal(signal.SIGTERM, told_to_end)


@pytest.fixture(autouse=True)
def no_folder_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with tempfile.TemporaryDirectory() as own:
        monkeypatch.setattr(tempfile, "tempdir", own)
        yield
        assert list(Path(own).iterdir()) == []
        monkeypatch.undo()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop.py").write_text(HEAD + IN_A_FILE)
    (tmp_path / "broken.py").write_text("import math\nmath.nothing\n")
    (tmp_path / "lonely.py").write_text("import redis_that_is_not_there\n")
    (tmp_path / "number.py").write_text("app = 5\n")
    (tmp_path / "reaches.py").write_text("import socket\nsocket.create_connection(('127.0.0.1', 6379))\napp = print\n")
    (tmp_path / "wants.py").write_text("import os\nos.environ['SHOP_REDIS']\n")
    reaches = "import os, socket\nos.environ.get('SHOP_URL', 'redis://127.0.0.1:6390/0')\n"
    (tmp_path / "default.py").write_text(reaches + "socket.create_connection(('127.0.0.1', 6390))\napp = print\n")
    (tmp_path / "leaves.py").write_text("import os\nos._exit(3)\n")
    (tmp_path / "story.http").write_text("GET /jobs\n")
    (tmp_path / "empty.http").write_text("# nothing\n")
    (tmp_path / "bad.http").write_text("GET /jobs\n###\nFETCH /jobs\n")
    (tmp_path / "unknown.http").write_text("GET /jobs/{{j.response.body.$.id}}\n")
    return tmp_path


@pytest.mark.process
@pytest.mark.parametrize(
    ("app", "story", "sentence"),
    [
        ("nothing:app", "story.http", "there is no such module in"),
        ("broken:app", "story.http", "broken.py:2 in <module>"),
        ("lonely:app", "story.http", "is it installed for"),
        ("number:app", "story.http", "is a int, not a WSGI app"),
        ("shop:application", "story.http", "has no 'application'; it has app"),
        ("reaches:app", "story.http", "refused a connection to 127.0.0.1:6379"),
        ("reaches:app", "story.http", "(reaches.py:2 in <module>); name a store of the lab for it"),
        (
            "wants:app",
            "story.http",
            "if SHOP_REDIS is a variable that the app reads, set it, or name a store of the lab",
        ),
        ("default:app", "story.http", "name a store of the lab for SHOP_URL, which the app reads,"),
        ("shop.py:app", "story.http", "a module is named as Python imports it, as shop:app"),
        ("leaves:app", "story.http", "importing leaves ends the process"),
        ("shop:app", "empty.http", "no request in it"),
        ("shop:app", "bad.http", "bad.http:3: expected a request as `GET /path`"),
        ("shop:app", "unknown.http", "unknown.http:1: 'j' names no request above this one"),
        ("shop:app", "missing.http", "missing.http"),
    ],
)
def test_one_sentence(run: Run, app: str, story: str, sentence: str) -> None:
    done = run(app, "--requests", story)
    assert done.returncode == 2, done.stdout + done.stderr
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.process
@pytest.mark.parametrize(
    ("python", "sentence"),
    [("/nowhere/python", "/nowhere/python cannot be started"), ("/bin/true", "/bin/true is no Python 3.9 or newer")],
)
def test_an_interpreter_that_is_none(run: Run, python: str, sentence: str) -> None:
    done = run("shop:app", "--requests", "story.http", "--python", python)
    assert done.returncode == 2
    assert sentence in done.stderr


@pytest.mark.process
@pytest.mark.parametrize("name", ["statelab", "webapp", "services", "queue_", "places", "request"])
def test_an_app_may_be_called_what_it_likes(run: Run, folder: Path, name: str) -> None:
    (folder / f"{name}.py").write_text(HEAD + IN_A_FILE)
    (folder / "story.http").write_text("POST /jobs/paint\n")
    done = run(f"{name}:app", "--requests", "story.http", "--deployment", "sync-4", "--json")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.process
def test_the_program_itself_ends_with_a_sentence(folder: Path) -> None:
    command = [str(COMMAND), "audit", "nothing:app", "--requests", "story.http"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=250)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("statelab: importing 'nothing' raised ModuleNotFoundError")


@pytest.mark.process
def test_json_says_all_and_nothing_is_written_into_the_app_s_folder(run: Run, folder: Path) -> None:
    (folder / "shop.py").write_text(HEAD + IN_MEMORY)
    (folder / "story.http").write_text("POST /jobs/paint\n###\nGET /jobs\n")
    before = {path: path.read_bytes() for path in folder.iterdir()}
    done = run("shop:app", "--requests", "story.http", "--deployment", "sync-4,sync", "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert found["deployments"]["sync-4"] == {"verdict": "violated", "anomalies": ["divergent"]}
    assert found["deployments"]["sync"] == {"verdict": "not-seen", "anomalies": []}
    divergent = found["findings"][0]
    assert divergent["requests"] == ["POST /jobs/paint", "GET /jobs"]
    assert divergent["places"][0] == {"place": "shop.jobs", "before": "list of 0", "after": "list of 1"}
    assert divergent["source"][0]["file"] == "shop.py"
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.process
def test_a_story_whose_every_request_fails_exercises_nothing(run: Run, folder: Path) -> None:
    (folder / "shop.py").write_text(HEAD + "@app.get('/')\ndef index():\n    raise ValueError('no')\n")
    (folder / "story.http").write_text("GET /\n")
    done = run("shop:app", "--requests", "story.http", "--deployment", "sync")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "GET / is answered 500 even when served alone" in done.stdout


@pytest.mark.process
@pytest.mark.parametrize(
    ("handler", "sentence"),
    [
        ("os._exit(7)", "POST /: the process ended: without a signal"),
        ("os.kill(os.getpid(), 11)", "POST /: the process ended: SIGSEGV"),
        ("time.sleep(9)", "POST /: no answer within 0.5 s; it was at shop.py, line "),
    ],
)
def test_a_process_that_ends_or_hangs_in_a_request_is_named(
    run: Run, folder: Path, handler: str, sentence: str
) -> None:
    (folder / "statelab.toml").write_text("[audit.bounds]\nlimit_s = 0.5\n")
    (folder / "shop.py").write_text(HEAD + f"@app.post('/')\ndef index():\n    {handler}\n")
    (folder / "story.http").write_text("POST /\n")
    done = run("shop:app", "--requests", "story.http", "--deployment", "sync-4,sync-recycling")
    assert done.returncode == 3, done.stdout + done.stderr
    assert sentence in done.stdout
    assert "exercises nothing: every request in it fails" in done.stdout


@pytest.mark.process
def test_what_the_fence_refused_is_named(run: Run, folder: Path) -> None:
    (folder / "shop.py").write_text(
        HEAD + "import socket\n@app.post('/')\ndef index():\n    socket.create_connection(('127.0.0.1', 6379))\n"
    )
    (folder / "story.http").write_text("POST /\n")
    done = run("shop:app", "--requests", "story.http", "--deployment", "sync")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "the app was refused a connection to 127.0.0.1:6379" in done.stdout


@pytest.mark.process
@pytest.mark.parametrize(
    ("handler", "exit_code"),
    [
        ("return 'ok'", 3),
        ("session['seen'] = 1; return 'ok'", 0),
        ("open(path('seen'), 'a').write('x'); return 'ok'", 0),
        ("visits.append(1); return 'ok'", 0),
    ],
)
def test_a_story_that_only_reads_exercises_something_when_anything_is_written(
    run: Run, folder: Path, handler: str, exit_code: int
) -> None:
    rules = "\n@app.post('/jobs/<name>')\ndef make(name):\n    return name\n"
    (folder / "shop.py").write_text(HEAD + f"visits = []\n@app.get('/')\ndef index():\n    {handler}\n" + rules)
    (folder / "story.http").write_text("GET /\n")
    done = run("shop:app", "--requests", "story.http", "--deployment", "sync", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == exit_code, done.stdout
    assert found["coverage"]["not_reached"] == ["POST /jobs/<name>"]
    assert any("it only reads" in note for note in found["notes"]) == (exit_code == 3)

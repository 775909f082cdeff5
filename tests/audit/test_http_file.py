"""`.http` files as people have them for the REST clients of their editors: read as those do, or refused."""

from pathlib import Path

import pytest

from statelab.audit.http_file import read, written
from statelab.core.errors import BadInput

OF_AN_EDITOR = """\
@host = http://localhost:5000
@api={{host}}/api
@token = {{login.response.body.$.token}}

### Log in
# @name login
# @no-redirect
POST {{api}}/login HTTP/1.1
Content-Type: application/x-www-form-urlencoded

name=amber
&password=one

###
// a request without a method reads, and its query may go on
{{api}}/jobs
    ?page=2
    &of={{login.items[0]['id']}}
# who asks
Authorization: Bearer {{token}}

?? status == 200

### the body from a file, and one line of it
# @name upload
put localhost:5000/jobs/1
Authorization: Basic amber one

<@ ./job.json

###
# @disabled
DELETE {{api}}/everything
###
GET {{ upload.response.headers.Location }}
"""


def test_what_editors_know_is_read(tmp_path: Path) -> None:
    (tmp_path / "story.http").write_text(OF_AN_EDITOR)
    (tmp_path / "job.json").write_text('{"token": "{{token}}"}\n')
    login, jobs, upload, last = story = read(tmp_path / "story.http")
    assert (str(login), login.name, login.body) == ("POST /api/login", "login", "name=amber&password=one")
    assert str(jobs) == "GET /api/jobs?page=2&of={{login.response.body.$.items[0]['id']}}"
    assert jobs.headers == (("Authorization", "Bearer {{login.response.body.$.token}}"),)
    assert jobs.body == ""
    assert (str(upload), upload.body) == ("PUT /jobs/1", '{"token": "{{login.response.body.$.token}}"}\n')
    assert upload.headers == (("Authorization", "Basic YW1iZXI6b25l"), ("Content-Type", "application/json"))
    assert last.target == "{{upload.response.headers.Location}}"
    answers = {"login": {"body": '{"token": "t", "items": [{"id": 7}]}', "headers": []}}
    assert str(jobs.resolved(answers)) == "GET /api/jobs?page=2&of=7"
    assert jobs.resolved(answers).headers == (("Authorization", "Bearer t"),)
    (tmp_path / "again.http").write_text(written(story))
    assert [str(request) for request in read(tmp_path / "again.http")] == [str(request) for request in story]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("GET /{{job}}", ":1: {{job}} is neither a variable (`@job = ...`) nor a reference; write"),
        ("GET /\n###\nGET /{{a.response.body.$.id}}", ":3: 'a' names no request above this one"),
        ("POST /\n\n{'id': '{{$guid}}'}", ":3: {{$guid}} is drawn anew each time"),
        ("# @name a\nGET /\n###\nGET /{{a.response.body.$..id}}", ":4: {{a.response.body.$..id}}: of a path only"),
        ("# @name a\nGET /\n###\nGET /{{a.request.body.id}}", ":4: {{a.request.body.id}} is no reference to an answer"),
        ("# @name a\nGET /\n###\n# @name a\nGET /", ":5: a second request is called 'a'"),
        ("# @prompt name\nGET /", ":1: `@prompt` is not known"),
        ("# @name a", ":1: a request is named here, but none follows"),
        ("GET http://a.example/\n###\nGET http://b.example/", ":3: requests to two hosts, a.example and b.example"),
        ("GET /\n\n> {%", ":3: a script, which only an editor runs"),
        ("{{\n  exports.a = 1\n}}\nGET /", ":1: a script, which only an editor runs"),
        ("GET /\nAuthorization: Digest amber one", ":2: Digest is worked out by an editor"),
        ("GET /\nno header", ":2: expected a header as `Name: value`"),
        ("GET /a b", ":1: expected a request as `GET /path`"),
        ("GET jobs", ":1: the address 'jobs' must begin with / or http://"),
        ("import other.http", ":1: expected a request as `GET /path`"),
        ("POST /\nX-Request-Type: GraphQL\n\n{ jobs }", ":1: X-Request-Type is for an editor"),
        ("# @wait 2\nGET /", ":2: `@wait 2`: write a time as"),
        ("POST /\n\n< missing.json", "missing.json: cannot be read"),
    ],
)
def test_what_an_editor_would_do_and_the_audit_would_not_is_refused(text: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "story.http").write_text(text)
    with pytest.raises(BadInput) as refused:
        read(tmp_path / "story.http")
    assert sentence in str(refused.value)

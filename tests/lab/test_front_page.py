"""The front page on real servers, in a browser and without one: what is up, the button, and who may press it."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chromium import PROGRAM, browsing
from program import COMMAND, REPORTS, free_port, staying
from statelab.core.paths import DEPLOYMENTS, DOCS
from statelab.deploy.local import LocalEngine
from statelab.plan.app import App
from statelab.plan.deployments import load_all
from statelab.repro.live import front

pytestmark = pytest.mark.process

SERVED = ("sync", "sync-4", "gthread")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The front page of a lab with three deployments, a fourth that is down, and without stores."""
    engine, number = LocalEngine(App(stores=frozenset())), free_port()
    known = load_all(DEPLOYMENTS)
    try:
        engine.up([known[name] for name in SERVED])
        targets = {name: engine.url(name) for name in SERVED} | {"gevent": f"http://127.0.0.1:{free_port()}"}
        with front.serving(number, front.Lab(lambda: targets, lambda: {"redis": "redis is missing: install it"})):
            yield number
    finally:
        engine.down()


def asked(port: int, method: str, path: str, **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, headers=headers)
    with connection.getresponse() as response:
        return response.status, response.read().decode()


def press(port: int, mechanism: str, key: str, times: int = 1) -> dict[str, dict[str, Any]]:
    path = f"/count?mechanism={mechanism}&window=io&key={key}&times={times}"
    code, body = asked(port, "POST", path, Origin=f"http://127.0.0.1:{port}")
    assert code == 200, body
    return {line["deployment"]: line for line in map(json.loads, body.splitlines())}


def test_a_press_comes_back_from_each_deployment(port: int) -> None:
    """One counts each time; four have a counter each, though on a quiet machine one may answer many times in a row;
    several at once lose updates; what is down says so."""
    for presses in range(1, 101):
        found = press(port, "module-global", "front-a")
        one, four = found["sync"]["answers"][0], found["sync-4"]["answers"][0]
        assert one["value"] == presses
        assert one["pid"]
        if four["value"] < presses:
            break
    assert four["value"] < presses
    assert "Connection refused" in found["gevent"]["answers"][0]["error"]
    for rounds in range(1, 11):
        counted = press(port, "module-global", "front-b", times=8)["gthread"]["read"]["value"]
        if counted < 8 * rounds:
            break
    assert counted < 8 * rounds
    missing = press(port, "redis-incr", "front-c")["sync"]["answers"][0]
    assert missing["status"] == "fail"
    assert "redis" in missing["error"]


def test_what_is_up_is_said(port: int) -> None:
    """A deployment that is down and a store that is missing have their reason; the others go on."""
    found = json.loads(asked(port, "GET", "/lab")[1])
    down = {each["name"]: each["down"] for each in found["deployments"]}
    assert [name for name, why in down.items() if not why] == list(SERVED)
    assert "Connection refused" in down["gevent"]
    stores = {each["name"]: each["down"] for each in found["stores"]}
    assert stores["redis"] == "redis is missing: install it"
    assert stores["memcached"]
    predicted = json.loads(asked(port, "GET", "/predicted?mechanism=module-global&window=io")[1])
    assert [*predicted["sync-4"]["anomalies"]] == ["divergent"]
    assert predicted["sync"]["anomalies"] == {}


@pytest.mark.parametrize(
    ("method", "path", "headers", "code"),
    [
        ("POST", "/count?mechanism=module-global&key=front-x", {}, 403),
        ("POST", "/count?mechanism=module-global&key=front-x", {"Origin": "http://evil.example"}, 403),
        ("POST", "/count?mechanism=module-global&key=front-x", {"Origin": "null"}, 403),
        ("GET", "/", {"Host": "evil.example"}, 403),
        ("GET", "/lab", {"Host": "evil.example:{port}"}, 403),
        ("POST", "/count?mechanism=module-global&key=other", {"Origin": "http://127.0.0.1:{port}"}, 400),
        ("POST", "/count?mechanism=module-global&key=front-x&times=900", {"Origin": "http://127.0.0.1:{port}"}, 400),
        ("POST", "/count?mechanism=nothing&key=front-x", {"Origin": "http://127.0.0.1:{port}"}, 400),
        ("GET", "/docs/../README.md", {}, 404),
        ("GET", "/docs/..%2FREADME.md", {}, 404),
        ("GET", "/docs/..%2F..%2FREADME.html", {}, 404),
        ("GET", "/site/../README.md", {}, 404),
        ("GET", "/nothing", {}, 404),
        ("GET", "/docs/", {}, 200),
        ("GET", "/docs/theory.md", {}, 200),
        ("GET", "/docs/architecture.svg", {}, 200),
        ("GET", "/play", {}, 200),
        ("GET", "/finder", {}, 200),
        ("GET", "/healthz", {"Host": "anybody"}, 200),
    ],
)
def test_who_may_ask_what(port: int, method: str, path: str, headers: dict[str, str], code: int) -> None:
    """No other site presses the button, however it calls this one; nothing outside of report and docs is read."""
    given = {name: text.format(port=port) for name, text in headers.items()}
    found, body = asked(port, method, path, **given)
    assert (found, "\n" in body) == (code, True)


def test_the_docs_can_be_read(port: int) -> None:
    """Each page that is named is HTML with its own title, and its links lead to pages that are there."""
    named = json.loads(asked(port, "GET", "/lab")[1])["docs"]
    assert len(named) == len([*DOCS.glob("*.md")])
    for page in named:
        code, body = asked(port, "GET", page["address"])
        assert (code, "<h1" in body) == (200, True), page
    if named[0]["address"].startswith("/docs/"):
        theory = asked(port, "GET", "/docs/theory.html")[1]
        assert "<table" in theory
        assert "| ---" not in theory
        links = set(re.findall(r'href="(?!https?:|/|#)([^"#]+)', theory))
        assert links
        assert {asked(port, "GET", f"/docs/{link}")[0] for link in links} == {200}


def test_ten_at_once_and_one_that_goes_away(port: int) -> None:
    """Ten tabs count at the same time, each its own; a browser that leaves in the middle is not missed."""
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", port)) as gone:
            start = "POST /count?mechanism=module-global&window=io&key=front-gone&times=8 HTTP/1.1"
            gone.sendall(f"{start}\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n\r\n".encode())
    found: dict[int, Any] = {}

    def tab(number: int) -> None:
        found[number] = [press(port, "module-global", f"front-tab{number}")["sync"]["answers"][0] for _ in range(2)]

    tabs = [threading.Thread(target=tab, args=[number]) for number in range(10)]
    for each in tabs:
        each.start()
    for each in tabs:
        each.join()
    values = {number: [each["value"] for each in answers] for number, answers in found.items()}
    assert values == {number: [1, 2] for number in range(10)}


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    """One sentence, before anything is started, that names the setting; so does a port that is none."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        said = {}
        for text in (str(number), "many"):
            environment = {**os.environ, REPORTS: str(tmp_path), "LAB_PORT": text}
            done = subprocess.run(
                [*COMMAND, "up", "--engine", "local"], env=environment, capture_output=True, text=True, check=False
            )
            said[text] = (done.returncode, done.stderr)
    assert said == {
        str(number): (2, f"statelab: port {number} is taken: end what listens on it, or set LAB_PORT\n"),
        "many": (2, "statelab: LAB_PORT is 'many': it must be a port, 1 to 65535\n"),
    }


@pytest.mark.skipif(PROGRAM is None, reason="no Chromium on this machine")
def test_the_button_in_a_browser(port: int, tmp_path: Path) -> None:
    """A press shows each deployment's number, who said it and what was expected; a held one shows what is missing."""
    tile = "(name => [...document.querySelectorAll('.tile')].find(e => e.querySelector('b').textContent === name))"
    with browsing(tmp_path / "profile") as page:
        page.open(f"http://127.0.0.1:{port}/")
        page.wait("document.querySelectorAll('.tile').length === 4")
        page.wait(f"{tile}('sync-4').textContent.includes('predicted: divergent')")
        assert page.ask(f"{tile}('gevent').textContent").count("does not answer")
        lessons = page.ask("[...document.querySelectorAll('#first a')].map(e => e.textContent)")
        assert lessons[:2] == ["The first ten minutes", "Lesson 1: a lost update"]
        assert "redis is missing" in page.ask("document.getElementById('up').textContent")
        for number in range(1, 9):
            page.click("button", "count")
            page.wait(f"{tile}('sync').querySelector('.number').textContent === '{number}'")
            page.wait("!busy")
        text = page.ask(f"{tile}('sync').textContent")
        assert "expected 8" in text
        assert "as expected" in text
        assert "said by pid" in text
        assert page.ask(f"{tile}('sync-4').querySelector('.mark').classList.contains('bad')")
        colours = (
            "new Set([...{}('sync-4').querySelectorAll('.trail span')].map(e => e.style.getPropertyValue('--who')))"
        )
        assert page.ask(f"{colours.format(tile)}.size") > 1
        page.click("button", "start again")
        page.wait(f"{tile}('sync').querySelector('.number').textContent === '–'")
        page.ask("(() => { button.dispatchEvent(new PointerEvent('pointerdown', {button: 0})); })()")
        page.wait(f"{tile}('gthread').querySelector('.mark').textContent.includes('missing')")
        page.ask("(() => { button.dispatchEvent(new PointerEvent('pointerup')); })()")


def test_signals_are_the_lab_s_own(tmp_path: Path) -> None:
    """The front page does not keep a lab from ending."""
    environment = {**os.environ, REPORTS: str(tmp_path), "LAB_PORT": str(free_port())}
    command = [*COMMAND, "up", "--engine", "local", "--deployment", "sync"]
    with staying(command, environment) as lab:
        assert lab.stdout
        last = next(line for line in lab.stdout if line.startswith("the front page: "))
        assert asked(int(last.split(":")[-1].strip("/\n")), "GET", "/")[0] == 200
        lab.send_signal(signal.SIGTERM)
        lab.wait(30)
    assert lab.returncode == 130

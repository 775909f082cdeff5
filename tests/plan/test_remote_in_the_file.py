"""`[remote]` of statelab.toml: what a person may write, what is refused, and what the limits leave of a profile."""

from dataclasses import replace
from pathlib import Path

import pytest

from statelab.core.errors import BadInput
from statelab.plan import promises, remote
from statelab.plan.profiles import PROFILES

URL = "https://staging.example/shop"
NAMED = f'[remote]\nname = "staging"\nurl = "{URL}"\n'
SERVER = 'server = { SERVER = "gunicorn", WORKER_CLASS = "gthread", WORKERS = 2, THREADS = 4 }\n'
LIMITS = "limits = { users = 4, rate = 50, seconds = 60 }\n"
WHOLE = NAMED + SERVER + LIMITS


def loaded(folder: Path, text: str, allowed: str | None = URL) -> remote.Remote:
    (folder / "statelab.toml").write_text(text)
    return remote.load(folder, allowed)


def refusal(folder: Path, text: str, allowed: str | None = URL) -> str:
    with pytest.raises(BadInput) as refused:
        loaded(folder, text, allowed)
    return str(refused.value)


def test_the_deployment_is_what_the_rule_and_the_judges_need(tmp_path: Path) -> None:
    """Its spread is that of the server, on so many hosts."""
    one = loaded(tmp_path, WHOLE)
    assert one.deployment.spread == {"processes", "threads"}
    assert one.deployment.expected_processes == 2
    assert one.url == URL
    three = loaded(tmp_path, f"{WHOLE}replicas = 3\nsticky = true\n").deployment
    assert three.spread == {"processes", "threads", "hosts"}
    assert three.between_clients == {"hosts"}
    assert three.expected_processes == 6
    assert three.description == (
        f"{URL}: 3 replicas, sticky, each server gunicorn, worker_class gthread, workers 2, threads 4"
    )
    fewer = loaded(tmp_path, f"{WHOLE}replicas = 3\nprocesses = 4\n").deployment
    assert fewer.expected_processes == 4
    named = loaded(tmp_path, f'{NAMED}server = "gevent-2"\n{LIMITS}').deployment
    assert (named.name, named.spread) == ("staging", {"processes", "greenlets"})


def test_a_slash_at_the_end_is_repeated_as_it_stands_and_not_sent(tmp_path: Path) -> None:
    text = WHOLE.replace(URL, f"{URL}/")
    assert loaded(tmp_path, text, f"{URL}/").url == URL
    assert "is not exactly the address in the file" in refusal(tmp_path, text, URL)


@pytest.mark.parametrize(
    ("allowed", "sentence"),
    [
        (
            None,
            f"50 requests a second to {URL}, for up to 60 s, and they change its state; say that you may: --i-may-load",
        ),
        ("https://staging.example/shop/", "--i-may-load is not exactly the address in the file"),
        ("https://production.example/shop", f"is not exactly the address in the file, {URL}: nothing was sent"),
        ("", "is not exactly the address in the file"),
    ],
)
def test_nothing_is_loaded_that_a_person_has_not_named_twice(
    tmp_path: Path, allowed: str | None, sentence: str
) -> None:
    found = refusal(tmp_path, WHOLE, allowed)
    assert sentence in found
    assert "production" not in found


def test_without_a_target(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"loads what .*statelab.toml names, and nothing else; write\n\n\[remote\]"):
        remote.load(tmp_path, URL)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (NAMED + SERVER, "statelab.toml: remote: Object missing required field `limits`"),
        (NAMED + LIMITS, "statelab.toml: remote: Object missing required field `server`"),
        (WHOLE.replace("users = 4", "users = 0"), "remote.limits.users: Expected `int` >= 1"),
        (WHOLE.replace("seconds = 60", "seconds = 0"), "remote.limits.seconds: Expected `float` > 0"),
        (WHOLE + "retries = 3\n", "remote: Object contains unknown field `retries`"),
        (WHOLE.replace('"staging"', '"../x"'), "remote.name: Expected `str` matching regex"),
        (WHOLE.replace("WORKERS = 2", "WORKERS = 0"), "remote.server: WORKERS is '0'; it must be a whole number, 1"),
        (WHOLE.replace('"gunicorn"', '"guincorn"'), "remote.server: SERVER is 'guincorn'; valid are gevent, granian,"),
        (WHOLE.replace("THREADS = 4", "REPLICAS = 2"), "remote.server: replicas and sticky stand beside it"),
        (f'{NAMED}server = "gthread-9"\n{LIMITS}', "remote.server: no deployment 'gthread-9'; valid are dev-single,"),
        (f'{NAMED}server = "replicas-2-sticky"\n{LIMITS}', "remote.server: name the server of one host"),
        (WHOLE + "sticky = true\n", "remote.sticky: one replica has no balancer"),
        (WHOLE.replace("https://staging.example/shop", "ftp://x"), "remote.url must be http:// or https://, a host"),
        (WHOLE.replace("https://staging.example/shop", "staging"), "remote.url must be http:// or https://, a host"),
        (WHOLE.replace("staging.example", "staging.example:x"), "remote.url: it is no address: "),
        (WHOLE + 'ca = "none.pem"\n', "remote.ca: there is no file "),
        (WHOLE.replace("https", "http") + 'ca = "statelab.toml"\n', "remote.ca: the address is not https://"),
        (WHOLE + 'ca = "statelab.toml"\n', "remote.ca: "),
        (WHOLE + "reset = {}\n", 'remote.reset: name one of request = "POST /reset" and command = ["kubectl", ...]'),
        (WHOLE + 'reset = { request = "reset" }\n', "remote.reset.request: Expected `str` matching regex"),
        (WHOLE + 'token = { header = "A b", variable = "T" }\n', "remote.token.header: Expected `str` matching"),
        (WHOLE + 'token = { header = "A", value = "x" }\n', "remote.token: Object contains unknown field `value`"),
        (WHOLE + 'token = { header = "A", variable = "NOBODY_SET" }\n', "token.variable: NOBODY_SET is not set in the"),
        ("[remotes]\n", "no table 'remotes'; valid are audit, promise, remote"),
    ],
)
def test_a_bad_file_is_refused_with_its_key(tmp_path: Path, text: str, sentence: str) -> None:
    url = next((line.split('"')[1] for line in text.splitlines() if line.startswith("url")), URL)
    assert sentence in refusal(tmp_path, text, url)


@pytest.mark.parametrize(
    "url",
    [
        "https://me:s3cret@staging.example/",
        "https://s3cret@staging.example/",
        "https://x/?token=s3cret",
        "https://x/#s3cret",
    ],
)
@pytest.mark.parametrize("allowed", [None, "same"])
def test_an_address_with_a_secret_is_refused_and_not_repeated(tmp_path: Path, url: str, allowed: str | None) -> None:
    found = refusal(tmp_path, WHOLE.replace(URL, url), allowed and url)
    assert "a secret goes into a header: token = {" in found
    assert "s3cret" not in found


def test_a_secret_that_no_header_can_have_is_not_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGING_TOKEN", "Bearer s3cret\n")
    found = refusal(tmp_path, WHOLE + 'token = { header = "Authorization", variable = "STAGING_TOKEN" }\n')
    assert "STAGING_TOKEN has what no header can have" in found
    assert "s3cret" not in found


def test_a_secret_that_could_not_be_hidden_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`info` stands in every history."""
    monkeypatch.setenv("STAGING_TOKEN", "Bearer info")
    found = refusal(tmp_path, WHOLE + 'token = { header = "Authorization", variable = "STAGING_TOKEN" }\n')
    assert "the words of STAGING_TOKEN are shorter than 8 characters" in found


def test_a_promise_with_a_secret_in_its_request_is_refused(tmp_path: Path) -> None:
    """Requests are in every report. A header that the load fills is none."""
    promise = '[promise.hits]\nworkload = "counter"\nincrement = { request = "POST /hit" }\n'
    read = 'read = { request = "GET /hits", result = "$", headers = { X-Auth-User = "{key}" } }\n'
    for secret in (
        read.replace("/hits", "/hits?api_key=s3cret"),
        read.replace('"{key}"', '"s3cret"'),
    ):
        target = loaded(tmp_path, WHOLE + promise + secret)
        with pytest.raises(BadInput, match=r"promise.hits.read: (api_key|X-Auth-User) looks like a secret") as refused:
            target.require_no_secrets(promises.load(tmp_path).values())
        assert "s3cret" not in str(refused.value)
    target = loaded(tmp_path, WHOLE + promise + read)
    target.require_no_secrets(promises.load(tmp_path).values())


def test_what_the_profile_asks_is_lowered_to_the_limits_and_said(tmp_path: Path) -> None:
    asked = PROFILES["standard"]
    lowered, notes = loaded(tmp_path, WHOLE).within_limits(asked)
    assert (lowered.users, lowered.rate, lowered.load_s) == (4, 50, 60)
    assert any("the profile asks for 8 clients at once, and statelab.toml allows 4" in note for note in notes)
    assert any("held to 50 requests a second and 60 s in all" in note for note in notes)
    assert (lowered.deployments, lowered.columns, lowered.survival) == (None, (), False)
    assert lowered.max_seconds >= asked.min_operations / 50
    generous = WHOLE.replace("users = 4", "users = 100").replace("seconds = 60", "seconds = 0.5")
    few, notes = loaded(tmp_path, generous).within_limits(replace(asked, users=8))
    assert (few.users, few.max_seconds) == (8, 0.5)
    assert not any("clients at once" in note for note in notes)


@pytest.mark.parametrize(
    ("hosts", "asked"),
    [
        (["one", "one", "one", "two", "one"], 4),
        ([None, "one", "two"], 1),  # the app does not say who answered
        (["one"] * 100, 11),  # the balancer leads to one only: it does not wait for ever
    ],
)
def test_it_waits_for_the_replicas_that_are_not_up_yet(
    hosts: list[str | None], asked: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer a second, by the clock of this test."""
    now, left = 0.0, iter(hosts)

    def sleep(_: float) -> None:
        nonlocal now
        now += 1.0

    def read(*_: object) -> tuple[int, dict[str, str], bytes]:
        host = next(left)
        by = f'{{"host": "{host}", "pid": 1, "thread": 1, "greenlet": 0, "boot": "{host}"}}'
        return 404, {"X-Served-By": by} if host else {}, b""

    monkeypatch.setattr(remote.time, "monotonic", lambda: now)
    monkeypatch.setattr(remote.time, "sleep", sleep)
    monkeypatch.setattr(remote.Access, "read", read)
    monkeypatch.setattr(remote, "OTHERS_S", 9.5)
    loaded(tmp_path, f"{WHOLE}replicas = 2\n").answers(60.0)
    assert len(hosts) - len(list(left)) == asked

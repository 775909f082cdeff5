"""What an env file says: read whole with the settings of its server, or refused in one sentence."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from statelab.core.errors import BadInput
from statelab.core.paths import DEPLOYMENTS, SERVERS
from statelab.plan.deployments import ON_REQUEST, load_all, read

KNOWN = ", ".join(sorted(path.stem for path in SERVERS.glob("[!_]*.py")))
GUNICORN = "WORKER_CLASS, WORKERS, THREADS, PRELOAD, MAX_REQUESTS, GEVENT_PATCH"
UWSGI = "WORKERS, THREADS, LAZY_APPS, GEVENT"

STANDARD = ["dev-single", "dev-threaded", "dev-processes", "sync", "sync-4", "sync-4-preload"]
STANDARD += ["gthread", "gthread-2x4", "gevent", "gevent-2"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "line 1 must be a comment that describes the deployment"),
        ("SERVER=gunicorn\n", "line 1 must be a comment that describes the deployment"),
        ("# four\nSERVER gunicorn\n", "line 2: expected NAME=value, found 'SERVER gunicorn'"),
        ("# four\nSERVER=gunicorn\n\nWORKERS=4\nWORKERS=2\n", "line 5: WORKERS is there already"),
        ("# four\nWORKERS=4\n", f"SERVER is missing; valid are {KNOWN}"),
        ("# four\nSERVER=apache\n", f"SERVER is 'apache'; valid are {KNOWN}"),
        ("# four\nSERVER=__init__\n", f"SERVER is '__init__'; valid are {KNOWN}"),
        ("# four\nSERVER=waitress\nWORKERS=4\n", "waitress does not know WORKERS; it knows THREADS"),
        ("# four\nSERVER=waitress\nWORKER_CLASS=sync\n", "waitress does not know WORKER_CLASS; it knows THREADS"),
        (
            "# four\nSERVER=granian\nFREE_THREADED=1\n",
            "FREE_THREADED=1 cannot be under this server: without the lock of the interpreter granian makes its "
            "workers threads of one process",
        ),
        ("# four\nSERVER=gevent\nTHREADS=4\n", "gevent does not know THREADS; it knows none"),
        ("# four\nSERVER=uwsgi\nENABLE_THREADS=1\n", f"uwsgi does not know ENABLE_THREADS; it knows {UWSGI}"),
        ("# four\nSERVER=uwsgi\nGEVENT=-1\n", "GEVENT is '-1'; it must be a whole number, 0 or more"),
        ("# four\nSERVER=gunicorn\nWORKER=4\nCPU=1\n", f"gunicorn does not know CPU, WORKER; it knows {GUNICORN}"),
        ("# four\nSERVER=gunicorn\nWORKERS=four\n", "WORKERS is 'four'; it must be a whole number, 1 or more"),
        ("# four\nSERVER=gunicorn\nWORKERS=0\n", "WORKERS is '0'; it must be a whole number, 1 or more"),
        ("# four\nSERVER=gunicorn\nPRELOAD=yes\n", "PRELOAD is 'yes'; it must be one of 0, 1"),
        ("# four\nSERVER=waitress\nREPLICAS=3\n", "REPLICAS is '3'; it must be one of 1, 2"),
        ("# four\nSERVER=waitress\nREPLICAS=2\n", "REPLICAS=2 needs BALANCE, and only then: round-robin or sticky"),
        ("# four\nSERVER=waitress\nBALANCE=sticky\n", "REPLICAS=2 needs BALANCE, and only then: round-robin or sticky"),
        (
            "# four\nSERVER=waitress\nREPLICAS=2\nBALANCE=hash\n",
            "BALANCE is 'hash'; it must be one of round-robin, sticky",
        ),
        ("# four\nSERVER=werkzeug\n", "WORKER_CLASS is missing; it must be one of single, threaded, forking"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    """Each sentence names the file, what is wrong in it, and what would be right."""
    path = tmp_path / "four.env"
    path.write_text(text)
    with pytest.raises(BadInput) as refused:
        read([path])
    assert str(refused.value) == f"{path}: {sentence}"


def test_two_of_one_name(tmp_path: Path) -> None:
    """A name that stands in both folders is refused, whether or not it is asked for."""
    (tmp_path / ON_REQUEST).mkdir()
    for folder in (tmp_path, tmp_path / ON_REQUEST):
        (folder / "four.env").write_text("# four\nSERVER=waitress\n")
    with pytest.raises(BadInput, match=r"two deployments have the name four: .*four\.env and .*on-request.four\.env"):
        load_all(tmp_path)


def test_settings_have_their_servers_defaults(tmp_path: Path) -> None:
    """What a file leaves out is as the server has it: gunicorn's one sync worker, Waitress's four threads."""
    for server in ("gunicorn", "waitress"):
        (tmp_path / f"{server}.env").write_text(f"# {server} as it comes\nSERVER={server}\n")
    found = load_all(tmp_path)
    assert (found["gunicorn"].spread, found["gunicorn"].expected_processes) == (frozenset(), 1)
    assert (found["waitress"].spread, found["waitress"].threads) == ({"threads"}, 4)


def test_the_order_of_the_tables() -> None:
    """Werkzeug's, gunicorn's by worker class and workers, then the other servers."""
    everything = load_all(DEPLOYMENTS, [path.stem for path in (DEPLOYMENTS / ON_REQUEST).glob("*.env")])
    assert [name for name in everything if name in STANDARD] == STANDARD
    assert list(dict.fromkeys(deployment.server for deployment in everything.values()))[:2] == ["werkzeug", "gunicorn"]


def test_the_servers_are_asked_without_any_package() -> None:
    """A server's file can be read where the server is not installed: only the standard library is there."""
    known = [{"SERVER": path.stem} for path in SERVERS.glob("[!_]*.py")]
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(SERVERS)], input=json.dumps(known), capture_output=True, text=True, check=True
    )
    assert len(json.loads(done.stdout)) == len(known) > 2

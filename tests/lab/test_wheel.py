"""The wheel, built and installed into bare environments and used in a folder where there is no checkout."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import psutil
import pytest

from program import free_port, staying
from statelab.core.paths import ROOT

pytestmark = pytest.mark.process

UV = Path(sys.executable).with_name("uv")
HITS = """\
    HITS = []

    def app(environ, start_response):
        HITS.append(environ["PATH_INFO"])
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [str(len(HITS)).encode()]
"""
TOLD_ONE_TWICE = [
    {"process": name, "op": "increment", "key": "k", "result": 1, "start": start, "end": start + 5, "status": "ok"}
    for name, start in (("a", 1), ("b", 10))
]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.iterdir()
    return built


def installed(what: str, folder: Path, *options: str) -> Path:
    """A new environment with nothing but that, and what it needs, in it; its folder of programs."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    known = ["--constraint", str(ROOT / "requirements" / "dev.txt")]
    install = [str(UV), "pip", "install", "--quiet", "--system-certs", "--python", str(folder / "bin" / "python")]
    subprocess.run([*install, *known, *options, what], check=True)
    return folder / "bin"


@pytest.fixture(scope="module")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(str(wheel), tmp_path_factory.mktemp("bare") / "environment")


@pytest.fixture(scope="module")
def whole(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(f"{wheel}[lab]", tmp_path_factory.mktemp("whole") / "environment")


@pytest.fixture
def away(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of somebody who has no checkout; nothing that was started in it is left."""
    ours = ("PYTHON", "PYTEST", "VIRTUAL_ENV", "STATELAB", "COVERAGE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    state = {"XDG_STATE_HOME": str(tmp_path / "state")}
    yield kept | state | {"COLUMNS": "120"}

    def is_ours(process: psutil.Process) -> bool:
        try:
            return state.items() <= process.environ().items()
        except psutil.Error:
            return False

    _, alive = psutil.wait_procs(list(filter(is_ours, psutil.process_iter())), timeout=10)
    assert [process.cmdline() for process in alive] == []


Program = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def program(tmp_path: Path, away: dict[str, str]) -> Program:
    def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(folder / "statelab"), *arguments]
        return subprocess.run(command, cwd=tmp_path, env=away, capture_output=True, text=True, timeout=240, check=False)

    return run


def test_the_audit_and_the_check_need_few_packages(bare: Path, program: Program, tmp_path: Path) -> None:
    """With no Flask and no Locust installed, an app is audited, and a history is judged and converted. What needs the
    other packages says which; `list` names what there is without them."""
    found = subprocess.run([str(bare / "python"), "-c", "import flask"], capture_output=True, text=True, check=False)
    assert "No module named 'flask'" in found.stderr
    (tmp_path / "hits.py").write_text(dedent(HITS))
    (tmp_path / "one.http").write_text("POST http://localhost/hit\n")
    audit = program(bare, "audit", "hits:app", "--requests", "one.http", "--json")
    findings = json.loads(audit.stdout)["findings"]
    assert audit.returncode == 1
    assert {"divergent", "lost-update"} <= {finding["anomaly"] for finding in findings}
    assert all("hits.HITS" in finding["places"][0]["place"] for finding in findings)

    (tmp_path / "history.jsonl").write_text("".join(f"{json.dumps(operation)}\n" for operation in TOLD_ONE_TWICE))
    assert program(bare, "convert", "history.jsonl", "-o", "history.parquet").returncode == 0
    check = program(bare, "check", "history.parquet", "--model", "counter")
    assert (check.returncode, "proof: A and B were both told 1." in check.stdout) == (1, True)

    listed = program(bare, "list")
    assert listed.returncode == 0
    assert all(name in listed.stdout for name in ("gthread-2x4", "quick", "No module named 'flask'"))
    for command in (["run"], ["load"]):
        refused = program(bare, *command)
        assert refused.returncode == 2
        assert re.search(r"pip install 'statelab-[0-9.]+-py3-none-any\.whl\[lab\]'", refused.stderr)


IDENTIFIED = """\
    import statelab.identity
    import sys

    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"hello"]

    told = {}
    wrapped = statelab.identity.wrap(app)
    wrapped({"HTTP_X_OPERATION_ID": "a-1"}, lambda status, headers: told.update(headers))
    print(told["X-Served-By"])
    print(told["X-Operation-Id"], sorted({name.split(".")[0] for name in sys.modules} & {"msgspec", "numpy", "click"}))
"""


def test_an_app_says_who_answers_with_nothing_but_the_standard_library(
    wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The wheel without its dependencies is enough, and nothing else of it is loaded."""
    folder = tmp_path_factory.mktemp("alone") / "environment"
    programs = installed(str(wheel), folder, "--no-deps")
    command = [str(programs / "python"), "-c", dedent(IDENTIFIED)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    served_by, rest = done.stdout.splitlines()
    assert json.loads(served_by).keys() == {"host", "pid", "thread", "greenlet", "boot"}
    assert rest == "a-1 []"


def test_run_report_compare(whole: Path, program: Program, tmp_path: Path) -> None:
    """Two cells are measured on a real server; the reports go to the folder where the command is called."""
    assert "redis-incr" in program(whole, "list").stdout
    cells = ["--workload", "counter", "--mechanism", "flask-g,module-global", "--deployment", "sync", "--window", "io"]
    run = program(whole, "run", "--engine", "local", *cells)
    assert run.returncode == 0, run.stdout + run.stderr
    results = json.loads((tmp_path / "reports/latest/results.json").read_text())
    verdicts = {cell["mechanism"]: cell["verdict"] for cell in results["cells"]}
    assert verdicts == {"flask-g": "violated", "module-global": "held"}
    assert "(wheel)" in run.stdout  # somebody else's commit is not called the lab's
    assert program(whole, "report", "reports/latest").returncode == 0
    assert program(whole, "compare", "reports/latest", "reports/latest").returncode == 0


def test_up(whole: Path, away: dict[str, str], tmp_path: Path) -> None:
    """The lab comes up and answers; what others find it by is in the user's folder, not in the installed package."""
    command = [str(whole / "statelab"), "up", "--deployment", "sync", "--engine", "local"]
    environment = {**away, "LAB_PORT": str(free_port())}
    with staying(command, environment, cwd=tmp_path) as up:
        assert up.stdout
        printed = []
        for line in up.stdout:
            printed.append(line)
            if "Ctrl-C" in line:
                break
        (address,) = re.findall(r"sync +(http://127\.0\.0\.1:\d+)", "".join(printed))
        with urllib.request.urlopen(f"{address}/catalogue", timeout=10) as answer:
            assert "redis-incr" in json.load(answer)["workloads"]["counter"]["mechanisms"]
        assert "`statelab load`" in printed[-1]
        up.send_signal(signal.SIGINT)
    assert up.returncode == 130
    assert (tmp_path / "state" / "statelab").is_dir()


def test_what_compose_builds_and_reads_is_there(bare: Path) -> None:
    """Every file that the images are built from, and every deployment's file, stands where Compose looks for it."""
    (lab,) = bare.parent.glob("lib/python*/site-packages/statelab/lab")
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (lab / "services" / "Dockerfile").read_text(), re.MULTILINE)
    compose = (lab / "compose" / "compose.yaml").read_text()
    files = re.findall(r"env_file: ([^,}\n]+)", compose)
    assert len(copied) > 5
    assert len(files) > 10
    assert [name for name in copied if not (lab / name).exists()] == []
    assert [name for name in files if not (lab / "compose" / name).is_file()] == []
    variables = set(re.findall(r"\$\{(LAB_\w+_IMAGE)\}", compose))
    assert variables <= set(re.findall(r"^(\w+)=", (lab / "compose" / ".env").read_text(), re.MULTILINE))
    package = lab / "src" / "statelab"
    assert {path.name for path in (lab.parent / "core").glob("*.py")} == {
        path.name for path in (package / "core").glob("*.py")
    }

"""Bad input is refused whole, with one line that names the valid ones."""

from pathlib import Path

import pytest

from program import Statelab


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["run", "--deployment", "sync,nginx"], ["'nginx'", "gthread-2x4", "dev-processes"]),
        (["run", "--mechanism", "redis"], ["'redis'", "redis-incr", "module-global"]),
        (["run", "--window", "wide"], ["'wide'", "tight", "call", "yield", "io"]),
        (["run", "--workload", "sessions"], ["'sessions'", "counter"]),
        (["run", "--profile", "huge"], ["'huge'", "quick", "standard", "thorough"]),
        (["run", "--engine", "podman"], ["'podman'", "auto", "compose", "local"]),
        (["run", "--runs", "0"], ["--runs", "1"]),
        (["run", "--profile", "quick", "--mechanism", "lru-cache", "--app", "nothing:here"], ["nothing:here"]),
        (["report", "reports/never"], ["reports/never", "no run folder"]),
    ],
)
def test_unknown_names(statelab: Statelab, tmp_path: Path, arguments: list[str], named: list[str]) -> None:
    """Exit code 2, one line, the wrong name and the valid ones in it, and nothing started or written."""
    done = statelab(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert all(name in done.stderr for name in named)
    assert list(tmp_path.iterdir()) == []


def test_list_names_everything(statelab: Statelab) -> None:
    """`list` prints the names that the other commands take."""
    done = statelab("list")
    assert done.returncode == 0
    for name in ("redis-incr", "gthread-2x4", "standard", "io"):
        assert name in done.stdout

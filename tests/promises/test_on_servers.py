"""`statelab run --app`: the promises of two small apps, on the lab's servers under the lab's load."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from program import Statelab, results
from statelab.plan import promises

pytestmark = pytest.mark.process

Place = tuple[str, str]
"""A promise and a deployment."""

HERE = Path(__file__).parent


def measured(
    statelab: Statelab, reports: Path, app: str, deployments: str, expected: Mapping[Place, str]
) -> dict[Place, dict[str, Any]]:
    """The cells of a run. Those in which less was seen than is expected are measured again, twice at most, for a busy
    machine can keep a process from answering and hide a race; a violation where none is expected stays."""
    cells: dict[Place, dict[str, Any]] = {}
    options = ["--app", f"{app}:app", "--app-dir", str(HERE / app), "--deployment", deployments]
    for _ in range(3):
        done = statelab("run", *options)
        found = {(cell["mechanism"], cell["deployment"]): cell for cell in results(reports)["cells"]}
        worst = {cell["verdict"] for cell in found.values()}
        assert done.returncode == (1 if "violated" in worst else 3 if worst != {"held"} else 0), (
            done.stdout + done.stderr
        )
        cells |= {place: cell for place, cell in found.items() if cells.get(place, {}).get("verdict") != "violated"}
        missed = [place for place in expected if cells[place]["verdict"] not in (expected[place], "violated")]
        if not missed:
            break
        names, where = (",".join(dict.fromkeys(part)) for part in zip(*missed, strict=True))
        options = [*options[:4], "--deployment", where, "--mechanism", names]
    assert {place: cell["verdict"] for place, cell in cells.items()} == expected
    return cells


def test_a_global_and_a_statement_of_sqlite_under_three_servers(statelab: Statelab, tmp_path: Path) -> None:
    """The global is right where one request follows the other, the statement everywhere; a route that is not there is
    never green, and a violated promise fails the run with its proof."""
    names = ("sync", "sync-4", "gthread")
    expected = {
        **{("hits", name): "held" if name == "sync" else "violated" for name in names},
        **{("sales", name): "held" for name in names},
        **{("ghost", name): "not-exercised" for name in names},
    }
    cells = measured(statelab, tmp_path, "shop", ",".join(names), expected)
    assert "divergent" in cells["hits", "sync-4"]["anomalies"]
    assert "lost-update" in cells["hits", "gthread"]["anomalies"]
    witness = cells["hits", "gthread"]["witness"]
    assert all(operation["served_by"]["pid"] for operation in witness["operations"])
    assert cells["sales", "sync-4"]["coverage"]["processes"] == 4
    for name in names:
        assert "no increment was acknowledged" in cells["ghost", name]["reason"]
        assert "HTTP 404" in cells["ghost", name]["reason"]
    assert not any(cell["claimed"] or cell["predicted"] for cell in cells.values())


def test_a_promise_of_every_kind_in_one_process_and_in_four(statelab: Statelab, tmp_path: Path) -> None:
    """What a lock of the process guards is right in one process. In four, each has a copy of its own."""
    expected = {
        (promise, name): "held" if name == "sync" or promise == "search" else "violated"
        for promise in promises.load(HERE / "desk")
        for name in ("sync", "sync-4")
    }
    cells = measured(statelab, tmp_path, "desk", "sync,sync-4", expected)
    seen = {name: set(cells[name, "sync-4"]["anomalies"]) for name in ("tickets", "leases", "accounts", "orders")}
    assert "duplicate-id" in seen["tickets"]
    assert "two-holders" in seen["leases"]
    assert {"logged-out", "logout-undone"} & seen["accounts"]
    assert "never-ran" in seen["orders"]
    assert cells["visits", "sync-4"]["anomalies"] == ["lost-update"]

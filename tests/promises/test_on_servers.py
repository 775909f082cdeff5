"""`statelab run --app`: the promises of two small apps, on the lab's servers under the lab's load."""

from pathlib import Path

import pytest

from program import Statelab
from program import results

pytestmark = pytest.mark.process

HERE = Path(__file__).parent


def test_a_global_and_a_statement_of_sqlite_under_three_servers(statelab: Statelab, tmp_path: Path) -> None:
    """The global is right where one request follows the other, the statement everywhere; a route that is not there is
    never green, and a violated promise fails the run with its proof."""
    done = statelab("run", "--app", "shop:app", "--app-dir", str(HERE / "shop"), "--deployment", "sync,sync-4,gthread")
    assert done.returncode == 1, done.stdout + done.stderr
    cells = {(cell["mechanism"], cell["deployment"]): cell for cell in results(tmp_path)["cells"]}
    verdicts = {place: cell["verdict"] for place, cell in cells.items()}
    assert {name: verdicts["hits", name] for name in ("sync", "sync-4", "gthread")} == {
        "sync": "held",
        "sync-4": "violated",
        "gthread": "violated",
    }
    assert {verdicts["sales", name] for name in ("sync", "sync-4", "gthread")} == {"held"}
    assert "divergent" in cells["hits", "sync-4"]["anomalies"]
    assert "lost-update" in cells["hits", "gthread"]["anomalies"]
    witness = cells["hits", "gthread"]["witness"]
    assert all(operation["served_by"]["pid"] for operation in witness["operations"])
    assert cells["sales", "sync-4"]["coverage"]["processes"] == 4
    for name in ("sync", "sync-4", "gthread"):
        assert verdicts["ghost", name] == "not-exercised"
        assert "no increment was acknowledged" in cells["ghost", name]["reason"]
        assert "HTTP 404" in cells["ghost", name]["reason"]
    assert not any(cell["claimed"] or cell["predicted"] for cell in cells.values())
    assert "Of 9 cells 2 broke a promise, and in 4 no violation was seen." in done.stdout


def test_a_promise_of_every_kind_in_one_process_and_in_four(statelab: Statelab, tmp_path: Path) -> None:
    """What a lock of the process guards is right in one process. In four, each has a copy of its own."""
    done = statelab("run", "--app", "desk:app", "--app-dir", str(HERE / "desk"), "--deployment", "sync,sync-4")
    assert done.returncode == 1, done.stdout + done.stderr
    cells = {(cell["mechanism"], cell["deployment"]): cell for cell in results(tmp_path)["cells"]}
    assert {cell["verdict"] for (_, name), cell in cells.items() if name == "sync"} == {"held"}
    assert cells["search", "sync-4"]["verdict"] == "held"
    seen = {name: set(cells[name, "sync-4"]["anomalies"]) for name in ("tickets", "leases", "accounts", "orders")}
    assert "duplicate-id" in seen["tickets"]
    assert "two-holders" in seen["leases"]
    assert "logged-out" in seen["accounts"]
    assert "never-ran" in seen["orders"]
    assert cells["articles", "sync-4"]["verdict"] == "violated"
    assert cells["visits", "sync-4"]["anomalies"] == ["lost-update"]

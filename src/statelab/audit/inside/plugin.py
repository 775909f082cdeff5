"""`pytest --statelab=apart,restart`: each test that passes is run again, its requests spread over processes.

Off without the option. `apart`: two processes serve them; `restart`: a new process serves each, after the one before it
has ended. A test that then fails, but passes when one other process serves all of its requests, is reported as failed.
Fixtures with a wider scope than the function are shared by all runs of a test. `statelab audit --pytest` does more: it
runs the suite in copies of its folder, and names places, lines and deployments.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from .suite import Client, Requests, Way

KNOWN = {"apart": (("alternating", 1), ("split", 1), ("split", -1)), "restart": (("each", 1),)}
MEANINGS = {"apart": "two processes serve its requests", "restart": "a new process serves each of its requests"}
LIMIT_S = 30.0


def pytest_addoption(parser: Any) -> None:
    parser.getgroup("statelab").addoption(
        "--statelab",
        default="",
        metavar="WAYS",
        help="run each test again with its requests spread over processes: apart, restart, or both (apart,restart)",
    )


def pytest_configure(config: Any) -> None:
    ways = [way for way in config.getoption("--statelab").split(",") if way]
    for way in ways:
        if way == "between":
            raise pytest.UsageError(
                "--statelab=between is not possible: a test cannot say what two requests at once should answer;"
                " `statelab audit module:app` interrupts requests"
            )
        if way not in KNOWN:
            raise pytest.UsageError("--statelab={}: name {}, with commas between".format(way, " or ".join(KNOWN)))
    if ways:
        config.pluginmanager.register(Runs(ways))


class Runs:
    """Replaces pytest's own way to run a test."""

    def __init__(self, ways: list[str]) -> None:
        self._ways = ways
        self._client = Client()
        self._requests: Requests | None = None
        self._unclear: list[str] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: Any, nextitem: Any) -> bool | None:
        if not hasattr(item, "_initrequest"):  # not a test function
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for report in self._judged(item):
            item.ihook.pytest_runtest_logreport(report=report)
        item.session._setupstate.teardown_exact(nextitem)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def _judged(self, item: Any) -> list[Any]:
        """The reports that count: those of the first way that fails, or those of the usual run of the test.

        The usual run comes last if possible, because later forks would inherit what it leaves in this process's memory.
        """
        control, moved = self._run(item, Way("moved"))
        clear = all(report.passed for report in control)
        alone, sent = ([], moved) if clear else self._run(item, Way("alone"))
        if any(not report.passed for report in alone) or len(sent) < 2:
            return alone or self._run(item, Way("alone"))[0]
        stays = () if clear else tuple(index for index, request in enumerate(sent) if request["keeps"])
        failed = self._first_failure(item, sent, stays)
        alone = alone or self._run(item, Way("alone"))[0]
        if failed is not None and (clear or len(moved) > failed[1]) and not self._client.memory:
            return failed[0] if all(report.passed for report in alone) else alone
        if failed is not None or not (clear or stays):
            self._unclear.append(item.nodeid)
        return alone

    def _first_failure(
        self, item: Any, sent: list[dict[str, Any]], stays: tuple[int, ...]
    ) -> tuple[list[Any], int] | None:
        """The reports of the first way in which the test fails, and how many requests it had sent."""
        for name in self._ways:
            for way, at in KNOWN[name]:
                reports, spread = self._run(item, Way(way, at, len(sent), stays))
                failed = [report for report in reports if report.failed]
                if failed:
                    served = "\n".join("{at}  {method} {target}: {status}".format(**request) for request in spread)
                    text = f"passes when one process serves its requests, and fails when {MEANINGS[name]}:\n{served}"
                    failed[0].sections.insert(0, (f"statelab {name}", text))
                    return reports, len(spread)
        return None

    def _run(self, item: Any, way: Way) -> tuple[list[Any], list[dict[str, Any]]]:
        self._requests = Requests(way, drop=False, limit_s=LIMIT_S, looks={})
        item._initrequest()
        reports = runtestprotocol(item, log=False, nextitem=item.parent)  # ends only the function's fixtures
        return reports, self._requests.sent

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_call(self) -> Iterator[None]:
        assert self._requests is not None
        with self._client.sends(self._requests):
            yield

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        for name in self._unclear:
            terminalreporter.write_line(
                f"statelab: {name} cannot be judged: it shares something with the app outside of its requests"
            )

"""A tab beside Locust's statistics: what was acknowledged, what the app says afterwards, what that means."""

from collections import Counter
from typing import Any

from statelab.core.operation import Operation
from statelab.core.operation import Result
from workloads import load_of

KEY = "state"
COLUMNS = {
    "cell": "Workload, mechanism, deployment, window",
    "acknowledged": "Acknowledged",
    "failed": "Refused or failed",
    "unknown": "Unknown outcomes",
    "final": "Read after the end",
    "meaning": "What that means",
}
NOTHING_DONE = "nothing was acknowledged; the tab Failures says why"
MOST_LETTERS = 60
"""So much of what was read is shown."""


def _shown(final: list[Result]) -> str:
    """The different values, in order; a ledger or a session is long."""
    told = ", ".join(sorted({str(value) for value in final}, key=lambda text: (len(text), text)))
    return told if len(told) <= MOST_LETTERS else told[: MOST_LETTERS - 1] + "…"


class StateTab:
    """Keeps the running cell's operations, and a row for each cell that has ended (in this Locust process)."""

    def __init__(self, web_ui: Any) -> None:
        self._rows: list[dict[str, Any]] = []
        self._workload = self._label = ""
        self._operations: list[Operation] = []
        self._keeps = bool(web_ui)
        self._awaited = False
        if web_ui:
            self._install(web_ui)

    def _install(self, web_ui: Any) -> None:
        web_ui.template_args["extended_tabs"] = [{"title": "State", "key": KEY}]
        structure = [{"key": key, "title": title} for key, title in COLUMNS.items()]
        web_ui.template_args["extended_tables"] = [{"key": KEY, "structure": structure}]

        @web_ui.app.after_request
        def add_rows(response: Any) -> Any:
            if response.is_json and response.json and "stats" in response.json:
                told = {**response.json, "extended_stats": [{"key": KEY, "data": self._rows}]}
                # the page asks no more once a run has stopped, and would never see a row that comes after its end
                told |= {"state": "running"} if self._awaited else {}
                response.set_data(web_ui.app.json.dumps(told))
            return response

    @property
    def anything(self) -> bool:
        """Whether the running cell has an operation."""
        return bool(self._operations)

    def begin(self, options: Any) -> None:
        self._awaited = self._keeps
        self._operations = []
        self._workload = options.workload
        self._label = f"{options.workload}, {options.mechanism}, {options.deployment}, {options.window}"

    def note(self, operation: Operation) -> None:
        """Without a web UI nobody looks, and nothing is kept."""
        if self._keeps:
            self._operations.append(operation)

    def settle(self) -> None:
        """Nothing more comes of the cell that has ended."""
        self._awaited = False

    def end(self, final: list[Result]) -> None:
        """Adds the row of the cell whose operations were noted since `begin`; its final reads are no load."""
        by_status = Counter(operation.status for operation in self._operations)
        acknowledged = Counter(operation.op for operation in self._operations if operation.status == "ok")
        self._rows.append(
            {
                "cell": self._label,
                "acknowledged": ", ".join(f"{count} {op}" for op, count in acknowledged.items()),
                "failed": by_status["fail"],
                "unknown": by_status["info"],
                "final": _shown(final),
                "meaning": load_of(self._workload).meaning(self._operations, final) if acknowledged else NOTHING_DONE,
            }
        )
        self._operations = []

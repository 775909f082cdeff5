"""A tab beside Locust's statistics: what was acknowledged, what the app says afterwards, and what that means."""

from collections import Counter
from typing import Any

from statelab.core.load import Cell
from statelab.core.operation import Operation, Result
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
"""At most this many characters of the final reads are shown."""


class StateTab:
    """Keeps the running cell's operations, of all workers, and a row for each cell that has ended."""

    def __init__(self, web_ui: Any) -> None:
        self._rows: list[dict[str, Any]] = []
        self._workload = self._label = ""
        self._operations: list[Operation] = []
        self.keeps = bool(web_ui)
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
                answer = {**response.json, "extended_stats": [{"key": KEY, "data": self._rows}]}
                # the page stops asking once a run has stopped, and would miss the row that is added after its end
                answer |= {"state": "running"} if self._awaited else {}
                response.set_data(web_ui.app.json.dumps(answer))
            return response

    @property
    def anything(self) -> bool:
        """Whether the running cell has an operation."""
        return bool(self._operations)

    def begin(self, cell: Cell, deployment: str) -> None:
        self._awaited = self.keeps
        self._operations = []
        self._workload = cell.workload
        self._label = f"{cell.workload}, {cell.mechanism}, {deployment}, {cell.window}"

    def note(self, operation: Operation) -> None:
        """Keeps the operation, if there is a web UI to show it."""
        if self.keeps:
            self._operations.append(operation)

    def settle(self) -> None:
        """Says that nothing more comes of the cell that has ended."""
        self._awaited = False

    def end(self, final: list[Result]) -> None:
        """Adds the row of the cell whose operations were noted since `begin`; `final` are the values read back
        afterwards, which are not counted as load."""
        by_status = Counter(operation.status for operation in self._operations)
        acknowledged = Counter(operation.op for operation in self._operations if operation.status == "ok")
        # Numbers in their order: a shorter one comes first.
        values = ", ".join(sorted({str(value) for value in final}, key=lambda text: (len(text), text)))
        self._rows.append(
            {
                "cell": self._label,
                "acknowledged": ", ".join(f"{count} {op}" for op, count in acknowledged.items()),
                "failed": by_status["fail"],
                "unknown": by_status["info"],
                "final": values if len(values) <= MOST_LETTERS else values[: MOST_LETTERS - 1] + "…",
                "meaning": load_of(self._workload).meaning(self._operations, final) if acknowledged else NOTHING_DONE,
            }
        )
        self._operations = []

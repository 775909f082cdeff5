"""A tab beside Locust's statistics: what was acknowledged, what the app says afterwards, what that means."""

from typing import Any

from statelab.history import Operation

KEY = "state"
COLUMNS = {
    "cell": "Mechanism, deployment, window",
    "acknowledged": "Acknowledged increments",
    "unknown": "Unknown outcomes",
    "told_twice": "Told a number somebody else was told",
    "final": "Values read after the end",
    "meaning": "What that means",
}


def meaning(acknowledged: int, told_twice: int, unknown: int, final: list[int]) -> str:
    """One sentence; the exact verdict with its proof is the report's."""
    if not final:
        return "the value could not be read"
    if len(set(final)) > 1:
        return "reads disagree although nobody writes: several copies"
    missing = acknowledged - final[0]
    if missing > 0:
        return f"{missing} acknowledged increments are missing"
    if told_twice:
        return "the total is right, the numbers handed out are not"
    if -missing > unknown:
        return "more was counted than was asked for"
    return "nothing seen under this load; that is not a proof"


class StateTab:
    """Counts the running cell and keeps a row for each one that has ended (in this Locust process)."""

    def __init__(self, web_ui: Any) -> None:
        self._rows: list[dict[str, Any]] = []
        self._label = ""
        self._reset()
        if web_ui:
            self._install(web_ui)

    def _reset(self) -> None:
        self.acknowledged = 0
        self._unknown = 0
        self._told: set[int] = set()

    def _install(self, web_ui: Any) -> None:
        web_ui.template_args["extended_tabs"] = [{"title": "State", "key": KEY}]
        structure = [{"key": key, "title": title} for key, title in COLUMNS.items()]
        web_ui.template_args["extended_tables"] = [{"key": KEY, "structure": structure}]

        @web_ui.app.after_request
        def add_rows(response: Any) -> Any:
            if response.is_json and response.json and "stats" in response.json:
                response.set_data(
                    web_ui.app.json.dumps({**response.json, "extended_stats": [{"key": KEY, "data": self._rows}]})
                )
            return response

    def begin(self, options: Any) -> None:
        self._reset()
        self._label = f"{options.mechanism}, {options.deployment}, {options.window}"

    def note(self, operation: Operation) -> None:
        if operation.op != "increment":  # what the columns are about; other workloads have no row
            return
        if operation.status == "ok" and isinstance(operation.result, int):
            self.acknowledged += 1
            self._told.add(operation.result)
        self._unknown += operation.status == "info"

    def end(self, final: list[int]) -> None:
        told_twice = self.acknowledged - len(self._told)
        self._rows.append(
            {
                "cell": self._label,
                "acknowledged": self.acknowledged,
                "unknown": self._unknown,
                "told_twice": told_twice,
                "final": ", ".join(str(value) for value in sorted(set(final))),
                "meaning": meaning(self.acknowledged, told_twice, self._unknown, final),
            }
        )

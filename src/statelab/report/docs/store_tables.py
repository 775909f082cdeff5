"""The comparison of places as Markdown: a section of the report, and the body of docs/stores.md."""

from statelab.report.content import figures
from statelab.report.content.store_comparison import Comparison
from statelab.report.content.store_comparison import Place
from statelab.report.content.store_comparison import Standing
from statelab.report.formats.markdown_pieces import escaped
from statelab.report.formats.markdown_pieces import table


def comparison_tables(comparison: Comparison) -> str:
    """Correctness, speed and lifetime; then the other promises; then what the signs mean."""
    parts = [_counter(comparison), _signs(comparison)]
    if comparison.workloads:
        parts += ["Other promises: the mechanism that keeps each under most deployments, and under how many.\n"]
        parts += [_promises(comparison)]
    return "\n".join(parts)


def _counter(comparison: Comparison) -> str:
    where = f"`{comparison.deployment.name}`" if comparison.deployment else "–"
    heads = ["place", "read, then write: holds", "one operation: holds", f"ops/s, {where}", f"p95 ms, {where}"]
    heads += [f"outlives {ending}" for ending in comparison.endings] + ["shared by, and until when"]
    return table(heads, map(_line, comparison.places))


def _line(place: Place) -> list[str]:
    naive = _standing(place.naive) if place.naive else figures.NONE
    speeds = [f"{text} {factor}".strip() for text, factor in place.speeds]
    lived = [mark.text for mark in place.lived]
    return [f"**{escaped(place.name)}**", naive, _standing(place.atomic), *speeds, *lived, escaped(place.advice)]


def _standing(standing: Standing) -> str:
    return f"{standing.text} `{standing.name}`"


def _promises(comparison: Comparison) -> str:
    lines = [
        [f"**{escaped(place.name)}**", *(_promise(place, workload) for workload in comparison.workloads)]
        for place in comparison.places
    ]
    return table(["place", *comparison.workloads], lines)


def _promise(place: Place, workload: str) -> str:
    return _standing(place.promises[workload]) if workload in place.promises else figures.NONE


def _signs(comparison: Comparison) -> str:
    return "".join(f"- {escaped(sentence)}\n" for sentence in comparison.signs)

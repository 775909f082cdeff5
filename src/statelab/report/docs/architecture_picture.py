"""Draws docs/architecture.svg from the code: the folders of src/statelab by layer, and their imports.

The layers are those that `make lint` checks, the arrows are the imports of the files. An arrow is left out if a longer
way implies it (the picture shows the transitive reduction). Numbers are the steps of docs/architecture.md.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from xml.sax.saxutils import escape

from statelab.core.paths import ROOT

PAGE = ROOT / "docs" / "architecture.md"
PICTURE = PAGE.with_suffix(".svg")
SOURCE = ROOT / "src" / "statelab"

WIDTH, BOX, HEIGHT, FLOOR = 1000, 290, 62, 106

STYLE = """
svg { font-family: system-ui, sans-serif; background: #fff }
.box { fill: #f4f6fa; stroke: #5b6b85 } .outside { fill: #fff8ec; stroke: #9a6b1d }
text { fill: #1c2330 } .name { font-size: 17px; font-weight: 600 } .small { font-size: 12px; fill: #51607a }
.arrow { stroke: #5b6b85; fill: none; marker-end: url(#tip) }
.wire { stroke: #9a6b1d; fill: none; stroke-dasharray: 5 4; marker-end: url(#tip) }
.step { font-size: 12px; font-weight: 600; text-anchor: end; fill: #a3262a }
@media (prefers-color-scheme: dark) {
  svg { background: #12161d } .box { fill: #1d2430; stroke: #8fa2c2 } .outside { fill: #2a2416; stroke: #d3a552 }
  text { fill: #e6ebf4 } .small { fill: #a9b6cc } .step { fill: #ff9d94 }
  .arrow { stroke: #8fa2c2 } .wire { stroke: #d3a552 }
}
"""


def layers() -> list[list[str]]:
    """The folders by layer, the highest first, from the import-linter contract in pyproject.toml."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (pipeline,) = (contract for contract in contracts if contract["containers"] == ["statelab"])
    return [[name.strip() for name in floor.split("|")] for floor in pipeline["layers"]]


def imports() -> dict[str, set[str]]:
    """Folder -> the folders that its files import; a file beside the folders counts as one."""
    found: dict[str, set[str]] = {name: set() for floor in layers() for name in floor}
    for path in SOURCE.rglob("*.py"):
        folder = path.relative_to(SOURCE).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text())) if folder in found else ():
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("statelab."):
                found[folder].add(node.module.split(".")[1])
    return {folder: others - {folder} for folder, others in found.items()}


def _reduced(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """The graph without the arrows that a longer way implies; it must have no cycle."""

    def beyond(folder: str) -> set[str]:
        return {far for other in graph[folder] for far in {other} | beyond(other)}

    return {
        folder: {other for other in others if not any(other in beyond(via) for via in others - {other})}
        for folder, others in graph.items()
    }


def steps() -> dict[str, list[str]]:
    """Folder -> the steps of docs/architecture.md that happen there; folders outside of src/statelab end with `/`."""
    found: dict[str, list[str]] = {}
    for number, files in re.findall(r"^\| (\d+) \|.*\| (.*) \|$", PAGE.read_text(), re.MULTILINE):
        for file in re.findall(r"`([\w/]+\.py)`", files):
            parts = file.split("/")
            folder = parts[2] if parts[0] == "src" else f"{parts[0]}/"
            if number not in found.setdefault(folder, []):
                found[folder].append(number)
    return found


def _about(folder: str) -> str:
    """What the first line of a folder's docstring says before its colon."""
    file = SOURCE / folder / "__init__.py" if (SOURCE / folder).is_dir() else SOURCE / f"{folder}.py"
    text = ast.get_docstring(ast.parse(file.read_text())) or ""
    return re.split(r"[:.,]", text)[0]


def _box(name: str, place: tuple[float, float], about: str, kind: str, numbers: list[str]) -> Iterator[str]:
    x, y = place
    yield f'<rect class="{kind}" x="{x:.0f}" y="{y:.0f}" width="{BOX}" height="{HEIGHT}" rx="8"/>'
    yield f'<text class="name" x="{x + 14:.0f}" y="{y + 26:.0f}">{escape(name)}</text>'
    yield f'<text class="small" x="{x + 14:.0f}" y="{y + 46:.0f}">{escape(about)}</text>'
    if numbers:
        yield f'<text class="step" x="{x + BOX - 12:.0f}" y="{y + 24:.0f}">{", ".join(numbers)}</text>'


def draw() -> str:
    """The picture as SVG; the same code gives the same text."""
    floors, places = layers(), dict[str, tuple[float, float]]()
    for number, floor in enumerate(floors):
        gap = (WIDTH - len(floor) * BOX) / (len(floor) + 1)
        for column, name in enumerate(floor):
            places[name] = (gap + column * (BOX + gap), 20 + number * FLOOR)
    bottom = 20 + len(floors) * FLOOR
    outside = {
        "loadtests/": ((90.0, bottom + 16.0), "Locust: what clients ask, and what they saw"),
        "services/": ((620.0, bottom + 16.0), "the app under test, and its servers"),
    }
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 100}" role="img" '
        'aria-label="The folders of src/statelab by layer; arrows show imports, all of them downwards">',
        f"<style>{STYLE.strip()}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="#7386a5"/></marker></defs>',
    ]
    for folder, others in _reduced(imports()).items():
        x, y = places[folder][0] + BOX / 2, places[folder][1] + HEIGHT
        for other in sorted(others):
            to_x, to_y = places[other][0] + BOX / 2, places[other][1] - 2
            middle = (y + to_y) / 2
            way = f"M{x:.0f} {y:.0f} C{x:.0f} {middle:.0f} {to_x:.0f} {middle:.0f} {to_x:.0f} {to_y:.0f}"
            parts.append(f'<path class="arrow" d="{way}"/>')
    numbers = steps()
    for name, place in places.items():
        parts += _box(name, place, _about(name), "box", numbers.get(name, []))
    for name, (place, about) in outside.items():
        parts += _box(name, place, about, "outside", numbers.get(name, []))
    y = bottom + 16 + HEIGHT / 2
    parts.append(f'<path class="wire" d="M380 {y:.0f} H618"/>')
    parts.append(f'<text class="small" x="452" y="{y - 8:.0f}">HTTP requests</text>')
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    PICTURE.write_text(draw())

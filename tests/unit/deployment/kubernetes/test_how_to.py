"""The how-to's own overlay works, and what the how-to says about numbers is what the manifests have."""

import os
import re
from pathlib import Path

import pytest
import yaml
from tests.support.kustomize import render
from tests.unit.deployment.kubernetes.overlay import FOLDER, REPOSITORY, Overlay
from tests.unit.deployment.kubernetes.test_schemas import OLDEST, VERSIONS, validate

HOW_TO = (REPOSITORY / "docs" / "how-to" / "deploy-on-kubernetes.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", HOW_TO, flags=re.DOTALL)
PLACE = "../molecular-analysis-dashboard/deploy/kubernetes"


def rendered(folder: Path, text: str) -> Overlay:
    folder.mkdir()
    kustomization = text.replace(PLACE, os.path.relpath(FOLDER, folder))
    (folder / "kustomization.yaml").write_text(kustomization)
    return Overlay("ours", render(folder))


@pytest.fixture
def ours(tmp_path: Path) -> Overlay:
    """The overlay that the how-to tells a laboratory to make."""
    return rendered(tmp_path / "ours", EXAMPLES[0])


def test_the_example_changes_what_it_says(ours: Overlay) -> None:
    for manifest in ours.objects:
        validate(manifest, OLDEST)
    assert {container["image"].partition("/")[0] for _, container in ours.our_containers()} == {
        "registry.laboratory.example"
    }
    assert ours.config_map("object-storage")["MAD_S3_BUCKET"] == "laboratory-files"
    (ingress,) = ours.of_kind("Ingress").values()
    assert ingress["spec"]["tls"][0]["hosts"] == [ingress["spec"]["rules"][0]["host"]] == ["docking.laboratory.example"]
    (scaled,) = ours.of_kind("ScaledObject").values()
    servers = {trigger["metadata"]["serverAddress"] for trigger in scaled["spec"]["triggers"]}
    assert servers == {"http://prometheus.observability.svc:9090"}
    assert "10.0.0.0/8" not in str(ours.of_kind("NetworkPolicy"))


def test_a_shared_volume_takes_the_place_of_the_bucket(tmp_path: Path) -> None:
    kustomization = yaml.safe_dump({"kind": "Kustomization", "namespace": "mad", **yaml.safe_load(EXAMPLES[1])})
    shared = rendered(tmp_path / "shared", kustomization)
    assert set(shared.of_kind("PersistentVolumeClaim")) == {"results", "uploads", "backups"}
    for name in ("api", "worker", "backup"):
        given = shared.environment_of(shared.workloads[name].main)
        assert given["RESULTS_DIR"] == "/data/results"
        assert not any(variable.startswith("MAD_S3_") for variable in given)


def test_the_versions_that_it_names_are_those_that_are_tested() -> None:
    assert f"for Kubernetes {OLDEST} or newer" in " ".join(HOW_TO.split())
    shown = ", ".join(version.removesuffix(".0") for version in VERSIONS[:-1])
    assert f"Kubernetes {shown} and {VERSIONS[-1].removesuffix('.0')} in strict mode" in " ".join(HOW_TO.split())


def test_it_names_requests_and_limits_as_they_are(production: Overlay) -> None:
    resources = {name: production.workloads[name].main["resources"] for name in ("api", "worker")}
    assert resources["api"]["requests"]["memory"] == "384Mi"
    assert "384 MiB for an API pod" in HOW_TO
    assert (resources["worker"]["requests"]["memory"], resources["worker"]["limits"]["memory"]) == ("3Gi", "7Gi")
    assert "3 GiB for a worker with two slots" in " ".join(HOW_TO.split())
    assert "limit, 7 GiB" in " ".join(HOW_TO.split())

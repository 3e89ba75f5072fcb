"""Every object is what Kubernetes takes: the oldest supported version, one between, and the newest known."""

import copy
import json
from pathlib import Path

import jsonschema  # type: ignore[import-untyped] # has no types
import kubernetes_validate  # type: ignore[import-untyped] # has no types
import pytest
import yaml
from tests.support.kustomize import Manifest
from tests.unit.deployment.kubernetes.overlay import FOLDER, Overlay

OLDEST = "1.30"
VERSIONS = (OLDEST, "1.34", kubernetes_validate.latest_version())
SCALED_OBJECT = json.loads(Path(__file__).with_name("scaledobject.schema.json").read_text(encoding="utf-8"))


def validate(manifest: Manifest, version: str) -> None:
    if manifest["apiVersion"].startswith("keda.sh/"):
        jsonschema.Draft202012Validator(SCALED_OBJECT).validate(manifest)
    else:
        kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_follows_its_schema(overlay: Overlay, version: str) -> None:
    for manifest in overlay.objects:
        validate(manifest, version)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("kind", "way", "value"),
    [
        ("Deployment", ("spec", "template", "spec", "automountServiceAccountTokens"), False),
        ("Deployment", ("spec", "template", "spec", "containers"), [{"image": "x:1"}]),
        ("Job", ("spec", "backoffLimit"), "6"),
        ("Ingress", ("spec", "rules"), {}),
        ("HorizontalPodAutoscaler", ("spec", "maxReplicas"), None),
        ("NetworkPolicy", ("spec", "policyType"), ["Ingress"]),
        ("ScaledObject", ("spec", "minReplicas"), 1),
        ("ScaledObject", ("spec", "triggers"), []),
        ("ScaledObject", ("spec", "triggers"), [{"type": "prometheus", "name": "x", "metadata": {"query": "up"}}]),
    ],
)
def test_a_mistake_is_noticed(
    production: Overlay, kind: str, way: tuple[str, ...], value: object, version: str
) -> None:
    wrong = copy.deepcopy(next(iter(production.of_kind(kind).values())))
    place = wrong
    for name in way[:-1]:
        place = place[name]
    place[way[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        validate(wrong, version)


def test_the_wait_before_the_end_needs_the_oldest_version(production: Overlay) -> None:
    """The action `sleep` of preStop is on by default since 1.30, and unknown to 1.28."""
    with pytest.raises(jsonschema.ValidationError, match="sleep"):
        validate(production.workloads["api"].manifest, "1.28")


def test_every_file_is_used() -> None:
    used = set()
    for path in FOLDER.rglob("kustomization.yaml"):
        kustomization = yaml.safe_load(path.read_text(encoding="utf-8"))
        names = [
            *kustomization.get("resources", ()),
            *(patch.get("path") for patch in kustomization.get("patches", ())),
        ]
        used |= {(path.parent / name).resolve() for name in names if name}
    files = {path for path in FOLDER.rglob("*.yaml") if path.name != "kustomization.yaml"}
    assert files <= used

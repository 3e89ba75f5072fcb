"""An overlay as the tests look at it: its objects, and its pods with what surrounds them."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.support.kustomize import Manifest, pod_of, render, template_of

REPOSITORY = Path(__file__).parents[4]
FOLDER = REPOSITORY / "deploy" / "kubernetes"
PACKAGE = REPOSITORY / "src" / "molecular_analysis_dashboard"
OVERLAYS = ("local", "production")
OUR_IMAGES = ("molecular-analysis-dashboard-api", "molecular-analysis-dashboard-worker")
SETTINGS = "settings"


@dataclass(frozen=True)
class Workload:
    """A Deployment, StatefulSet, Job or CronJob."""

    manifest: Manifest

    @property
    def kind(self) -> str:
        return str(self.manifest["kind"])

    @property
    def name(self) -> str:
        return str(self.manifest["metadata"]["name"])

    @property
    def labels(self) -> dict[str, str]:
        """Labels of its pods."""
        labels: dict[str, str] = self._metadata["labels"]
        return labels

    @property
    def pod(self) -> Manifest:
        pod = pod_of(self.manifest)
        assert pod is not None
        return pod

    @property
    def main(self) -> Manifest:
        """Its one container that stays."""
        (container,) = self.pod["containers"]
        return dict(container)

    @property
    def containers(self) -> list[Manifest]:
        """All containers, those that run before the others first."""
        return [*self.pod.get("initContainers", ()), *self.pod["containers"]]

    @property
    def annotations(self) -> dict[str, str]:
        annotations: dict[str, str] = self._metadata.get("annotations", {})
        return annotations

    @property
    def _metadata(self) -> Manifest:
        template = template_of(self.manifest)
        assert template is not None
        return dict(template["metadata"])


@dataclass(frozen=True)
class Overlay:
    """All objects of an overlay."""

    name: str
    objects: list[Manifest]

    def of_kind(self, kind: str) -> dict[str, Manifest]:
        """Objects of a kind, by name."""
        return {item["metadata"]["name"]: item for item in self.objects if item["kind"] == kind}

    @cached_property
    def workloads(self) -> dict[str, Workload]:
        """Whatever runs pods, by name."""
        found = [Workload(item) for item in self.objects if pod_of(item) is not None]
        return {workload.name: workload for workload in found}

    @property
    def settings(self) -> dict[str, str]:
        """Settings that all of our containers share."""
        return self.config_map(SETTINGS)

    def config_map(self, name: str) -> dict[str, str]:
        """Contents of a generated ConfigMap, by its name with or without the hash."""
        (found,) = (item for full, item in self.of_kind("ConfigMap").items() if name in (full, full.rpartition("-")[0]))
        data: dict[str, str] = found["data"]
        return data

    def environment_of(self, container: Manifest) -> dict[str, str]:
        """Variables of a container as Kubernetes sets them."""
        given: dict[str, str] = {}
        for source in container.get("envFrom", ()):
            given |= self.config_map(source["configMapRef"]["name"])
        return given | {variable["name"]: variable["value"] for variable in container.get("env", ())}

    def our_containers(self) -> Iterator[tuple[Workload, Manifest]]:
        """Containers of our own images, with their workload."""
        for workload in self.workloads.values():
            for container in workload.containers:
                if image_name(container) in OUR_IMAGES:
                    yield workload, container


def load(name: str) -> Overlay:
    """Render an overlay."""
    return Overlay(name, render(FOLDER / "overlays" / name))


def image_name(container: Manifest) -> str:
    """Name of an image without registry and tag."""
    return str(container["image"]).rpartition("/")[2].partition(":")[0]


def selects(selector: Manifest, labels: dict[str, str]) -> bool:
    """Whether a label selector of Kubernetes matches; an empty one matches everything."""
    unknown = selector.keys() - {"matchLabels", "matchExpressions"}
    assert not unknown, f"unknown in a selector: {unknown}"
    equal = all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
    return equal and all(_holds(rule, labels) for rule in selector.get("matchExpressions", ()))


def _holds(rule: Manifest, labels: dict[str, str]) -> bool:
    assert rule["operator"] == "In", rule
    return labels.get(rule["key"]) in rule["values"]


def constant(module: str, name: str) -> Any:
    """Value of a module's constant, read without importing what the module needs."""
    for node in ast.parse((PACKAGE / module).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == [name]:
            return ast.literal_eval(node.value)
    raise AssertionError(f"{module} has no constant {name}")


def mebibytes(quantity: str) -> float:
    """Size of a quantity of Kubernetes in MiB."""
    for suffix, factor in (("Mi", 1), ("Gi", 1024)):
        if quantity.endswith(suffix):
            return float(quantity.removesuffix(suffix)) * factor
    raise AssertionError(f"unknown quantity {quantity}")

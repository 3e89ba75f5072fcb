"""What an overlay of deploy/kubernetes comes to: the part of kustomize that is used there, and nothing more.

A field, patch or kind that this renderer does not know is refused, so that it cannot quietly render something else than
kustomize does. `kubectl kustomize` gives the same objects: docs/how-to/deploy-on-kubernetes.md says how to compare.
"""

import copy
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]

_FIELDS = frozenset(
    {"apiVersion", "kind", "namespace", "resources", "components", "images", "configMapGenerator", "patches"}
)
_NAMESPACED = frozenset(
    {
        "ConfigMap",
        "CronJob",
        "Deployment",
        "HorizontalPodAutoscaler",
        "Ingress",
        "Job",
        "NetworkPolicy",
        "PersistentVolumeClaim",
        "PodDisruptionBudget",
        "ScaledObject",
        "Service",
        "ServiceAccount",
        "StatefulSet",
    }
)
# Where a pod may name a ConfigMap besides `envFrom`; their names would have to be changed too.
_OTHER_REFERENCES = frozenset({"configMap", "configMapKeyRef"})
# So that the hash looks like no word (kustomize, api/hasher).
_HASH_LETTERS = str.maketrans("013ae", "ghkmt")


class NotUnderstood(Exception):
    """A kustomization uses something that this renderer does not know."""


def render(folder: Path) -> list[Manifest]:
    """Return the objects of the kustomization in a folder, in no particular order."""
    build = _Build()
    build.add_folder(folder)
    return build.with_hashed_names()


class _Build:
    """Objects as they come together: of resources, then of components, then changed by the kustomization itself."""

    def __init__(self) -> None:
        self._objects: list[Manifest] = []
        self._generated: set[str] = set()

    def add_folder(self, folder: Path) -> None:
        kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))
        unknown = kustomization.keys() - _FIELDS
        if unknown:
            raise NotUnderstood(f"{folder}: {', '.join(sorted(unknown))}")
        own = self if kustomization.get("kind") == "Component" else _Build()
        for name in kustomization.get("resources", ()):
            own._add_resource(folder / name)
        for name in kustomization.get("components", ()):
            own.add_folder(folder / name)
        own._transform(folder, kustomization)
        if own is not self:
            self._objects += own._objects
            self._generated |= own._generated

    def _add_resource(self, path: Path) -> None:
        if path.is_dir():
            self.add_folder(path)
            return
        self._objects += yaml.safe_load_all(path.read_text(encoding="utf-8"))

    def _transform(self, folder: Path, kustomization: Manifest) -> None:
        for entry in kustomization.get("configMapGenerator", ()):
            self._generate(entry)
        for entry in kustomization.get("patches", ()):
            self._patch(folder, entry)
        if "namespace" in kustomization:
            self._put_into(kustomization["namespace"])
        for entry in kustomization.get("images", ()):
            self._name_image(entry)

    def _generate(self, entry: Manifest) -> None:
        data = dict(literal.split("=", 1) for literal in entry["literals"])
        name, behavior = entry["name"], entry.get("behavior", "create")
        if entry.keys() - {"name", "behavior", "literals"} or behavior not in ("create", "merge"):
            raise NotUnderstood(f"configMapGenerator {name}")
        if behavior == "merge":
            self._one("ConfigMap", name)["data"] |= data
            return
        self._objects.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
        self._generated.add(name)

    def _patch(self, folder: Path, entry: Manifest) -> None:
        if entry.keys() - {"target", "path", "patch"} or entry.get("target", {}).keys() - {"kind", "name"}:
            raise NotUnderstood(f"patch {entry}")
        text = entry["patch"] if "patch" in entry else (folder / entry["path"]).read_text(encoding="utf-8")
        operations = yaml.safe_load(text)
        if not isinstance(operations, list):
            raise NotUnderstood(f"a patch that is no JSON patch: {text}")
        for manifest in self._targets(entry["target"]):
            apply_json_patch(manifest, operations)

    def _targets(self, target: Manifest) -> list[Manifest]:
        found = [
            manifest
            for manifest in self._objects
            if manifest["kind"] == target["kind"] and re.fullmatch(target["name"], manifest["metadata"]["name"])
        ]
        if not found:
            raise NotUnderstood(f"nothing is called {target}")
        return found

    def _one(self, kind: str, name: str) -> Manifest:
        (manifest,) = self._targets({"kind": kind, "name": re.escape(name)})
        return manifest

    def _put_into(self, namespace: str) -> None:
        for manifest in self._objects:
            if manifest["kind"] == "Namespace":
                manifest["metadata"]["name"] = namespace
            elif manifest["kind"] in _NAMESPACED:
                manifest["metadata"]["namespace"] = namespace
            else:
                raise NotUnderstood(f"whether a {manifest['kind']} belongs to a namespace")

    def _name_image(self, entry: Manifest) -> None:
        if entry.keys() - {"name", "newName", "newTag"}:
            raise NotUnderstood(f"image {entry}")
        for container in containers_of(*self._objects):
            name, _, tag = container["image"].partition(":")
            if name == entry["name"]:
                container["image"] = f"{entry.get('newName', name)}:{entry.get('newTag', tag)}"

    def with_hashed_names(self) -> list[Manifest]:
        """Give generated ConfigMaps their final names, and tell those who refer to them."""
        if any(key in _OTHER_REFERENCES for key in _keys(self._objects)):
            raise NotUnderstood("a reference to a ConfigMap outside of envFrom")
        names = {}
        for name in self._generated:
            manifest = self._one("ConfigMap", name)
            names[name] = manifest["metadata"]["name"] = f"{name}-{_hash(manifest)}"
        for container in containers_of(*self._objects):
            for source in container.get("envFrom", ()):
                reference = source["configMapRef"]
                reference["name"] = names.get(reference["name"], reference["name"])
        return self._objects


def template_of(manifest: Manifest) -> Manifest | None:
    """Return the template of a workload's pods, or None when the object is none."""
    spec = manifest.get("spec", {})
    template: Manifest | None = spec.get("jobTemplate", {}).get("spec", spec).get("template")
    return template


def pod_of(manifest: Manifest) -> Manifest | None:
    """Return the pod's specification inside a workload, or None when the object is none."""
    template = template_of(manifest)
    return template["spec"] if template else None


def containers_of(*manifests: Manifest) -> Iterator[Manifest]:
    """Yield the containers of workloads, those that run before the others included."""
    for manifest in manifests:
        pod = pod_of(manifest) or {}
        yield from pod.get("initContainers", ())
        yield from pod.get("containers", ())


def apply_json_patch(manifest: Manifest, operations: list[Manifest]) -> None:
    """Change an object by the operations of RFC 6902: `add` (to the end of a list), `replace` and `remove`."""
    for operation in operations:
        *way, last = (part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:])
        place: Any = manifest
        for part in way:
            place = place[int(part) if isinstance(place, list) else part]
        if operation["op"] == "add" and isinstance(place, list) and last == "-":
            place.append(copy.deepcopy(operation["value"]))
        elif isinstance(place, dict) and (operation["op"] == "add" or last in place):
            _change(place, last, operation)
        else:
            raise NotUnderstood(f"{operation['op']} at {operation['path']}")


def _change(place: Manifest, name: str, operation: Manifest) -> None:
    match operation["op"]:
        case "add" | "replace":
            place[name] = copy.deepcopy(operation["value"])
        case "remove":
            del place[name]
        case unknown:
            raise NotUnderstood(f"the JSON patch operation {unknown}")


def _keys(value: object) -> Iterator[str]:
    """Yield the keys of all objects inside a value."""
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _keys(part)


def _hash(config_map: Manifest) -> str:
    """Return kustomize's hash of a ConfigMap: of its contents as JSON with sorted keys, without the name."""
    body = {"data": config_map["data"], "kind": "ConfigMap", "name": ""}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:10].translate(_HASH_LETTERS)

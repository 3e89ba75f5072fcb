"""The renderer does what kustomize does with the features it knows, and refuses all others.

The expected values were printed by `kubectl kustomize` (kustomize 5.5).
"""

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.kustomize import Manifest, NotUnderstood, apply_json_patch, render

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  template:
    spec:
      containers:
        - name: api
          image: app
          env: [{name: A, value: "1"}, {name: B, value: "2"}]
          envFrom: [{configMapRef: {name: settings}}]
"""


def write(folder: Path, kustomization: Manifest, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    kind = kustomization.setdefault("kind", "Kustomization")
    assert kind in ("Kustomization", "Component")
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return write(
        tmp_path / "base",
        {
            "resources": ["api.yaml"],
            "images": [{"name": "app", "newTag": "1.0"}],
            "configMapGenerator": [{"name": "settings", "literals": ["A=b"]}],
        },
        api=DEPLOYMENT,
    )


def rendered(folder: Path) -> dict[str, Manifest]:
    return {item["kind"]: item for item in render(folder)}


def container(folder: Path) -> Any:
    return rendered(folder)["Deployment"]["spec"]["template"]["spec"]["containers"][0]


def test_a_generated_config_map_carries_the_hash_of_its_contents(base: Path) -> None:
    assert rendered(base)["ConfigMap"]["metadata"]["name"] == "settings-b9t2424hkf"
    assert container(base)["envFrom"] == [{"configMapRef": {"name": "settings-b9t2424hkf"}}]


@pytest.mark.usefixtures("base")
def test_an_overlay_changes_what_its_base_made(tmp_path: Path) -> None:
    overlay = write(
        tmp_path / "overlay",
        {
            "namespace": "mad",
            "resources": ["../base"],
            "images": [{"name": "app", "newName": "registry.example.org/app"}],
            "configMapGenerator": [{"name": "settings", "behavior": "merge", "literals": ["C=d=e"]}],
        },
    )
    objects = rendered(overlay)
    assert objects["ConfigMap"]["data"] == {"A": "b", "C": "d=e"}
    assert {item["metadata"]["namespace"] for item in objects.values()} == {"mad"}
    assert container(overlay)["image"] == "registry.example.org/app:1.0"
    assert container(overlay)["envFrom"][0]["configMapRef"]["name"] == objects["ConfigMap"]["metadata"]["name"]


def test_a_component_changes_what_its_user_has_gathered(base: Path, tmp_path: Path) -> None:
    patch = "[{op: add, path: /spec/replicas, value: 3}]"
    target = {"kind": "Deployment", "name": "a.i|worker"}
    write(
        tmp_path / "component",
        {"kind": "Component", "patches": [{"target": target, "path": "patch.yaml"}]},
        patch=patch,
    )
    overlay = write(tmp_path / "overlay", {"resources": ["../base"], "components": ["../component"]})
    assert rendered(overlay)["Deployment"]["spec"]["replicas"] == 3
    assert "replicas" not in rendered(base)["Deployment"]["spec"]


def test_a_namespace_takes_the_name_of_the_namespace(tmp_path: Path) -> None:
    folder = write(tmp_path, {"namespace": "lab", "resources": ["n.yaml"]}, n="kind: Namespace\nmetadata: {name: mad}")
    assert rendered(folder)["Namespace"] == {"kind": "Namespace", "metadata": {"name": "lab"}}


class TestJsonPatch:
    @pytest.mark.parametrize(
        ("operation", "expected"),
        [
            ({"op": "add", "path": "/b", "value": 2}, {"a": {"x/y": [{"z": 1}]}, "b": 2}),
            ({"op": "replace", "path": "/a", "value": 2}, {"a": 2}),
            ({"op": "remove", "path": "/a/x~1y/0/z"}, {"a": {"x/y": [{}]}}),
            ({"op": "add", "path": "/a/x~1y/-", "value": 2}, {"a": {"x/y": [{"z": 1}, 2]}}),
        ],
    )
    def test_changes_one_place(self, operation: Manifest, expected: Manifest) -> None:
        manifest: Manifest = {"a": {"x/y": [{"z": 1}]}}
        apply_json_patch(manifest, [operation])
        assert manifest == expected

    @pytest.mark.parametrize(
        "operation",
        [
            {"op": "replace", "path": "/missing", "value": 1},
            {"op": "remove", "path": "/missing"},
            {"op": "add", "path": "/list/0", "value": 1},
            {"op": "replace", "path": "/list/-", "value": 1},
            {"op": "move", "path": "/a", "from": "/b"},
        ],
    )
    def test_refuses_the_rest(self, operation: Manifest) -> None:
        with pytest.raises(NotUnderstood):
            apply_json_patch({"a": 1, "list": []}, [operation])


@pytest.mark.parametrize(
    "text",
    [
        "kind: ClusterRole\nmetadata: {name: x}",
        "kind: Deployment\nmetadata: {name: x}\nspec: {template: {spec: {volumes: [{configMap: {name: settings}}]}}}",
    ],
)
def test_an_object_that_it_could_get_wrong_is_refused(tmp_path: Path, text: str) -> None:
    folder = write(tmp_path, {"namespace": "mad", "resources": ["x.yaml"]}, x=text)
    with pytest.raises(NotUnderstood):
        render(folder)


@pytest.mark.usefixtures("base")
@pytest.mark.parametrize(
    "kustomization",
    [
        {"namePrefix": "x-"},
        {"secretGenerator": [{"name": "x"}]},
        {"images": [{"name": "app", "digest": "sha256:0"}]},
        {"configMapGenerator": [{"name": "settings", "behavior": "replace", "literals": []}]},
        {"configMapGenerator": [{"name": "x", "literals": [], "files": ["x"]}]},
        {"patches": [{"target": {"kind": "Deployment", "name": "worker"}, "patch": "[]"}]},
        {"patches": [{"target": {"kind": "Deployment", "name": "api", "labelSelector": "x"}, "patch": "[]"}]},
        {"patches": [{"target": {"kind": "Deployment", "name": "api"}, "patch": "{spec: {replicas: 3}}"}]},
    ],
    ids=str,
)
def test_what_is_not_known_is_refused(tmp_path: Path, kustomization: Manifest) -> None:
    folder = write(tmp_path / "overlay", {"resources": ["../base"], **kustomization})
    with pytest.raises(NotUnderstood):
        render(folder)

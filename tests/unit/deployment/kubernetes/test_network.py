"""Whoever needs somebody reaches him, and nobody else does."""

import pytest
from tests.support.kustomize import Manifest
from tests.unit.deployment.kubernetes.network import Foreign, internet, may_send
from tests.unit.deployment.kubernetes.overlay import Overlay, selects

DNS = Foreign({"kubernetes.io/metadata.name": "kube-system"}, {"k8s-app": "kube-dns"})
PROXY = Foreign({"mad-ingress": "allowed"}, {})
PROMETHEUS = Foreign({"mad-metrics": "allowed"}, {})
STRANGER = Foreign({"kubernetes.io/metadata.name": "default"}, {})
PRIVATE = internet("10.20.30.40")
PUBLIC = internet("52.95.110.1")
CLOUD_METADATA = internet("169.254.169.254")
OURS = ("api", "worker", "flower", "migrate", "backup")

USERS = {5432: ("api", "worker", "migrate", "backup"), 6379: ("api", "worker", "flower")}


@pytest.mark.parametrize("name", OURS)
def test_everybody_can_resolve_names_and_nothing_else_of_the_system(overlay: Overlay, name: str) -> None:
    pod = overlay.workloads[name]
    assert may_send(overlay, pod, DNS, 53, "UDP")
    assert may_send(overlay, pod, DNS, 53, "TCP")
    assert not may_send(overlay, pod, DNS, 9153, "TCP")
    assert not may_send(overlay, pod, STRANGER, 53, "UDP")


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize(("service", "port"), [("postgres", 5432), ("redis", 6379)])
def test_data_services_are_for_those_who_use_them(
    local: Overlay, production: Overlay, name: str, service: str, port: int
) -> None:
    needs = name in USERS[port]
    inside = local.workloads[service]
    assert may_send(local, local.workloads[name], inside, port, "TCP") is needs
    assert may_send(production, production.workloads[name], PRIVATE, port, "TCP") is needs
    assert not may_send(local, local.workloads[name], inside, port + 1, "TCP")
    assert not may_send(production, production.workloads[name], PUBLIC, port, "TCP")
    assert not may_send(local, STRANGER, inside, port, "TCP")


@pytest.mark.parametrize("name", OURS)
def test_only_those_who_keep_files_reach_object_storage(local: Overlay, production: Overlay, name: str) -> None:
    assert may_send(production, production.workloads[name], PUBLIC, 443, "TCP") is (name in ("api", "worker", "backup"))
    assert not may_send(production, production.workloads[name], CLOUD_METADATA, 443, "TCP")
    assert not may_send(production, production.workloads[name], CLOUD_METADATA, 80, "TCP")
    assert not may_send(local, local.workloads[name], PUBLIC, 443, "TCP")


@pytest.mark.parametrize(
    ("source", "name", "port", "allowed"),
    [
        (PROXY, "api", 8000, True),
        (PROXY, "worker", 9100, False),
        (PROXY, "flower", 5555, False),
        (PROMETHEUS, "api", 8000, True),
        (PROMETHEUS, "worker", 9100, True),
        (PROMETHEUS, "flower", 5555, False),
        (STRANGER, "api", 8000, False),
        (STRANGER, "worker", 9100, False),
        (PUBLIC, "api", 8000, False),
    ],
)
def test_what_comes_in_from_outside(overlay: Overlay, source: Foreign, name: str, port: int, allowed: bool) -> None:
    assert may_send(overlay, source, overlay.workloads[name], port, "TCP") is allowed


@pytest.mark.parametrize("source", OURS)
@pytest.mark.parametrize(("target", "port"), [("api", 8000), ("worker", 9100), ("flower", 5555)])
def test_ours_do_not_talk_to_each_other(overlay: Overlay, source: str, target: str, port: int) -> None:
    assert not may_send(overlay, overlay.workloads[source], overlay.workloads[target], port, "TCP")


def test_everything_is_denied_to_begin_with(overlay: Overlay) -> None:
    assert overlay.of_kind("NetworkPolicy")["deny-everything"]["spec"] == {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
    }


def selectors(policy: Manifest) -> list[Manifest]:
    """Selectors of pods of our own namespace in a policy."""
    rules = [*policy.get("ingress", ()), *policy.get("egress", ())]
    peers = [peer for rule in rules for peer in (*rule.get("from", ()), *rule.get("to", ()))]
    own = [peer["podSelector"] for peer in peers if "podSelector" in peer and "namespaceSelector" not in peer]
    return [policy["podSelector"], *own]


def test_every_value_that_a_policy_names_belongs_to_pods(overlay: Overlay) -> None:
    for name, policy in overlay.of_kind("NetworkPolicy").items():
        for selector in selectors(policy["spec"]):
            assert any(selects(selector, pod.labels) for pod in overlay.workloads.values()), name
            for rule in selector.get("matchExpressions", ()):
                present = {pod.labels[rule["key"]] for pod in overlay.workloads.values()}
                assert set(rule["values"]) <= present, name

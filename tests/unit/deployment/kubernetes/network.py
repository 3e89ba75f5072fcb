"""Who may talk to whom under the network policies of an overlay, as Kubernetes decides it."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tests.support.kustomize import Manifest
from tests.unit.deployment.kubernetes.overlay import Overlay, Workload, selects

Direction = Literal["ingress", "egress"]


@dataclass(frozen=True)
class Foreign:
    """Something outside of our namespace: pods of a namespace with labels, or an address."""

    namespace: dict[str, str]
    pod: dict[str, str]
    address: str = ""


def internet(address: str) -> Foreign:
    """Return a host outside of the cluster."""
    return Foreign({}, {}, address)


def may_send(
    overlay: Overlay, source: Workload | Foreign, target: Workload | Foreign, port: int, protocol: str
) -> bool:
    """Whether what leaves the source is let out and what arrives at the target is let in."""
    leaves = not isinstance(source, Workload) or _allowed(overlay, "egress", source, target, target, port, protocol)
    arrives = not isinstance(target, Workload) or _allowed(overlay, "ingress", target, source, target, port, protocol)
    return leaves and arrives


def _allowed(
    overlay: Overlay,
    direction: Direction,
    own: Workload,
    peer: Workload | Foreign,
    target: Workload | Foreign,
    port: int,
    protocol: str,
) -> bool:
    policies = [
        policy["spec"]
        for policy in overlay.of_kind("NetworkPolicy").values()
        if selects(policy["spec"]["podSelector"], own.labels)
        and direction in (kind.lower() for kind in policy["spec"]["policyTypes"])
    ]
    if not policies:
        return True
    rules = [rule for policy in policies for rule in policy.get(direction, ())]
    return any(
        any(_is_peer(selector, peer) for selector in rule["from" if direction == "ingress" else "to"])
        and (port, protocol) in _ports(rule, target)
        for rule in rules
    )


def _is_peer(selector: Manifest, peer: Workload | Foreign) -> bool:
    if "ipBlock" in selector:
        return isinstance(peer, Foreign) and bool(peer.address) and _in_block(selector["ipBlock"], peer.address)
    if isinstance(peer, Foreign):
        return (
            not peer.address
            and "namespaceSelector" in selector
            and selects(selector["namespaceSelector"], peer.namespace)
            and selects(selector.get("podSelector", {}), peer.pod)
        )
    return "namespaceSelector" not in selector and selects(selector["podSelector"], peer.labels)


def _in_block(block: Manifest, address: str) -> bool:
    found = ipaddress.ip_address(address)
    holes = block.get("except", ())
    return found in ipaddress.ip_network(block["cidr"]) and not any(
        found in ipaddress.ip_network(hole) for hole in holes
    )


def _ports(rule: Manifest, target: Workload | Foreign) -> Iterator[tuple[int, str]]:
    named = {}
    if isinstance(target, Workload):
        named = {port["name"]: port["containerPort"] for port in target.main.get("ports", ())}
    for entry in rule["ports"]:
        yield named.get(entry["port"], entry["port"]), entry.get("protocol", "TCP")

"""What is wrong with a workload: Pod Security "restricted", and what this project asks for beyond it.

The first group follows https://kubernetes.io/docs/concepts/security/pod-security-standards/ (restricted).
"""

from collections.abc import Callable, Iterator

from tests.support.kustomize import Manifest
from tests.unit.deployment.kubernetes.overlay import Workload, mebibytes

Rule = Callable[[Workload], Iterator[str]]

_ALLOWED_VOLUMES = frozenset({"configMap", "emptyDir", "persistentVolumeClaim", "projected", "secret"})
_ALLOWED_CAPABILITIES = frozenset({"NET_BIND_SERVICE"})
_HOST_FIELDS = ("hostNetwork", "hostPID", "hostIPC")
_PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
_RUNS_ON = frozenset({"Deployment", "StatefulSet"})


def restricted_pod(workload: Workload) -> Iterator[str]:
    """What Pod Security "restricted" asks of the pod."""
    context = workload.pod.get("securityContext", {})
    if context.get("runAsNonRoot") is not True or context.get("runAsUser", 1) == 0:
        yield "may run as root"
    if context.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
        yield "has no seccomp profile"
    yield from (f"uses {field}" for field in _HOST_FIELDS if workload.pod.get(field))
    for volume in workload.pod.get("volumes", ()):
        if not volume.keys() - {"name"} <= _ALLOWED_VOLUMES:
            yield f"has the volume {volume['name']} of a forbidden kind"


def restricted_containers(workload: Workload) -> Iterator[str]:
    """What Pod Security "restricted" asks of each container."""
    for container in workload.containers:
        context = container.get("securityContext", {})
        capabilities = context.get("capabilities", {})
        if context.get("privileged") or context.get("allowPrivilegeEscalation") is not False:
            yield f"{container['name']} may gain privileges"
        if "ALL" not in capabilities.get("drop", ()) or set(capabilities.get("add", ())) - _ALLOWED_CAPABILITIES:
            yield f"{container['name']} keeps capabilities"
        if context.get("runAsUser", 1) == 0 or context.get("runAsNonRoot") is False:
            yield f"{container['name']} may run as root"
        if any("hostPort" in port for port in container.get("ports", ())):
            yield f"{container['name']} takes a port of the host"


def own_system(workload: Workload) -> Iterator[str]:
    """A pod changes nothing but its volumes, knows nobody's token, and gets no variables that we did not write."""
    if workload.pod.get("automountServiceAccountToken") is not False:
        yield "mounts a token"
    if workload.pod.get("enableServiceLinks") is not False:
        yield "gets variables of Services, such as FLOWER_PORT=tcp://..."
    for container in workload.containers:
        if container.get("securityContext", {}).get("readOnlyRootFilesystem") is not True:
            yield f"{container['name']} can write to its image"


def pinned_images(workload: Workload) -> Iterator[str]:
    """An image has a tag that says which one it is."""
    for container in workload.containers:
        tag = container["image"].rpartition("/")[2].partition(":")[2]
        if tag in ("", "latest"):
            yield f"{container['name']} has no pinned image"


def bounded_resources(workload: Workload) -> Iterator[str]:
    """CPU and memory are requested and memory is limited; what is written to emptyDir is limited too."""
    for container in workload.containers:
        resources = container.get("resources", {})
        requests, limits = resources.get("requests", {}), resources.get("limits", {})
        if "cpu" not in requests or "memory" not in requests or "memory" not in limits:
            yield f"{container['name']} does not say what it needs"
        elif mebibytes(requests["memory"]) > mebibytes(limits["memory"]):
            yield f"{container['name']} requests more memory than it may have"
    for volume in workload.pod.get("volumes", ()):
        if "emptyDir" in volume and "sizeLimit" not in volume["emptyDir"]:
            yield f"the volume {volume['name']} has no limit"


def probed(workload: Workload) -> Iterator[str]:
    """What stays has all three probes, with a time limit shorter than the time between them."""
    if workload.kind not in _RUNS_ON:
        return
    for name in _PROBES:
        probe = workload.main.get(name)
        if probe is None:
            yield f"has no {name}"
        elif name != "startupProbe" and probe.get("timeoutSeconds", 1) >= probe.get("periodSeconds", 10):
            yield f"its {name} may overlap with the next"


def secrets_by_file(workload: Workload) -> Iterator[str]:
    """No secret reaches the environment, and secret files can be read only."""
    secret = {volume["name"] for volume in workload.pod.get("volumes", ()) if "secret" in volume}
    for container in workload.containers:
        if any("secretKeyRef" in variable.get("valueFrom", {}) for variable in container.get("env", ())):
            yield f"{container['name']} takes a secret as a variable"
        if any("secretRef" in source for source in container.get("envFrom", ())):
            yield f"{container['name']} takes all of a Secret as variables"
        for mount in container.get("volumeMounts", ()):
            if mount["name"] in secret and mount.get("readOnly") is not True:
                yield f"{container['name']} could write to secrets"


def whole_mounts(workload: Workload) -> Iterator[str]:
    """Every mount has its volume, and every volume is mounted."""
    claims = workload.manifest["spec"].get("volumeClaimTemplates", ())
    volumes = {item["name"] for item in workload.pod.get("volumes", ())} | {item["metadata"]["name"] for item in claims}
    mounted = {mount["name"] for container in workload.containers for mount in container.get("volumeMounts", ())}
    yield from (f"mounts {name}, which does not exist" for name in sorted(mounted - volumes))
    yield from (f"mounts {name} nowhere" for name in sorted(volumes - mounted))


def matching_labels(workload: Workload) -> Iterator[str]:
    """Selectors of the workload and of its spreading match its own pods."""
    selectors: list[Manifest] = [item["labelSelector"] for item in workload.pod.get("topologySpreadConstraints", ())]
    if workload.kind in _RUNS_ON:
        selectors.append(workload.manifest["spec"]["selector"])
    if any(not selector["matchLabels"].items() <= workload.labels.items() for selector in selectors):
        yield "selects other pods than its own"


RULES: tuple[Rule, ...] = (
    restricted_pod,
    restricted_containers,
    own_system,
    pinned_images,
    bounded_resources,
    probed,
    secrets_by_file,
    whole_mounts,
    matching_labels,
)


def problems(workload: Workload) -> list[str]:
    """Everything that is wrong with a workload."""
    return [problem for rule in RULES for problem in rule(workload)]

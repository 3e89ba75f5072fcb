"""Every pod keeps the rules, and a pod that breaks one is noticed."""

import copy
from typing import Any

import pytest
from tests.support.kustomize import Manifest
from tests.unit.deployment.kubernetes.overlay import Overlay, Workload, constant, mebibytes
from tests.unit.deployment.kubernetes.pod_rules import problems

POD = ("spec", "template", "spec")
FIRST = (*POD, "containers", 0)
REMOVED = object()


def changed(manifest: Manifest, way: tuple[str | int, ...], value: object) -> Manifest:
    copied = copy.deepcopy(manifest)
    place: Any = copied
    for part in way[:-1]:
        place = place[part]
    if value is REMOVED:
        del place[way[-1]]
    else:
        place[way[-1]] = value
    return copied


def test_every_workload_keeps_the_rules(overlay: Overlay) -> None:
    assert {name: found for name, workload in overlay.workloads.items() if (found := problems(workload))} == {}


@pytest.mark.parametrize(
    ("way", "value", "problem"),
    [
        ((*POD, "securityContext", "runAsNonRoot"), False, "may run as root"),
        ((*POD, "securityContext", "runAsUser"), 0, "may run as root"),
        ((*POD, "securityContext", "seccompProfile"), REMOVED, "has no seccomp profile"),
        ((*POD, "hostNetwork"), True, "uses hostNetwork"),
        ((*POD, "volumes", 0), {"name": "tmp", "hostPath": {"path": "/"}}, "the volume tmp of a forbidden kind"),
        ((*FIRST, "securityContext", "allowPrivilegeEscalation"), REMOVED, "may gain privileges"),
        ((*FIRST, "securityContext", "privileged"), True, "may gain privileges"),
        ((*FIRST, "securityContext", "capabilities", "drop"), ["NET_RAW"], "keeps capabilities"),
        ((*FIRST, "securityContext", "capabilities", "add"), ["SYS_PTRACE"], "keeps capabilities"),
        ((*FIRST, "securityContext", "runAsUser"), 0, "worker may run as root"),
        ((*FIRST, "securityContext", "readOnlyRootFilesystem"), False, "can write to its image"),
        ((*FIRST, "ports", 0, "hostPort"), 9100, "takes a port of the host"),
        ((*POD, "automountServiceAccountToken"), REMOVED, "mounts a token"),
        ((*POD, "enableServiceLinks"), REMOVED, "gets variables of Services"),
        ((*FIRST, "image"), "worker", "has no pinned image"),
        ((*FIRST, "image"), "registry.example.org:5000/worker", "has no pinned image"),
        ((*FIRST, "image"), "worker:latest", "has no pinned image"),
        ((*FIRST, "resources", "limits", "memory"), REMOVED, "does not say what it needs"),
        ((*FIRST, "resources", "requests", "cpu"), REMOVED, "does not say what it needs"),
        ((*FIRST, "resources", "requests", "memory"), "100Gi", "requests more memory than it may have"),
        ((*POD, "volumes", 0), {"name": "tmp", "emptyDir": {}}, "the volume tmp has no limit"),
        ((*FIRST, "livenessProbe"), REMOVED, "has no livenessProbe"),
        ((*FIRST, "readinessProbe", "timeoutSeconds"), 120, "may overlap with the next"),
        (
            (*FIRST, "env", 0),
            {"name": "SECRET_KEY", "valueFrom": {"secretKeyRef": {"name": "mad-secrets", "key": "secret_key"}}},
            "takes a secret as a variable",
        ),
        ((*FIRST, "envFrom", 0), {"secretRef": {"name": "mad-secrets"}}, "takes all of a Secret as variables"),
        ((*FIRST, "volumeMounts", -1, "readOnly"), REMOVED, "could write to secrets"),
        ((*FIRST, "volumeMounts", 0, "name"), "nothing", "mounts nothing, which does not exist"),
        ((*POD, "topologySpreadConstraints", 0, "labelSelector", "matchLabels"), {"a": "b"}, "selects other pods"),
        (("spec", "template", "metadata", "labels"), {"a": "b"}, "selects other pods"),
    ],
)
def test_a_broken_rule_is_noticed(production: Overlay, way: tuple[str | int, ...], value: object, problem: str) -> None:
    broken = Workload(changed(production.workloads["worker"].manifest, way, value))
    assert any(problem in found for found in problems(broken)), problems(broken)


def test_a_rule_that_the_pod_of_a_cron_job_breaks_is_noticed(production: Overlay) -> None:
    manifest = production.workloads["backup"].manifest
    broken = Workload(changed(manifest, ("spec", "jobTemplate", *POD, "securityContext", "runAsNonRoot"), False))
    assert problems(broken) == ["may run as root"]


def test_the_backup_is_written_to_its_own_volume_one_at_a_time(overlay: Overlay) -> None:
    backup = overlay.workloads["backup"]
    assert backup.manifest["spec"]["concurrencyPolicy"] == "Forbid"
    assert backup.main["args"][:3] == ["mad", "backup", "/backups"]
    (volume,) = (item for item in backup.pod["volumes"] if item["name"] == "backups")
    assert volume["persistentVolumeClaim"]["claimName"] in overlay.of_kind("PersistentVolumeClaim")
    assert {"name": "backups", "mountPath": "/backups"} in backup.main["volumeMounts"]


def test_no_service_account_has_a_token_and_every_pod_has_its_own_account(overlay: Overlay) -> None:
    accounts = overlay.of_kind("ServiceAccount")
    assert all(account["automountServiceAccountToken"] is False for account in accounts.values())
    used = {name: workload.pod["serviceAccountName"] for name, workload in overlay.workloads.items()}
    assert used == {name: name for name in accounts}


def test_the_namespace_enforces_pod_security(overlay: Overlay) -> None:
    (namespace,) = overlay.of_kind("Namespace").values()
    levels = {key.rpartition("/")[2]: value for key, value in namespace["metadata"]["labels"].items()}
    assert levels == dict.fromkeys(("enforce", "audit", "warn"), "restricted")
    others = [item for item in overlay.objects if item is not namespace]
    assert {item["metadata"]["namespace"] for item in others} == {namespace["metadata"]["name"]}


def test_probes_of_the_api_mean_what_they_say(overlay: Overlay) -> None:
    api = overlay.workloads["api"].main
    assert {api[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe")} == {"/health"}
    assert api["readinessProbe"]["httpGet"]["path"] == "/ready"
    assert api["readinessProbe"]["timeoutSeconds"] > constant("infrastructure/readiness.py", "_CHECK_TIMEOUT_S")


def test_a_worker_is_not_restarted_for_an_outage_of_others(overlay: Overlay) -> None:
    worker = overlay.workloads["worker"].main
    commands = {name: worker[f"{name}Probe"]["exec"]["command"] for name in ("startup", "readiness", "liveness")}
    assert commands["startup"] == commands["readiness"] == ["mad", "check-worker"]
    assert commands["liveness"] == ["mad", "check-worker", "--forgive-outages"]


def test_workers_start_behind_the_migration(overlay: Overlay) -> None:
    (wait,) = overlay.workloads["worker"].pod["initContainers"]
    assert wait["args"] == ["sh", "-c", "until mad migrate --check; do sleep 5; done"]
    assert overlay.workloads["migrate"].main["args"] == ["alembic", "upgrade", "head"]


def test_a_worker_has_time_to_hand_its_tasks_back(overlay: Overlay) -> None:
    drain_s = float(overlay.settings["MAD_DRAIN_GRACE_S"])
    goodbye_s = constant("infrastructure/worker.py", "_GOODBYE_S")
    assert overlay.workloads["worker"].pod["terminationGracePeriodSeconds"] >= drain_s + goodbye_s + 30


def test_the_api_has_time_to_finish_what_it_answers(overlay: Overlay) -> None:
    api = overlay.workloads["api"]
    waits_s = api.main["lifecycle"]["preStop"]["sleep"]["seconds"]
    graceful_s = constant("presentation/api/gunicorn_conf.py", "graceful_timeout")
    assert api.pod["terminationGracePeriodSeconds"] >= waits_s + graceful_s + 5


def test_engines_reach_their_own_limit_before_that_of_the_pod(overlay: Overlay) -> None:
    engines = float(overlay.settings["CELERY_WORKER_CONCURRENCY"])
    engine_mib = mebibytes(overlay.settings["MAD_ENGINE_MEMORY_BYTES"].removesuffix("B"))
    limit = overlay.workloads["worker"].main["resources"]["limits"]["memory"]
    assert mebibytes(limit) >= engines * engine_mib + 512


def test_a_slot_has_a_core_in_production(production: Overlay) -> None:
    requests = production.workloads["worker"].main["resources"]["requests"]
    assert requests["cpu"] == production.settings["CELERY_WORKER_CONCURRENCY"]


def test_an_update_never_leaves_too_few(overlay: Overlay) -> None:
    strategies = {
        name: workload.manifest["spec"].get("strategy", {}).get("rollingUpdate")
        for name, workload in overlay.workloads.items()
    }
    assert strategies["api"] == {"maxSurge": 1, "maxUnavailable": 0}
    # Of one worker 25 % round down to none that may be missing, and up to one that may be added.
    assert strategies["worker"] == {"maxSurge": "25%", "maxUnavailable": "25%"}

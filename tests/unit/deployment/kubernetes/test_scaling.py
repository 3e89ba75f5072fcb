"""Autoscalers find their targets, and ask for metrics that the API really has."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from tests.support.kustomize import Manifest
from tests.unit.deployment.kubernetes.overlay import Overlay

from molecular_analysis_dashboard.ports.unit_of_work import Database
from molecular_analysis_dashboard.presentation.api.metrics import LedgerCollector

# About a minute of CPU each (MAD_TASK_TARGET_S).
WAITING_TASKS_PER_SLOT = 4
WORDS = frozenset({"sum", "max", "by", "queue", "and", "on", "or", "vector", "namespace", "mad"})


class Ledger:
    """A ledger in which one task waits and one runs."""

    workers: "Ledger"
    dispatch: "Ledger"
    control: "Ledger"

    def __init__(self) -> None:
        self.workers = self.dispatch = self.control = self

    @contextmanager
    def begin(self, scope: object) -> Iterator["Ledger"]:
        del scope
        yield self

    def queue_depths(self) -> dict[str, int]:
        return {"prepare": 1}

    def slots(self) -> dict[str, int]:
        return {"prepare": 2}

    def running_tasks(self) -> dict[str, int]:
        return {"prepare": 1}

    def jobs_by_state(self) -> dict[str, int]:
        return {"running": 1}


@pytest.fixture
def metrics() -> dict[str, set[str]]:
    """Labels of every gauge of the ledger, by the gauge's name, out of the real text."""
    registry = CollectorRegistry()
    registry.register(LedgerCollector(cast(Database, Ledger())))
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {sample.name: set(sample.labels) for family in families for sample in family.samples}


def triggers(overlay: Overlay) -> dict[str, Manifest]:
    (scaled,) = overlay.of_kind("ScaledObject").values()
    return {trigger["name"]: trigger["metadata"] for trigger in scaled["spec"]["triggers"]}


def test_targets_exist_and_leave_their_number_to_the_autoscaler(production: Overlay) -> None:
    for kind, target in (("HorizontalPodAutoscaler", "api"), ("ScaledObject", "worker")):
        (scaler,) = production.of_kind(kind).values()
        assert scaler["spec"]["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": target}
        assert "replicas" not in production.workloads[target].manifest["spec"]


def test_there_is_always_a_worker_and_a_spare_api(production: Overlay) -> None:
    (workers,) = production.of_kind("ScaledObject").values()
    (api,) = production.of_kind("HorizontalPodAutoscaler").values()
    assert 1 <= workers["spec"]["minReplicaCount"] < workers["spec"]["maxReplicaCount"]
    assert "idleReplicaCount" not in workers["spec"]
    assert 2 <= api["spec"]["minReplicas"] < api["spec"]["maxReplicas"]


def test_queries_ask_for_metrics_that_exist(production: Overlay, metrics: dict[str, set[str]]) -> None:
    for name, trigger in triggers(production).items():
        asked = set(re.findall(r"\bmad_\w+", trigger["query"]))
        assert asked <= metrics.keys(), name
        assert "mad_ledger_up" in asked, name
        by_queue = re.findall(r"by \(queue\) \((\w+)", trigger["query"])
        assert by_queue, name
        assert all("queue" in metrics[metric] for metric in by_queue), name
        assert set(re.findall(r"\b[a-z]+\b", trigger["query"])) <= WORDS, name
    assert "mad_queue_depth" in triggers(production)["waiting"]["query"]


def test_a_metric_that_is_gone_would_be_noticed(metrics: dict[str, set[str]]) -> None:
    assert "mad_queue_length" not in metrics
    assert metrics["mad_queue_depth"] == {"queue"}
    assert metrics["mad_ledger_up"] == set()


def test_queries_count_this_installation_only(production: Overlay) -> None:
    (namespace,) = production.of_kind("Namespace")
    for trigger in triggers(production).values():
        named = re.findall(r'mad_\w+(\{namespace="[^"]*"\})?', trigger["query"])
        assert set(named) == {f'{{namespace="{namespace}"}}'}


def test_an_unreadable_ledger_scales_nothing(production: Overlay) -> None:
    for trigger in triggers(production).values():
        assert trigger["ignoreNullValues"] == "false"
        assert trigger["query"].endswith("== 1")


def test_thresholds_follow_the_slots_of_a_worker(production: Overlay) -> None:
    slots = int(production.settings["CELERY_WORKER_CONCURRENCY"])
    thresholds = {name: int(trigger["threshold"]) for name, trigger in triggers(production).items()}
    assert thresholds == {"waiting": WAITING_TASKS_PER_SLOT * slots, "running": slots}


def test_the_local_overlay_needs_no_autoscaler(local: Overlay) -> None:
    assert local.of_kind("ScaledObject") == local.of_kind("HorizontalPodAutoscaler") == {}

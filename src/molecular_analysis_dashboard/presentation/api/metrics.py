"""What Prometheus reads: HTTP from this process and its siblings, the ledger from PostgreSQL."""

import os
from collections.abc import Iterator, Mapping

from prometheus_client import REGISTRY, CollectorRegistry, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from starlette.types import Scope

from molecular_analysis_dashboard.domain.errors import ResourceLost
from molecular_analysis_dashboard.domain.identity import SystemScope
from molecular_analysis_dashboard.domain.jobs import JobState
from molecular_analysis_dashboard.ports.unit_of_work import Database

# prometheus_client reads it when it is first imported; gunicorn's set-up sets it before that.
MULTIPROC_DIR = "PROMETHEUS_MULTIPROC_DIR"

REQUEST_SECONDS = Histogram(
    "mad_http_request_seconds",
    "Time to the first byte of an answer.",
    ["method", "route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)
REQUESTS_IN_PROGRESS = Gauge(
    "mad_http_requests_in_progress",
    "Requests that are being answered, streams among them.",
    multiprocess_mode="livesum",
)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def observe_request(scope: Scope, status: int, seconds: float) -> None:
    """Count a request under its route's template: labels never carry ids or what clients made up."""
    route = getattr(scope.get("route"), "path", None) or "unmatched"
    method = scope["method"] if scope["method"] in _METHODS else "other"
    REQUEST_SECONDS.labels(method, route, str(status)).observe(seconds)


class LedgerCollector(Collector):
    """Gauges read from PostgreSQL when they are asked for; `mad_ledger_up` says whether that worked."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the gauges."""
        up = GaugeMetricFamily("mad_ledger_up", "Whether the ledger could be read for this answer.")
        try:
            with self._database.begin(SystemScope()) as uow:
                depths, slots = uow.dispatch.queue_depths(), uow.workers.slots()
                running, jobs = uow.dispatch.running_tasks(), uow.control.jobs_by_state()
        except ResourceLost:
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        # Nothing is 0 and not silence: who scales or alerts by these could not tell it from an API that is gone.
        queues, states = dict.fromkeys((*slots, *depths, *running), 0), dict.fromkeys(JobState, 0)
        waiting = "Tasks that wait for a slot, by queue; not those of paused jobs."
        yield _gauge("mad_queue_depth", waiting, "queue", queues | depths)
        yield _gauge("mad_tasks_running", "Tasks that run, by queue.", "queue", queues | running)
        yield _gauge("mad_slots", "Slots of live workers, by queue.", "queue", queues | slots)
        yield _gauge("mad_jobs", "Jobs that have not been deleted, by state.", "state", states | jobs)


def _gauge(name: str, documentation: str, label: str, values: Mapping[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, documentation, labels=[label])
    for key, value in sorted(values.items()):
        family.add_metric([key], value)
    return family


def render_metrics(database: Database) -> bytes:
    """Return everything in Prometheus' text format, over all processes of this server."""
    http = REGISTRY
    if os.environ.get(MULTIPROC_DIR):
        http = CollectorRegistry()
        MultiProcessCollector(http)  # type: ignore[no-untyped-call]
    ledger = CollectorRegistry()
    ledger.register(LedgerCollector(database))
    return generate_latest(http) + generate_latest(ledger)

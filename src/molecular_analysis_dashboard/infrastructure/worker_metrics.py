"""The `/metrics` of a worker: a folder that its processes share, and the companion that serves what lies there."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry, Metric, start_http_server, values
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from molecular_analysis_dashboard.adapters.telemetry.prometheus import PrometheusCounters
from molecular_analysis_dashboard.infrastructure.settings import Settings
from molecular_analysis_dashboard.ports.telemetry import Counters

log = structlog.get_logger(__name__)

# prometheus_client writes its files where this says.
_FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_LIVE_GAUGES = "gauge_live*.db"


def make_folder(settings: Settings) -> None:
    """Give a worker that is about to fork an empty folder for its metrics, if it shall serve any."""
    if settings.telemetry.worker_metrics_port:
        os.environ[_FOLDER_VARIABLE] = tempfile.mkdtemp(prefix="mad-worker-metrics-")


def remove_folder(settings: Settings) -> None:
    """Remove it when the worker has ended."""
    if settings.telemetry.worker_metrics_port:
        shutil.rmtree(os.environ[_FOLDER_VARIABLE], ignore_errors=True)


def build_counters(settings: Settings) -> Counters:
    """Return the counters of this process."""
    if not settings.telemetry.worker_metrics_port:
        return Counters()
    # Chosen when the library is imported, which Celery's command line does (for Flower) before there is a folder.
    values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call]
    return PrometheusCounters()


def serve(settings: Settings) -> None:
    """Serve `/metrics` from a thread of the companion; a worker whose port is taken goes on without."""
    telemetry = settings.telemetry
    if not telemetry.worker_metrics_port:
        return
    registry = CollectorRegistry()
    registry.register(WorkerCollector(Path(os.environ[_FOLDER_VARIABLE])))
    host, port = telemetry.worker_metrics_host, telemetry.worker_metrics_port
    try:
        start_http_server(port, addr=host, registry=registry)
    except OSError as error:
        log.error("metrics.not_served", host=host, port=port, reason=str(error))


class WorkerCollector(Collector):
    """Adds up what the processes of a worker have written to a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = MultiProcessCollector(None, path=str(folder))  # type: ignore[no-untyped-call]

    def collect(self) -> Iterable[Metric]:
        """Yield the sums; gauges of processes that have ended are taken out first."""
        for pid in {int(file.stem.rpartition("_")[2]) for file in self._folder.glob(_LIVE_GAUGES)}:
            if not Path("/proc", str(pid)).exists():
                # Another request may have been faster.
                with contextlib.suppress(FileNotFoundError):
                    mark_process_dead(pid, str(self._folder))  # type: ignore[no-untyped-call]
        found: Iterable[Metric] = self._files.collect()  # type: ignore[no-untyped-call]
        return found

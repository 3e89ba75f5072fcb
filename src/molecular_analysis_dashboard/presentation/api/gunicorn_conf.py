"""Gunicorn's set-up: ``gunicorn -c python:molecular_analysis_dashboard.presentation.api.gunicorn_conf ...main:app``.

Gunicorn reads the names of this module. `GUNICORN_CMD_ARGS` and the command line win over them.
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Protocol

from molecular_analysis_dashboard.infrastructure.logging import configure_logging, log_uncaught_errors, logging_config
from molecular_analysis_dashboard.infrastructure.refusal import refusal_in_one_line
from molecular_analysis_dashboard.infrastructure.settings import check_bind, load_settings

_METRICS_DIR = "PROMETHEUS_MULTIPROC_DIR"
_OWN_PREFIX = "mad-metrics-"

with refusal_in_one_line():
    _settings = load_settings()
    check_bind(_settings)

_host = f"[{_settings.runtime.host}]" if ":" in _settings.runtime.host else _settings.runtime.host
bind = [f"{_host}:{_settings.runtime.port}"]
workers = _settings.runtime.web_workers
worker_class = "uvicorn_worker.UvicornWorker"
threads = 1
keepalive = 30
timeout = 120
# Live streams end at once on SIGTERM; what remains are requests and downloads.
graceful_timeout = 30
accesslog = "-"
errorlog = "-"
loglevel = _settings.runtime.log_level
logconfig_dict = logging_config(_settings.runtime.log_level, json=True, stream="stdout")
# Heartbeat files belong in memory: on a slow disk a busy worker would look dead.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None
# Signals steer this server; a socket in the home folder would be one more way in.
control_socket_disable = True


class Log(Protocol):
    """What is used of gunicorn's logger."""

    def warning(self, message: str, *arguments: object) -> None:
        """Log a warning."""


class Server(Protocol):
    """What is used of gunicorn's arbiter."""

    log: Log


class Worker(Protocol):
    """What is used of gunicorn's worker."""

    pid: int


def on_starting(server: object) -> None:
    """Give the workers of this server an empty folder for their metrics, before any of them imports the client."""
    del server
    folder = os.environ.get(_METRICS_DIR)
    if folder is None:
        os.environ[_METRICS_DIR] = tempfile.mkdtemp(prefix=_OWN_PREFIX)
        return
    Path(folder).mkdir(parents=True, exist_ok=True)
    for leftover in Path(folder).glob("*.db"):
        leftover.unlink(missing_ok=True)


def post_fork(server: Server, worker: Worker) -> None:
    """Let our own log lines take the same form as gunicorn's."""
    del server, worker
    configure_logging(loglevel, json=True, stream="stdout")
    log_uncaught_errors()


def child_exit(server: Server, worker: Worker) -> None:
    """Take the gauges of a worker that ended out of the sum; its counters stay."""
    from prometheus_client import multiprocess

    try:
        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
    except OSError as error:
        # The master must live on whatever has become of a folder of numbers.
        server.log.warning("metrics of worker %s could not be taken out: %s", worker.pid, error)


def on_exit(server: object) -> None:
    """Remove the folder of metrics if this server has made it."""
    del server
    folder = Path(os.environ[_METRICS_DIR])
    if folder.name.startswith(_OWN_PREFIX):
        shutil.rmtree(folder, ignore_errors=True)

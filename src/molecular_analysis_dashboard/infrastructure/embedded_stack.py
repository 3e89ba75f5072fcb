"""What `mad up` runs: the embedded servers, then migrations, the API and one worker, under the supervisor."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg
from psycopg import pq

from molecular_analysis_dashboard.domain.errors import Conflict
from molecular_analysis_dashboard.infrastructure.embedded.errors import unusable
from molecular_analysis_dashboard.infrastructure.embedded.paths import DataLayout
from molecular_analysis_dashboard.infrastructure.embedded.servers import EmbeddedAddresses, EmbeddedServers
from molecular_analysis_dashboard.infrastructure.embedded.supervisor import (
    ManagedProcess,
    StackState,
    Supervisor,
)
from molecular_analysis_dashboard.infrastructure.migrations import migrate
from molecular_analysis_dashboard.infrastructure.settings import Settings, all_variables, load_settings
from molecular_analysis_dashboard.infrastructure.tcp_ports import HOST, is_free

__all__ = ["StackOptions", "check_settings", "embedded_stack", "stack_environment", "usable_cores"]

_API = "molecular_analysis_dashboard.presentation.api.main:app"
_GUNICORN_SETTINGS = "python:molecular_analysis_dashboard.presentation.api.gunicorn_conf"
_CELERY = "molecular_analysis_dashboard.infrastructure.celery_app"
_MOST_API_PROCESSES = 2
# A slot may finish its ligand within MAD_DRAIN_GRACE_S; then it writes, and Celery takes its leave.
_WORKER_LEAVES_AFTER_S = 10.0
_ASK_TIMEOUT_S = 2.0
# Groups of settings that the embedded stack decides itself, whatever the shell says.
_OWN_GROUPS = frozenset({"database", "queue", "storage"})
# Gunicorn's own variable would win over our bind.
_OWN_NAMES = frozenset({"ENV", "HOST", "PORT", "GUNICORN_CMD_ARGS"})


@dataclass(frozen=True)
class StackOptions:
    """One embedded stack.

    Parameters
    ----------
    data_dir : Path
        Absolute.
    port : int
        Port of the API on 127.0.0.1.
    slots : int
        Docking slots, one engine process each.
    """

    data_dir: Path
    port: int
    slots: int

    @property
    def url(self) -> str:
        """Where the API answers."""
        return f"http://{HOST}:{self.port}"


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def embedded_stack(
    options: StackOptions,
    environ: Mapping[str, str],
    *,
    on_servers: Callable[[], None] = lambda: None,
    on_ready: Callable[[StackState], None] = lambda _state: None,
    on_stop: Callable[[float], None] = lambda _grace_s: None,
    on_trouble: Callable[[str], None] = lambda _sentence: None,
) -> Supervisor:
    """Put the stack together; `run` of what is returned starts it.

    The process changes into the data folder, so that no file of the present folder is imported or held.

    Parameters
    ----------
    environ : Mapping[str, str]
        Settings for the processes; addresses, folders and the bind are the stack's own.
    on_servers : callable
        Called once PostgreSQL and Redis answer, before the migrations.
    on_ready : callable
        Called once everything is healthy.
    on_stop : callable
        Called when the stack begins to stop, with the seconds that ligands in work may still take.
    on_trouble : callable
        Told in a sentence of each process that ended and is started again.

    Raises
    ------
    Misconfigured
        When a setting is refused or the data folder cannot be used.
    """
    grace_s = check_settings(options, environ).ledger.drain_grace_s
    layout = DataLayout(options.data_dir)
    try:
        layout.create()
        os.chdir(layout.root)
    except OSError as error:
        raise unusable(layout.root, error) from error

    def plan(addresses: EmbeddedAddresses) -> Sequence[ManagedProcess]:
        on_servers()
        environment = stack_environment(options, addresses, environ)
        settings = load_settings(environment)
        migrate(settings)
        if not is_free(options.port):
            raise Conflict(
                f"Port {options.port} was taken meanwhile. Choose another one with --port.",
                code="port_taken",
                port=options.port,
            )
        return (_api(options, settings, environment), _worker(options, settings, environment))

    return Supervisor(
        EmbeddedServers(options.data_dir),
        plan,
        url=options.url,
        ports={"api": options.port},
        on_ready=on_ready,
        on_stop=lambda: on_stop(grace_s),
        on_trouble=on_trouble,
    )


def check_settings(options: StackOptions, environ: Mapping[str, str]) -> Settings:
    """Read the settings before anything is made or started; the addresses are known only later.

    Raises
    ------
    Misconfigured
        When a setting is refused.
    """
    return load_settings(stack_environment(options, None, environ))


def stack_environment(
    options: StackOptions, addresses: EmbeddedAddresses | None, environ: Mapping[str, str]
) -> dict[str, str]:
    """The environment of the stack's processes: the given one, with the stack's own addresses, folders and bind."""
    libpq = {option.envvar.decode() for option in pq.Conninfo.get_defaults() if option.envvar}
    own = {variable.name for variable in all_variables() if variable.group in _OWN_GROUPS} | _OWN_NAMES
    dropped = own | {f"{name}_FILE" for name in own} | libpq
    kept = {name: value for name, value in environ.items() if name not in dropped}
    storage = options.data_dir / "files"
    environment = {
        "WEB_CONCURRENCY": str(min(_MOST_API_PROCESSES, usable_cores())),
        "MAD_ENGINE_BUILDS_DIR": str(DataLayout(options.data_dir).engines),
        **kept,
        "ENV": "development",
        "HOST": HOST,
        "PORT": str(options.port),
        "UPLOADS_DIR": str(storage / "uploads"),
        "RESULTS_DIR": str(storage / "results"),
        "CELERY_WORKER_CONCURRENCY": str(options.slots),
        "PYTHONUNBUFFERED": "1",
    }
    if addresses:
        environment |= {
            "DATABASE_URL": addresses.database_url,
            "REDIS_URL": addresses.redis_url,
            "CELERY_BROKER_URL": addresses.celery_broker_url,
        }
    if kept.get("PYTHONPATH"):
        # The processes work in the data folder, where a relative entry would mean another place.
        parts = kept["PYTHONPATH"].split(os.pathsep)
        environment["PYTHONPATH"] = os.pathsep.join(os.path.abspath(part) for part in parts)  # noqa: PTH100
    return environment


def _api(options: StackOptions, settings: Settings, environment: Mapping[str, str]) -> ManagedProcess:
    command = [sys.executable, "-P", "-m", "gunicorn", "--config", _GUNICORN_SETTINGS, _API]
    token = settings.auth.static_token
    headers = {"Authorization": f"Bearer {token.get_secret_value()}"} if token else {}

    def ready() -> bool:
        try:
            return httpx.get(f"{options.url}/ready", headers=headers, timeout=_ASK_TIMEOUT_S).is_success
        except httpx.TransportError:
            return False

    return ManagedProcess(name="api", command=command, environment=environment, stop_timeout_s=15.0, health_check=ready)


def _worker(options: StackOptions, settings: Settings, environment: Mapping[str, str]) -> ManagedProcess:
    command = [sys.executable, "-P", "-m", "celery", "--app", _CELERY, "worker"]
    command += ["--loglevel", settings.runtime.log_level, "--concurrency", str(options.slots)]
    since = datetime.now(UTC)

    def registered() -> bool:
        query = "SELECT EXISTS (SELECT FROM workers WHERE started_at >= %s AND ended_at IS NULL)"
        try:
            with psycopg.connect(settings.database.conninfo, connect_timeout=int(_ASK_TIMEOUT_S)) as connection:
                row = connection.execute(query, (since,)).fetchone()
        except psycopg.OperationalError:
            return False
        return bool(row and row[0])

    return ManagedProcess(
        name="worker",
        command=command,
        environment=environment,
        stop_timeout_s=settings.ledger.drain_grace_s + _WORKER_LEAVES_AFTER_S,
        health_check=registered,
    )

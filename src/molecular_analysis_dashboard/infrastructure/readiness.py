"""Whether this process could serve a request: what `/ready` asks."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass

import structlog
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from molecular_analysis_dashboard.domain.errors import MadError
from molecular_analysis_dashboard.infrastructure.migrations import schema_status
from molecular_analysis_dashboard.infrastructure.settings import Settings
from molecular_analysis_dashboard.ports.blobs import BlobStore

log = structlog.get_logger(__name__)

_CONNECT_TIMEOUT_S = 2
# Longer than any single step, shorter than the probes of Compose and Kubernetes.
_CHECK_TIMEOUT_S = 4.0
_THREADS_PER_CHECK = 4


class CheckFailed(Exception):
    """A check's sentence on what is wrong; addresses and reasons go to the log only."""


@dataclass(frozen=True)
class CheckResult:
    """Outcome of one check."""

    name: str
    ok: bool
    message: str = "ok"


class Readiness:
    """Runs all checks side by side, each within a time limit.

    Each check has threads of its own: one that hangs, as storage on a dead server can, keeps its thread, and asked
    too often fails for want of one, but never makes another check fail.
    """

    def __init__(self, checks: Mapping[str, Callable[[], None]]) -> None:
        self._checks = {
            name: (check, ThreadPoolExecutor(_THREADS_PER_CHECK, thread_name_prefix=f"ready-{name}"))
            for name, check in checks.items()
        }
        self._told: dict[str, str] = {}

    def __call__(self) -> list[CheckResult]:
        """Return the outcome of every check, in a stable order."""
        running = {name: threads.submit(check) for name, (check, threads) in self._checks.items()}
        return [self._outcome(name, future) for name, future in running.items()]

    def close(self) -> None:
        """Let go of the threads."""
        for _, threads in self._checks.values():
            threads.shutdown(wait=False, cancel_futures=True)

    def _outcome(self, name: str, future: "Future[None]") -> CheckResult:
        try:
            future.result(timeout=_CHECK_TIMEOUT_S)
        except FutureTimeoutError:
            return self._failed(name, f"No answer within {_CHECK_TIMEOUT_S:g} s.", "timeout")
        except CheckFailed as error:
            return self._failed(name, str(error), str(error.__cause__ or error))
        except (SQLAlchemyError, RedisError, MadError, OSError) as error:
            return self._failed(name, "Out of reach.", str(getattr(error, "orig", error)))
        except Exception as error:
            # A defect of ours, and still an answer: who asks whether this server is ready needs no error 500.
            if name not in self._told:
                log.exception("ready.defect", check=name)
            return self._failed(name, "The check itself failed; the server's log says how.", repr(error))
        if self._told.pop(name, None) is not None:
            log.info("ready.passes", check=name)
        return CheckResult(name, True)

    def _failed(self, name: str, message: str, reason: str) -> CheckResult:
        """Tell each trouble once, however often somebody asks."""
        if self._told.get(name) != reason:
            log.warning("ready.failed", check=name, message=message, reason=reason)
        self._told[name] = reason
        return CheckResult(name, False, message)


def readiness_checks(settings: Settings, uploads: BlobStore, results: BlobStore) -> dict[str, Callable[[], None]]:
    """Return the checks of an API process; each raises when it fails."""
    arguments = {**settings.database.connect_args, "connect_timeout": _CONNECT_TIMEOUT_S}
    engine = create_engine(settings.database.sqlalchemy_url, connect_args=arguments, poolclass=NullPool)
    return {
        "database": lambda: _database_answers(engine),
        "migrations": lambda: _migrations_at_head(engine),
        "broker": lambda: _broker_answers(settings.queue.redis_url),
        "storage": lambda: _storage_writable(uploads, results),
    }


def _database_answers(engine: Engine) -> None:
    with engine.connect() as connection:
        if connection.execute(text("SHOW transaction_read_only")).scalar_one() == "on":
            raise CheckFailed("The database is read-only, perhaps a standby.")


def _migrations_at_head(engine: Engine) -> None:
    with engine.connect() as connection:
        status = schema_status(connection)
    if not status.usable:
        raise CheckFailed(status.sentence)


def _broker_answers(url: str) -> None:
    # A connection of its own: closing a client closes it for every thread that shares it.
    with Redis.from_url(url, socket_connect_timeout=_CONNECT_TIMEOUT_S, socket_timeout=_CONNECT_TIMEOUT_S) as redis:
        redis.ping()


def _storage_writable(uploads: BlobStore, results: BlobStore) -> None:
    for name, store in (("uploads", uploads), ("results", results)):
        try:
            store.check_writable()
        except MadError as error:
            state = "is full" if error.error_code == "storage_full" else "cannot be written to"
            raise CheckFailed(f"The store of {name} {state}.") from error

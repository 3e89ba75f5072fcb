"""The composition root of the request side: the one place that knows which adapter stands behind which port.

Workers are put together in `infrastructure/worker.py`, which the API never imports: it has no engines to import.
"""

from collections.abc import Callable
from dataclasses import dataclass

from redis import Redis

from molecular_analysis_dashboard.adapters.chemistry.request_chemistry import GemmiRdkitChemistry
from molecular_analysis_dashboard.adapters.persistence.unit_of_work import SqlDatabase
from molecular_analysis_dashboard.adapters.queue.wake import RedisWake
from molecular_analysis_dashboard.domain.identity import Principal
from molecular_analysis_dashboard.infrastructure.blobs import build_blobs
from molecular_analysis_dashboard.infrastructure.readiness import CheckResult, Readiness, readiness_checks
from molecular_analysis_dashboard.infrastructure.settings import Settings
from molecular_analysis_dashboard.infrastructure.tracing import start_tracing
from molecular_analysis_dashboard.infrastructure.version import package_version
from molecular_analysis_dashboard.ports.blobs import BlobStore
from molecular_analysis_dashboard.ports.chemistry import RequestChemistry
from molecular_analysis_dashboard.ports.queue import Wake
from molecular_analysis_dashboard.ports.telemetry import Tracing
from molecular_analysis_dashboard.ports.unit_of_work import Database
from molecular_analysis_dashboard.use_cases.sign_in import SignIn

_POOL_SIZE = 8
_REDIS_TIMEOUT_S = 2


@dataclass(frozen=True)
class ApiServices:
    """Everything that endpoints use."""

    settings: Settings
    version: str
    database: Database
    uploads: BlobStore
    results: BlobStore
    chemistry: RequestChemistry
    wake: Wake
    sign_in: Callable[[str | None], Principal]
    readiness: Callable[[], list[CheckResult]]
    tracing: Tracing
    close: Callable[[], None]

    @property
    def max_structure_upload_bytes(self) -> int:
        """Largest structure file as it is sent, in bytes; compressed or not, it may not be larger than unpacked."""
        return min(self.settings.limits.max_upload_bytes, self.settings.limits.max_structure_bytes)


def build_database(settings: Settings, *, pool_size: int = _POOL_SIZE) -> SqlDatabase:
    """Return the database of a process; to be called after any fork."""
    return SqlDatabase(settings.database.sqlalchemy_url, settings.database.connect_args, pool_size=pool_size)


def build_api_services(settings: Settings) -> ApiServices:
    """Put an API process together; nothing is connected to yet, so it starts while its servers are still starting."""
    tracing = start_tracing(settings, "mad-api")
    database = build_database(settings)
    blobs = build_blobs(settings)
    token = settings.auth.static_token
    redis = Redis.from_url(
        settings.queue.redis_url, socket_connect_timeout=_REDIS_TIMEOUT_S, socket_timeout=_REDIS_TIMEOUT_S
    )
    readiness = Readiness(readiness_checks(settings, blobs.uploads, blobs.results))

    def close() -> None:
        readiness.close()
        redis.close()
        database.close()
        tracing.close()

    return ApiServices(
        settings=settings,
        version=package_version(),
        database=database,
        uploads=blobs.uploads,
        results=blobs.results,
        chemistry=GemmiRdkitChemistry(max_structure_bytes=settings.limits.max_structure_bytes),
        wake=RedisWake(redis),
        sign_in=SignIn(database, token.get_secret_value() if token else None),
        readiness=readiness,
        tracing=tracing,
        close=close,
    )

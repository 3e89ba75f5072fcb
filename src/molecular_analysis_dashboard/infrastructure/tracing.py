"""Traces, where a collector is named; else nothing of OpenTelemetry's SDK is even imported."""

from molecular_analysis_dashboard.infrastructure.settings import Settings
from molecular_analysis_dashboard.infrastructure.version import package_version
from molecular_analysis_dashboard.ports.telemetry import Tracing


def start_tracing(settings: Settings, process: str, *, takes_celery_tasks: bool = False) -> Tracing:
    """Begin to trace this process; to be called once, after any fork and before a database connection is made.

    Parameters
    ----------
    process : str
        Its name in traces, unless the settings name one for all processes.
    takes_celery_tasks : bool
        Whether tasks of Celery run in this process.
    """
    if settings.telemetry.otlp_endpoint is None:
        return Tracing()
    from molecular_analysis_dashboard.adapters.telemetry.opentelemetry_sdk import OpenTelemetryTracing

    name = settings.telemetry.service_name or process
    return OpenTelemetryTracing(name, package_version(), takes_celery_tasks=takes_celery_tasks)

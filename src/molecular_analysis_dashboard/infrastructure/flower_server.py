"""Flower, the queue's monitor, started with our settings, our log lines, and always behind a password."""

from importlib.util import find_spec

from molecular_analysis_dashboard.domain.errors import Misconfigured
from molecular_analysis_dashboard.infrastructure.celery_settings import configured_celery
from molecular_analysis_dashboard.infrastructure.logging import configure_logging, log_uncaught_errors
from molecular_analysis_dashboard.infrastructure.settings import Settings


def serve_flower(settings: Settings) -> None:
    """Run Flower until SIGTERM.

    It runs in this process, so that the broker's address and the password stand in no list of processes.

    Raises
    ------
    Misconfigured
        If there is no password, or Flower is not installed.
    """
    if settings.flower.basic_auth is None:
        raise Misconfigured(
            "FLOWER_BASIC_AUTH (or FLOWER_BASIC_AUTH_FILE) is not set. Flower can stop workers, so it starts only "
            "behind a password: set user:password.",
            code="flower_password_required",
        )
    if find_spec("flower") is None:
        raise Misconfigured(
            "Flower is not installed. Install the extra worker: pip install 'molecular-analysis-dashboard[worker]'",
            code="flower_missing",
        )
    configure_logging(settings.runtime.log_level, json=True, stream="stdout")
    log_uncaught_errors()
    configured_celery(settings).start(flower_arguments(settings))


def flower_arguments(settings: Settings) -> list[str]:
    """Return the arguments of ``celery``: Flower takes the broker only before the subcommand's name."""
    password = settings.flower.basic_auth
    return [
        "--quiet",
        f"--broker={settings.queue.broker_url}",
        "flower",
        f"--port={settings.flower.port}",
        f"--basic-auth={password.get_secret_value() if password else ''}",
        "--logging=none",
    ]

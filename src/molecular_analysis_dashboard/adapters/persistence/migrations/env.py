"""Alembic's entry: migrates the database of the settings, or of a connection handed in by the caller."""

import sys

import structlog
from alembic import context
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError

from molecular_analysis_dashboard.adapters.persistence.migrations import MIGRATION_LOCK
from molecular_analysis_dashboard.adapters.persistence.migrations.releases import (
    COMMENT,
    comment,
    served_in,
    served_revisions,
)
from molecular_analysis_dashboard.adapters.persistence.tables import metadata
from molecular_analysis_dashboard.domain.errors import Misconfigured
from molecular_analysis_dashboard.infrastructure.logging import configure_logging, log_uncaught_errors
from molecular_analysis_dashboard.infrastructure.settings import Settings, load_settings

log = structlog.get_logger("alembic.env")

# Exit statuses: of the command line for an installation that is not in order, and of Alembic's own errors.
_NOT_IN_ORDER, _FAILED = 9, 255


def _migrate(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=False)
    with context.begin_transaction():
        connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
        connection.exec_driver_sql("SET LOCAL lock_timeout = '30s'")
        if _is_newer(connection):
            log.info("schema.newer", message="The database serves this release still. There is nothing to do.")
            return
        context.run_migrations()
        _say_what_is_served(connection)


def _is_newer(connection: Connection) -> bool:
    """Whether a newer release has migrated the database; refused, in better words than Alembic's, if we are too old."""
    scripts = ScriptDirectory.from_config(context.config)
    known = {script.revision for script in scripts.walk_revisions()}
    unknown = set(context.get_context().get_current_heads()) - known
    if unknown and scripts.get_current_head() not in served_in(connection.execute(text(COMMENT)).scalar_one()):
        raise CommandError(
            f"The database is at {', '.join(unknown)}, which this release does not know. Upgrade the program."
        )
    return bool(unknown)


def _say_what_is_served(connection: Connection) -> None:
    revision = context.get_context().get_current_revision()
    if revision is not None:
        served = comment(served_revisions(ScriptDirectory.from_config(context.config), revision))
        connection.exec_driver_sql(f"COMMENT ON TABLE alembic_version IS '{served}'")


def _migrate_alone() -> None:
    """Called by ``alembic`` itself: one line of log for whatever is wrong, which a terminal gets in a readable form."""
    as_json = not sys.stderr.isatty()
    configure_logging("info", json=as_json)
    log_uncaught_errors()
    try:
        settings = load_settings()
        configure_logging(settings.runtime.log_level, json=as_json)
        for doubt in settings.warnings:
            log.warning("settings.doubtful", message=doubt)
        _migrate_database_of(settings)
    except Misconfigured as error:
        log.critical("start.refused", code=error.error_code, message=" ".join(error.message.split()))
        sys.exit(_NOT_IN_ORDER)
    except CommandError as error:
        log.critical("migration.failed", message=str(error))
        sys.exit(_FAILED)


def _migrate_database_of(settings: Settings) -> None:
    engine = create_engine(settings.database.sqlalchemy_url, connect_args=settings.database.connect_args)
    try:
        with engine.connect() as connection:
            _migrate(connection)
            connection.commit()
    except OperationalError as error:
        reason = " ".join(str(error.orig).split())
        raise CommandError(f"The database {settings.database.redacted_url} cannot be used: {reason}") from error
    finally:
        engine.dispose()


_given = context.config.attributes.get("connection")
if _given is None:
    _migrate_alone()
else:
    _migrate(_given)

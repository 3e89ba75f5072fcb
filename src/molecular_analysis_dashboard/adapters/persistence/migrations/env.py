"""Alembic's entry: migrates the database of the settings, or of a connection handed in by the caller."""

import sys

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
from molecular_analysis_dashboard.infrastructure.settings import Settings, load_settings


def _migrate(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=False)
    with context.begin_transaction():
        connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
        connection.exec_driver_sql("SET LOCAL lock_timeout = '30s'")
        if _is_newer(connection):
            sys.stderr.write(
                "The database is newer than this release, which it still serves. There is nothing to do.\n"
            )
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


def _settings() -> Settings:
    try:
        return load_settings()
    except Misconfigured as error:
        sys.stderr.write(f"Error [{error.error_code}]: {error.message}\n")
        sys.exit(9)


def _run() -> None:
    given = context.config.attributes.get("connection")
    if given is not None:
        _migrate(given)
        return
    settings = _settings()
    engine = create_engine(settings.database.sqlalchemy_url, connect_args=settings.database.connect_args)
    try:
        with engine.connect() as connection:
            _migrate(connection)
            connection.commit()
    except OperationalError as error:
        # Alembic tells its own errors in one line.
        reason = " ".join(str(error.orig).split())
        raise CommandError(f"The database {settings.database.redacted_url} cannot be used: {reason}") from error
    finally:
        engine.dispose()


_run()

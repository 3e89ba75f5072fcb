"""Alembic's entry: migrates the database of the settings, or of a connection handed in by the caller."""

from alembic import context
from sqlalchemy import Connection, create_engine

from molecular_analysis_dashboard.adapters.persistence.tables import metadata
from molecular_analysis_dashboard.infrastructure.settings import load_settings

# Two starting instances may migrate at once: the second waits on this advisory lock and finds the work done.
MIGRATION_LOCK = 0x6D_61_64_01


def _migrate(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=False)
    with context.begin_transaction():
        connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
        connection.exec_driver_sql("SET LOCAL lock_timeout = '30s'")
        context.run_migrations()


def _run() -> None:
    given = context.config.attributes.get("connection")
    if given is not None:
        _migrate(given)
        return
    settings = load_settings()
    engine = create_engine(settings.database.sqlalchemy_url, connect_args=settings.database.connect_args)
    with engine.connect() as connection:
        _migrate(connection)
        connection.commit()
    engine.dispose()


_run()

"""Bringing the database to the schema of this release, and asking whether it is there."""

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import OperationalError

from molecular_analysis_dashboard.domain.errors import ResourceLost
from molecular_analysis_dashboard.infrastructure.settings import Settings
from molecular_analysis_dashboard.ports.unit_of_work import DATABASE_UNREACHABLE

_SCRIPTS = "molecular_analysis_dashboard.adapters.persistence:migrations"


def migrate(settings: Settings) -> None:
    """Bring the database to head; does nothing when it is there.

    Raises
    ------
    ResourceLost
        When the database does not answer.
    """
    engine = _engine(settings)
    try:
        with engine.connect() as connection:
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
    except OperationalError as error:
        raise _unreachable(error) from error
    finally:
        engine.dispose()


def head_revision() -> str | None:
    """The newest revision that this release knows."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def current_revision(connection: Connection) -> str | None:
    """The revision of the database behind a connection, None before the first migration."""
    return MigrationContext.configure(connection).get_current_revision()


def is_at_head(settings: Settings) -> bool:
    """Whether the database has the schema of this release.

    Raises
    ------
    ResourceLost
        When the database does not answer.
    """
    engine = _engine(settings)
    try:
        with engine.connect() as connection:
            return current_revision(connection) == head_revision()
    except OperationalError as error:
        raise _unreachable(error) from error
    finally:
        engine.dispose()


def _engine(settings: Settings) -> Engine:
    return create_engine(settings.database.sqlalchemy_url, connect_args=settings.database.connect_args)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", _SCRIPTS)
    config.set_main_option("path_separator", "os")
    return config


def _unreachable(error: OperationalError) -> ResourceLost:
    reason = str(error.orig).strip().splitlines()
    return ResourceLost(
        "The database does not answer. Check DATABASE_URL and that PostgreSQL runs.",
        code=DATABASE_UNREACHABLE,
        reason=reason[0] if reason else "",
    )

"""Bringing the database to the schema of this release, and asking whether it is there."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError

from molecular_analysis_dashboard.adapters.persistence.migrations.releases import COMMENT, served_in
from molecular_analysis_dashboard.domain.errors import Misconfigured, ResourceLost
from molecular_analysis_dashboard.infrastructure.settings import Settings
from molecular_analysis_dashboard.ports.unit_of_work import DATABASE_UNREACHABLE

_SCRIPTS = "molecular_analysis_dashboard.adapters.persistence:migrations"
# Asked here, not through Alembic, which logs two lines for each question.
_VERSION_TABLE = text("SELECT to_regclass('alembic_version')")
_REVISION = text("SELECT version_num FROM alembic_version")


class SchemaState(StrEnum):
    """How the schema of a database stands to this release."""

    CURRENT = "current"
    BEHIND = "behind"
    NEWER = "newer"  # of the next release, which still serves this one
    TOO_NEW = "too_new"


@dataclass(frozen=True)
class SchemaStatus:
    """The schema of a database, seen from this release.

    Attributes
    ----------
    pending : tuple of str
        Revisions that are missing, the next one first.
    """

    state: SchemaState
    revision: str | None
    head: str | None
    pending: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether this release works on it."""
        return self.state in (SchemaState.CURRENT, SchemaState.NEWER)

    @property
    def sentence(self) -> str:
        """What is the case, and what to do."""
        at = f"The database is at {self.revision or 'no migration'}, "
        match self.state:
            case SchemaState.CURRENT:
                return f"{at}as this release needs."
            case SchemaState.BEHIND:
                return f"{at}this release needs {self.head}. Run mad migrate, or alembic upgrade head."
            case SchemaState.NEWER:
                return f"{at}newer than this release ({self.head}), which it still serves. Upgrade the program soon."
            case SchemaState.TOO_NEW:
                return f"{at}which this release ({self.head}) does not know. Upgrade the program."


def migrate(settings: Settings) -> None:
    """Bring the database to head; does nothing when it is there, or newer and still serves this release.

    Raises
    ------
    Misconfigured
        When it does not serve this release any more.
    ResourceLost
        When the database does not answer.
    """
    with _connected(settings) as connection:
        status = schema_status(connection)
        if status.state is SchemaState.TOO_NEW:
            raise Misconfigured(status.sentence, code="schema_too_new", revision=status.revision)
        if status.state is SchemaState.NEWER:
            return
        connection.rollback()
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()


def head_revision() -> str | None:
    """The newest revision that this release knows."""
    return _scripts().get_current_head()


def knows_revision(revision: str) -> bool:
    """Whether this release can bring a schema from a revision to its own."""
    return any(script.revision == revision for script in _scripts().walk_revisions())


def current_revision(connection: Connection) -> str | None:
    """The revision of the database behind a connection, None before the first migration."""
    if connection.execute(_VERSION_TABLE).scalar_one() is None:
        return None
    revision: str | None = connection.execute(_REVISION).scalar_one_or_none()
    return revision


def schema_status(connection: Connection) -> SchemaStatus:
    """How the schema of the database behind a connection stands to this release."""
    revision, head = current_revision(connection), head_revision()
    if revision == head:
        return SchemaStatus(SchemaState.CURRENT, revision, head)
    if revision is None or knows_revision(revision):
        missing = [script.revision for script in _scripts().iterate_revisions("head", revision or "base")]
        return SchemaStatus(SchemaState.BEHIND, revision, head, tuple(reversed(missing)))
    served = served_in(connection.execute(text(COMMENT)).scalar_one())
    return SchemaStatus(SchemaState.NEWER if head in served else SchemaState.TOO_NEW, revision, head)


def status_of(settings: Settings) -> SchemaStatus:
    """How the schema of the installation's database stands to this release.

    Raises
    ------
    ResourceLost
        When the database does not answer.
    """
    with _connected(settings) as connection:
        return schema_status(connection)


def is_at_head(settings: Settings) -> bool:
    """Whether the database has the schema of this release; ResourceLost when it does not answer."""
    return status_of(settings).state is SchemaState.CURRENT


@contextmanager
def _connected(settings: Settings) -> Iterator[Connection]:
    engine = create_engine(settings.database.sqlalchemy_url, connect_args=settings.database.connect_args)
    try:
        with engine.connect() as connection:
            yield connection
    except OperationalError as error:
        raise _unreachable(settings, error) from error
    finally:
        engine.dispose()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", _SCRIPTS)
    config.set_main_option("path_separator", "os")
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _unreachable(settings: Settings, error: OperationalError) -> ResourceLost:
    reason = str(error.orig).strip().splitlines()
    return ResourceLost(
        f"The database {settings.database.redacted_url} cannot be used: {reason[0] if reason else 'no reason given'}. "
        "Check DATABASE_URL and that PostgreSQL runs.",
        code=DATABASE_UNREACHABLE,
        reason=reason[0] if reason else "",
    )

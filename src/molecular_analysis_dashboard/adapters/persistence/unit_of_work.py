"""One transaction in one scope, with the repositories over it."""

from collections.abc import Mapping
from functools import cached_property
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from molecular_analysis_dashboard.adapters.persistence.analyses import SqlAnalyses
from molecular_analysis_dashboard.adapters.persistence.control import SqlControl
from molecular_analysis_dashboard.adapters.persistence.dispatch import SqlDispatch
from molecular_analysis_dashboard.adapters.persistence.events import SqlEvents
from molecular_analysis_dashboard.adapters.persistence.identities import SqlIdentities
from molecular_analysis_dashboard.adapters.persistence.jobs import SqlJobs
from molecular_analysis_dashboard.adapters.persistence.ledger import SqlLedger
from molecular_analysis_dashboard.adapters.persistence.libraries import SqlLibraries
from molecular_analysis_dashboard.adapters.persistence.protocols import SqlProtocols
from molecular_analysis_dashboard.adapters.persistence.redockings import SqlRedockings
from molecular_analysis_dashboard.adapters.persistence.rescorings import SqlRescorings
from molecular_analysis_dashboard.adapters.persistence.results import SqlResults
from molecular_analysis_dashboard.adapters.persistence.structures import SqlStructures
from molecular_analysis_dashboard.adapters.persistence.sweep import SqlStoredFiles, SqlSweep
from molecular_analysis_dashboard.adapters.persistence.validations import SqlValidations
from molecular_analysis_dashboard.adapters.persistence.workers import SqlWorkers
from molecular_analysis_dashboard.domain.errors import ResourceLost
from molecular_analysis_dashboard.domain.identity import Scope, TenantScope
from molecular_analysis_dashboard.ports.unit_of_work import DATABASE_UNREACHABLE

# `set_config('role', ...)` is SET LOCAL ROLE in a form that takes parameters and shares the round trip.
_ENTER_TENANT = text("SELECT set_config('role', 'mad_tenant', true), set_config('mad.org_id', :org_id, true)")

# The server answers, but cannot do it now (PostgreSQL manual, appendix A): code and sentence by SQLSTATE.
_BUSY = (
    "database_busy",
    "The database is busy with another change of the same rows; the operation was not carried out and may be tried "
    "again.",
)
_UNABLE = {
    "40P01": _BUSY,  # deadlock_detected
    "55P03": _BUSY,  # lock_not_available
    "53100": ("database_full", "The disk of the database is full. Free some space there, then try again."),
    "25006": ("database_read_only", "The database is read-only, perhaps a standby. Connect to the primary server."),
}
_UNREACHABLE = (
    DATABASE_UNREACHABLE,
    "The database is out of reach; the operation was not carried out and may be tried again.",
)


def _sqlstate(error: BaseException) -> str | None:
    return getattr(getattr(error, "orig", None), "sqlstate", None)


def _out_of_reach(error: BaseException) -> bool:
    # A pool that stays empty for its whole timeout is an overloaded or hanging database.
    return isinstance(error, OperationalError | InterfaceError | PoolTimeout) or (
        isinstance(error, DBAPIError) and (error.connection_invalidated or _sqlstate(error) in _UNABLE)
    )


def _lost(error: BaseException) -> ResourceLost:
    reason = str(getattr(error, "orig", error)).strip().splitlines()
    code, sentence = _UNABLE.get(_sqlstate(error) or "", _UNREACHABLE)
    return ResourceLost(sentence, code=code, reason=reason[0] if reason else type(error).__name__)


class SqlUnitOfWork:
    """Implements `ports.unit_of_work.UnitOfWork` on a SQLAlchemy connection.

    Raises
    ------
    ResourceLost
        On entering, inside, or on commit, when the database is out of reach; nothing was committed, except that a
        connection lost during the commit itself leaves that open (every caller is idempotent for this reason).
    """

    def __init__(self, engine: Engine, scope: Scope) -> None:
        self._engine = engine
        self.scope = scope
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        try:
            self._connection = self._engine.connect()
            if isinstance(self.scope, TenantScope):
                self._connection.execute(_ENTER_TENANT, {"org_id": str(self.scope.org_id)})
        except (DBAPIError, PoolTimeout) as error:
            self._close()
            if _out_of_reach(error):
                raise _lost(error) from error
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()
        if error is not None and _out_of_reach(error):
            raise _lost(error) from error

    def _close(self) -> None:
        if self._connection is not None:
            # Closing rolls back whatever was not committed.
            self._connection.close()
            self._connection = None

    @property
    def connection(self) -> Connection:
        """The open connection."""
        if self._connection is None:
            raise RuntimeError("the unit of work is not open")
        return self._connection

    def commit(self) -> None:
        """Make everything since entering durable; the unit of work is over after that.

        The organization's role ended with the transaction: nothing may be read or written without it.
        """
        self.connection.commit()
        self._close()

    @cached_property
    def structures(self) -> SqlStructures:
        """Structures, receptors and binding sites."""
        return SqlStructures(self.connection, self.scope)

    @cached_property
    def libraries(self) -> SqlLibraries:
        """Libraries, ligands and rejections."""
        return SqlLibraries(self.connection, self.scope)

    @cached_property
    def protocols(self) -> SqlProtocols:
        """Protocols."""
        return SqlProtocols(self.connection, self.scope)

    @cached_property
    def jobs(self) -> SqlJobs:
        """Jobs and their tasks."""
        return SqlJobs(self.connection, self.scope)

    @cached_property
    def results(self) -> SqlResults:
        """Results and poses."""
        return SqlResults(self.connection, self.scope)

    @cached_property
    def redockings(self) -> SqlRedockings:
        """Redockings."""
        return SqlRedockings(self.connection, self.scope)

    @cached_property
    def validations(self) -> SqlValidations:
        """Validations by actives and decoys."""
        return SqlValidations(self.connection, self.scope)

    @cached_property
    def analyses(self) -> SqlAnalyses:
        """Analyses of poses."""
        return SqlAnalyses(self.connection, self.scope)

    @cached_property
    def rescorings(self) -> SqlRescorings:
        """Rescorings of poses."""
        return SqlRescorings(self.connection, self.scope)

    @cached_property
    def ledger(self) -> SqlLedger:
        """Claims and records."""
        return SqlLedger(self.connection, self.scope)

    @cached_property
    def workers(self) -> SqlWorkers:
        """The register of workers."""
        return SqlWorkers(self.connection, self.scope)

    @cached_property
    def dispatch(self) -> SqlDispatch:
        """The waiting line and its release to the broker."""
        return SqlDispatch(self.connection, self.scope)

    @cached_property
    def control(self) -> SqlControl:
        """Leases, recovery and the ends of jobs."""
        return SqlControl(self.connection, self.scope)

    @cached_property
    def identities(self) -> SqlIdentities:
        """Organizations, users and memberships."""
        return SqlIdentities(self.connection, self.scope)

    @cached_property
    def events(self) -> SqlEvents:
        """Events of jobs."""
        return SqlEvents(self.connection, self.scope)

    @cached_property
    def files(self) -> SqlStoredFiles:
        """Files that rows are about to refer to."""
        return SqlStoredFiles(self.connection, self.scope)

    @cached_property
    def sweep(self) -> SqlSweep:
        """Removal of what is deleted."""
        return SqlSweep(self.connection, self.scope)


class SqlDatabase:
    """Implements `ports.unit_of_work.Database`; one per process, made after any fork."""

    def __init__(self, url: str, connect_args: Mapping[str, int | str] | None = None, *, pool_size: int = 5) -> None:
        self.engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_pre_ping=True,
            pool_timeout=30,
            connect_args={"application_name": "mad", **(connect_args or {})},
        )

    def begin(self, scope: Scope) -> SqlUnitOfWork:
        """Begin a transaction in a scope, as a context manager."""
        return SqlUnitOfWork(self.engine, scope)

    def close(self) -> None:
        """Close all connections of the pool; one that a thread still uses is closed when it comes back."""
        event.listen(self.engine.pool, "checkin", _close_returned)
        self.engine.dispose()


def _close_returned(connection: DBAPIConnection | None, _record: object) -> None:
    if connection is not None:
        connection.close()

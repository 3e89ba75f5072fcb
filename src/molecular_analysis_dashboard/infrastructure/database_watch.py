"""Whether this process may work on the database: its schema and its clock, told once per change."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import structlog
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from molecular_analysis_dashboard.domain.errors import ResourceLost
from molecular_analysis_dashboard.infrastructure.migrations import SchemaState, schema_status
from molecular_analysis_dashboard.infrastructure.settings import Settings
from molecular_analysis_dashboard.ports.unit_of_work import DATABASE_UNREACHABLE

log = structlog.get_logger(__name__)

# The ledger goes by the database's clock alone; logs, certificates and object storage go by this machine's.
CLOCK_TOLERANCE_S = 5.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 10.0


def clock_ahead_s(connection: Connection) -> float:
    """Seconds by which this machine's clock is ahead of the database's, to within the time of one question."""
    before = time.time()
    theirs = float(connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())
    return (before + time.time()) / 2 - theirs


class DatabaseWatch:
    """Looks at schema and clock, and logs what has changed since the last look."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._clock_differs = False
        self._state: SchemaState | None = None

    def look(self) -> None:
        """See whether work is possible.

        Raises
        ------
        ResourceLost
            ``database_unreachable``, ``database_read_only`` or, until somebody migrates or upgrades,
            ``schema_unusable``.
        """
        try:
            with self._engine.connect() as connection:
                read_only = connection.execute(text("SHOW transaction_read_only")).scalar_one() == "on"
                status, ahead_s = schema_status(connection), clock_ahead_s(connection)
        except DBAPIError as error:
            reason = str(error.orig).strip().splitlines()
            raise ResourceLost(
                "The database cannot be used.", code=DATABASE_UNREACHABLE, reason=reason[0] if reason else ""
            ) from error
        if read_only:
            raise ResourceLost("The database is read-only.", code="database_read_only", reason="perhaps a standby")
        if not status.usable:
            raise ResourceLost(status.sentence, code="schema_unusable", reason=status.sentence)
        if status.state is not self._state and status.state is SchemaState.NEWER:
            log.warning("schema.newer", message=status.sentence)
        self._state = status.state
        self._compare_clocks(ahead_s)

    def _compare_clocks(self, ahead_s: float) -> None:
        differs = abs(ahead_s) > CLOCK_TOLERANCE_S
        if differs and not self._clock_differs:
            log.warning("clock.differs", ahead_of_database_s=round(ahead_s, 1), message="Synchronise the clocks (NTP).")
        elif self._clock_differs and not differs:
            log.info("clock.agrees")
        self._clock_differs = differs


class Troubles:
    """Tells a trouble when it begins, changes and ends, and how long to wait before the next try."""

    def __init__(self, event: str, *, longest_pause_s: float = _LONGEST_PAUSE_S) -> None:
        self._event = event
        self._longest_pause_s = longest_pause_s
        self._present: tuple[str, object] | None = None
        self.pause_s = _FIRST_PAUSE_S

    def met(self, error: ResourceLost) -> None:
        """Note that it is there; logged unless it was there before."""
        trouble = (error.error_code, error.details.get("reason"))
        if trouble != self._present:
            log.warning(f"{self._event}.waits", code=trouble[0], reason=trouble[1])
            self.pause_s = _FIRST_PAUSE_S
        else:
            self.pause_s = min(2 * self.pause_s, self._longest_pause_s)
        self._present = trouble

    def over(self) -> None:
        """Note that all is well; logged if it was not."""
        if self._present is not None:
            log.info(f"{self._event}.goes_on")
        self._present = None
        self.pause_s = _FIRST_PAUSE_S


def wait_for_database(settings: Settings) -> None:
    """Return once this release may work on the database; SIGTERM ends the process meanwhile.

    Leaves no connection behind, so that a process may fork after it.
    """
    engine = create_engine(
        settings.database.sqlalchemy_url, connect_args=settings.database.connect_args, poolclass=NullPool
    )
    watch, troubles = DatabaseWatch(engine), Troubles("start")
    with _ended_by_sigterm():
        while True:
            try:
                watch.look()
            except ResourceLost as error:
                troubles.met(error)
                threading.Event().wait(troubles.pause_s)
            else:
                troubles.over()
                return


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Process 1 of a container would ignore the signal."""

    def leave(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)

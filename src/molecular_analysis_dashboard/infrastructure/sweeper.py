"""The leader's broom: sweeps in a thread of its own, so that no batch and no slow storage delays beats or dispatch."""

import threading
import time
from collections.abc import Callable

import structlog

from molecular_analysis_dashboard.adapters.persistence.unit_of_work import SqlDatabase
from molecular_analysis_dashboard.domain.errors import ResourceLost
from molecular_analysis_dashboard.infrastructure.blobs import build_blobs
from molecular_analysis_dashboard.infrastructure.settings import Settings
from molecular_analysis_dashboard.ports.sweep import FileKind
from molecular_analysis_dashboard.use_cases.sweep import GoOn, SweepFiles, SweepRows

log = structlog.get_logger(__name__)

# At most; more often where things go sooner.
_ROWS_EVERY_S = 60.0
_FILES_EVERY_S = 3600.0


class Sweeper:
    """Sweeps now and then while this process leads; ends with the process, and a sweep cut short goes on elsewhere.

    Parameters
    ----------
    leads : Callable[[], bool]
        Whether this process is the leader; asked between batches too.
    """

    def __init__(self, settings: Settings, leads: GoOn) -> None:
        database = SqlDatabase(settings.database.sqlalchemy_url, settings.database.connect_args, pool_size=1)
        self._database = database
        blobs = build_blobs(settings)
        age_s = settings.ledger.sweep_after_s
        self._sweep_rows = SweepRows(database, older_than_s=age_s)
        stores = {FileKind.UPLOAD: blobs.uploads, FileKind.RESULT: blobs.results}
        self._sweep_files = SweepFiles(database, stores, older_than_s=age_s)
        self._leads = leads
        self._rows_every_s = min(_ROWS_EVERY_S, age_s)
        self._files_every_s = min(_FILES_EVERY_S, age_s)
        self._next_files = 0.0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)

    def start(self) -> None:
        """Begin; the first sweep comes after a pause."""
        self._thread.start()

    def stop(self, *, timeout_s: float) -> None:
        """Stop after the batch at hand, or leave it to the end of the process when it takes longer."""
        self._stopped.set()
        self._thread.join(timeout_s)

    def _may_go_on(self) -> bool:
        return self._leads() and not self._stopped.is_set()

    def _run(self) -> None:
        while not self._stopped.wait(self._rows_every_s):
            if self._leads():
                self._succeeds("rows", self._sweep_rows)
                if time.monotonic() >= self._next_files and self._succeeds("files", self._sweep_files):
                    self._next_files = time.monotonic() + self._files_every_s
        self._database.close()

    def _succeeds(self, what: str, sweep: Callable[[GoOn], None]) -> bool:
        try:
            sweep(self._may_go_on)
            return True
        except ResourceLost as error:
            log.warning("sweep.waits", what=what, code=error.error_code, reason=error.details.get("reason"))
        except Exception:
            # A defect of ours must not end the thread: what it trips over may be gone by the next round.
            log.exception("sweep.defect", what=what)
        return False

"""The slot's heartbeat: a thread that tells the ledger that the task lives, and carries out its answers."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog

from molecular_analysis_dashboard.domain.errors import ResourceLost
from molecular_analysis_dashboard.domain.identity import SystemScope
from molecular_analysis_dashboard.domain.jobs import BeatAnswer, ClaimedTask
from molecular_analysis_dashboard.ports.queue import Drain, Wake
from molecular_analysis_dashboard.ports.telemetry import SILENT, Telemetry
from molecular_analysis_dashboard.ports.unit_of_work import Database

log = structlog.get_logger(__name__)

# After these the engine is of no more use to this task; after the others it finishes its ligand.
_KILLING = frozenset({BeatAnswer.CANCELLED, BeatAnswer.SUPERSEDED})


@dataclass
class Watch:
    """One task under the heartbeat; the slot's main thread reads `answer` and writes the counts."""

    task: ClaimedTask
    kill_engine: Callable[[], None]
    drain: Drain
    ask: Callable[["Watch"], BeatAnswer] = lambda watch: watch.answer
    answer: BeatAnswer = BeatAnswer.GO_ON
    n_scored: int = 0
    n_rejected: int = 0
    may_yield: bool = False
    killed: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _over: bool = False

    @property
    def must_stop(self) -> bool:
        """Whether no further ligand may be started; a drain is seen here before the next beat tells of it."""
        if self.drain.seconds_left() is not None:
            self.react(BeatAnswer.DRAINING, kill=False)
        elif self.answer is BeatAnswer.YIELD:
            self._reconsider()
        return self.answer is not BeatAnswer.GO_ON

    def _reconsider(self) -> None:
        """Ask once more before a task is handed back: every slot was told to yield, and one was enough."""
        answer = self.ask(self)
        if answer in _KILLING:
            self.react(answer, kill=True)
        elif answer is BeatAnswer.GO_ON:
            with self._lock:
                if self.answer is BeatAnswer.YIELD:
                    self.answer = answer

    def react(self, answer: BeatAnswer, *, kill: bool) -> bool:
        """Take over an answer while there is work, and kill the engine if that is due; return whether it was taken."""
        with self._lock:
            if self._over:
                return False
            if self.answer not in _KILLING:
                self.answer = answer
            if kill:
                self.killed = True
                self.kill_engine()
        return True

    def close(self) -> None:
        """The work is over: nothing may kill the engine on its account any more."""
        with self._lock:
            self._over = True


class Heartbeat:
    """One thread per slot process, with database connections of its own.

    Parameters
    ----------
    interval_s : float
        Seconds between two beats.
    yield_after_s : float
        How long another job's released task must wait before this slot hands its task back for it.
    end_idle_engine : Callable[[], None]
        Ends the engine process; called when a cancel wakes a slot between two tasks.
    """

    def __init__(
        self,
        database: Database,
        wake: Wake,
        drain: Drain,
        *,
        interval_s: float,
        yield_after_s: float,
        end_idle_engine: Callable[[], None],
        telemetry: Telemetry = SILENT,
    ) -> None:
        self._database = database
        self._wake = wake
        self._drain = drain
        self._end_idle_engine = end_idle_engine
        self._counters = telemetry.counters
        self._interval_s = interval_s
        self._yield_after_s = yield_after_s
        self._watch: Watch | None = None
        self._changing_watch = threading.Lock()
        self._unheard = False
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Start the thread; it lives as long as the process."""
        self._thread.start()

    @contextmanager
    def watching(self, task: ClaimedTask, kill_engine: Callable[[], None]) -> Iterator[Watch]:
        """Beat for a task while the block runs."""
        watch = Watch(task, kill_engine, self._drain, self._ask)
        with self._changing_watch:
            self._watch = watch
        # A cancel that came between the claim and this line woke nobody.
        self._beat_safely(watch)
        try:
            yield watch
        finally:
            self._watch = None
            watch.close()

    def _run(self) -> None:
        while True:
            woken = self._wake.wait(self._interval_s if self._drain.seconds_left() is None else self._interval_s / 4)
            watch = self._watch
            if watch is not None:
                self._beat_safely(watch)
            elif woken:
                self._end_idle()

    def _end_idle(self) -> None:
        """End the engine of a slot that happens to be between two tasks: after a cancel nothing of a job is left."""
        with self._changing_watch:
            if self._watch is None:
                self._end_idle_engine()

    def _beat_safely(self, watch: Watch) -> None:
        with structlog.contextvars.bound_contextvars(**watch.task.ids):
            try:
                self._beat(watch)
            except Exception:
                # A defect of ours: if it ended this thread, every later task of the slot would be taken for lost.
                self._counters.beat_failed()
                log.exception("beat.defect")

    def _beat(self, watch: Watch) -> None:
        left = self._drain.seconds_left()
        if left is not None:
            watch.react(BeatAnswer.DRAINING, kill=left <= 0)
        answer = self._ask(watch)
        if answer in _KILLING:
            if watch.react(answer, kill=True):
                log.info("beat.answered", answer=answer)
        elif answer is BeatAnswer.YIELD and left is None:
            watch.react(answer, kill=False)

    def _ask(self, watch: Watch) -> BeatAnswer:
        try:
            with self._database.begin(SystemScope()) as uow:
                answer = uow.ledger.beat(
                    watch.task,
                    n_scored=watch.n_scored,
                    n_rejected=watch.n_rejected,
                    may_yield=watch.may_yield,
                    yield_after_s=self._yield_after_s,
                )
                uow.commit()
        except ResourceLost as error:
            # The work goes on: if the ledger gave the task to another meanwhile, the fence refuses our writes.
            self._counters.beat_failed()
            if not self._unheard:
                log.warning("beat.failed", code=error.error_code, reason=error.details.get("reason"))
            self._unheard = True
            return BeatAnswer.GO_ON
        if self._unheard:
            log.info("beat.goes_on")
        self._unheard = False
        return answer

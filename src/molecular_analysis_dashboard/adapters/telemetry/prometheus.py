"""The numbers of a worker, for Prometheus.

Slots and companion write theirs to files of one folder (prometheus_client's multiprocess mode), and the companion adds
them up whenever it is asked. A counter outlives the process that raised it; a gauge goes with it.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from molecular_analysis_dashboard.domain.docking import DockedLigand, LigandOutcome
from molecular_analysis_dashboard.domain.jobs import EndCause, TaskKind
from molecular_analysis_dashboard.domain.rejections import RejectionReason
from molecular_analysis_dashboard.ports.chemistry_process import ExitCause
from molecular_analysis_dashboard.ports.telemetry import Counters

_START_BUCKETS_S = (0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
_ROUND_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class PrometheusCounters(Counters):
    """Implements `ports.telemetry.Counters`; one per process, made after any fork."""

    def __init__(self) -> None:
        # What is read are the files: the registry only keeps these apart from what other libraries register.
        to = CollectorRegistry()
        self._docked = Counter("mad_ligands_docked", "Ligands with a recorded score.", registry=to)
        self._rejected = Counter("mad_ligands_rejected", "Ligands that docking rejected.", ["reason"], registry=to)
        self._cpu = Counter("mad_engine_cpu_seconds", "CPU time that recorded ligands took.", registry=to)
        self._attempts = Counter("mad_attempts", "Attempts that ended, by cause.", ["kind", "cause"], registry=to)
        self._refused = Counter("mad_refused_writes", "Late writes that the fence refused.", registry=to)
        self._beats = Counter("mad_heartbeat_failures", "Heartbeats that did not reach the ledger.", registry=to)
        self._ends = Counter("mad_engine_process_ends", "Engine processes that ended at work.", ["cause"], registry=to)
        self._start = Histogram(
            "mad_engine_start_seconds",
            "From the start of an engine process to its first answer, maps included.",
            buckets=_START_BUCKETS_S,
            registry=to,
        )
        self._memory = Gauge(
            "mad_engine_memory_bytes",
            "Resident memory of the worker's engine processes, each at its last answer.",
            multiprocess_mode="livesum",
            registry=to,
        )
        self._sent = Counter("mad_tasks_dispatched", "Tasks that the dispatcher sent to the broker.", registry=to)
        self._dispatch = Histogram(
            "mad_dispatch_seconds", "Rounds of the dispatcher.", buckets=_ROUND_BUCKETS_S, registry=to
        )
        self._reconcile = Histogram(
            "mad_reconcile_seconds", "Rounds of the reconciler.", buckets=_ROUND_BUCKETS_S, registry=to
        )
        self._leader = Gauge("mad_leader", "Whether this worker leads.", multiprocess_mode="livemax", registry=to)
        self._begin_at_zero()

    def _begin_at_zero(self) -> None:
        """Show every series from the start: an increase is only seen where there was a value before."""
        for reason in RejectionReason:
            self._rejected.labels(reason)
        for cause in ExitCause:
            self._ends.labels(cause)
        for kind in TaskKind:
            for end in EndCause:
                self._attempts.labels(kind, end)

    def ligand_recorded(self, outcome: LigandOutcome) -> None:
        """A ligand's outcome is in the ledger."""
        self._cpu.inc(outcome.seconds_cpu)
        if isinstance(outcome, DockedLigand):
            self._docked.inc()
        else:
            self._rejected.labels(outcome.reason).inc()

    def attempt_ended(self, kind: TaskKind, cause: EndCause) -> None:
        """The ledger has the end of an attempt."""
        self._attempts.labels(kind, cause).inc()

    def write_refused(self) -> None:
        """The fence refused a late write of a superseded attempt."""
        self._refused.inc()

    def beat_failed(self) -> None:
        """A heartbeat did not reach the ledger."""
        self._beats.inc()

    def engine_answered(self, memory_bytes: int, *, started_s: float | None) -> None:
        """An engine process answered, and now holds so much memory."""
        self._memory.set(memory_bytes)
        if started_s is not None:
            self._start.observe(started_s)

    def engine_ended(self, cause: ExitCause | None) -> None:
        """An engine process ended, at work if there is a cause."""
        self._memory.set(0)
        if cause is not None:
            self._ends.labels(cause).inc()

    def dispatched(self, tasks: int, duration_s: float) -> None:
        """A round of the dispatcher sent so many tasks."""
        self._sent.inc(tasks)
        self._dispatch.observe(duration_s)

    def reconciled(self, duration_s: float) -> None:
        """A round of the reconciler is over."""
        self._reconcile.observe(duration_s)

    def leads(self, leads: bool) -> None:
        """The leader's lease is this worker's, or is not."""
        self._leader.set(leads)

"""Where workers and servers tell what they do: numbers to be added up, and spans of a trace.

Nothing here raises, takes noticeable time, or is read back: work is the same whether anybody listens. The classes are
their own silent version, so that only who listens has to say something.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from molecular_analysis_dashboard.domain.docking import LigandOutcome
from molecular_analysis_dashboard.domain.jobs import EndCause, TaskKind
from molecular_analysis_dashboard.ports.chemistry_process import ExitCause


class Counters:
    """Numbers of one process of a worker; these are counted by nobody."""

    def ligand_recorded(self, outcome: LigandOutcome) -> None:
        """A ligand's outcome is in the ledger."""

    def attempt_ended(self, kind: TaskKind, cause: EndCause) -> None:
        """The ledger has the end of an attempt."""

    def write_refused(self) -> None:
        """The fence refused a late write of a superseded attempt."""

    def beat_failed(self) -> None:
        """A heartbeat did not reach the ledger."""

    def engine_answered(self, memory_bytes: int, *, started_s: float | None) -> None:
        """An engine process answered, and now holds so much memory.

        Parameters
        ----------
        started_s : float, optional
            Seconds since its start, if this was its first answer.
        """

    def engine_ended(self, cause: ExitCause | None) -> None:
        """An engine process ended; None when it was idle and not needed any more."""

    def dispatched(self, tasks: int, duration_s: float) -> None:
        """A round of the dispatcher sent so many tasks."""

    def reconciled(self, duration_s: float) -> None:
        """A round of the reconciler is over."""

    def leads(self, leads: bool) -> None:
        """The leader's lease is this worker's, or is not."""


class Tracing:
    """Spans of a trace, whose attributes never hold molecules, people or secrets; these belong to no trace."""

    @contextmanager
    def span(self, name: str, *, parent: str | None = None, **attributes: str | int | float) -> Iterator[None]:
        """Time what happens inside.

        Parameters
        ----------
        parent : str, optional
            Traceparent of the span that this one belongs to; by default, and whenever there is one, the present span.
        """
        del name, parent, attributes
        yield

    def traceparent(self) -> str | None:
        """Return the present place in a trace, to be handed to another process."""
        return None

    def ids(self) -> dict[str, str]:
        """Return what log lines carry of the present trace."""
        return {}

    def close(self) -> None:
        """Hand over what is left, within two seconds or not at all."""


@dataclass(frozen=True)
class Telemetry:
    """Both; silent unless told otherwise."""

    counters: Counters = field(default_factory=Counters)
    tracing: Tracing = field(default_factory=Tracing)


SILENT = Telemetry()

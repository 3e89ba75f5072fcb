"""Counters that remember what they were told."""

from molecular_analysis_dashboard.domain.docking import DockedLigand, LigandOutcome
from molecular_analysis_dashboard.domain.jobs import EndCause, TaskKind
from molecular_analysis_dashboard.ports.chemistry_process import ExitCause
from molecular_analysis_dashboard.ports.telemetry import Counters, Telemetry


class Counted(Counters):
    """Keeps one word per call, in order; an answer of an engine also its memory and time of start."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.answers: list[tuple[int, float | None]] = []

    @property
    def telemetry(self) -> Telemetry:
        return Telemetry(counters=self)

    def ligand_recorded(self, outcome: LigandOutcome) -> None:
        self.told.append("scored" if isinstance(outcome, DockedLigand) else outcome.reason)

    def attempt_ended(self, kind: TaskKind, cause: EndCause) -> None:
        self.told.append(f"{kind} {cause}")

    def write_refused(self) -> None:
        self.told.append("refused")

    def beat_failed(self) -> None:
        self.told.append("beat failed")

    def engine_answered(self, memory_bytes: int, *, started_s: float | None) -> None:
        self.answers.append((memory_bytes, started_s))

    def engine_ended(self, cause: ExitCause | None) -> None:
        self.told.append(f"engine {cause or 'let go'}")

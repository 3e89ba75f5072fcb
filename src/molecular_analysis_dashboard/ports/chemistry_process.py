"""The port behind which chemistry runs that may hang, crash or eat memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from molecular_analysis_dashboard.domain.analyses import AnalysisSite, PoseAnalysis, PosedLigand
from molecular_analysis_dashboard.domain.docking import DockingProtocol, LigandOutcome
from molecular_analysis_dashboard.domain.errors import MadError
from molecular_analysis_dashboard.domain.ligands import LigandInput, LigandRecord, RejectedRecord, ValidatedLigand
from molecular_analysis_dashboard.domain.pockets import Pocket
from molecular_analysis_dashboard.domain.receptors import PreparedReceptor, ReceptorOptions
from molecular_analysis_dashboard.domain.redocking import NativeMolecule, RedockOutcome
from molecular_analysis_dashboard.domain.rescoring import PoseOutcome
from molecular_analysis_dashboard.domain.sites import SearchBox


class ExitCause(StrEnum):
    """Why a chemistry process ended while it worked."""

    CRASH = "crash"
    KILLED = "killed"  # by SIGKILL from outside: a person, or the kernel when the machine runs out of memory
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out_of_memory"
    STOPPED = "stopped"  # we ended it


class ProcessEnded(MadError):
    """The chemistry process ended before it answered."""

    code = "chemistry_process_ended"

    def __init__(self, cause: ExitCause, message: str, *, status: int | None = None, stderr: str = "") -> None:
        super().__init__(message, cause=cause, status=status, stderr=stderr)
        self.cause = cause


@dataclass(frozen=True)
class SiteSpec:
    """Everything the maps of a docking site depend on.

    Parameters
    ----------
    engine_build : str
        The build that must dock; empty for the one that is installed.
    """

    receptor_hash: str
    receptor_pdbqt: str
    box: SearchBox
    protocol: DockingProtocol
    engine_build: str = ""

    @property
    def seed_parts(self) -> tuple[str, ...]:
        """What each ligand's seed derives from besides the protocol's seed and its own state."""
        box = (*self.box.center, *self.box.size)
        return (self.receptor_hash, ",".join(f"{value:.4f}" for value in box))

    @property
    def key(self) -> str:
        """Names this site within one process."""
        return "|".join((*self.seed_parts, self.protocol.content_hash))


class ChemistryProcess(Protocol):
    """One long-lived process beside a slot, in its own process group, restarted whenever it ended.

    Every method raises `ProcessEnded` when the process ends, takes too long or needs too much memory, and
    the `MadError` that the work itself raised.
    """

    def open_site(self, site: SiteSpec) -> None:
        """Make the maps of a site ready; cheap while they are warm."""

    def dock(self, site: SiteSpec, ligand: LigandInput) -> LigandOutcome:
        """Prepare and dock one ligand."""

    def prepare_receptor(self, data: bytes, file_name: str, options: ReceptorOptions) -> PreparedReceptor:
        """Prepare a receptor."""

    def validate(self, records: Sequence[LigandRecord]) -> list[ValidatedLigand | RejectedRecord]:
        """Validate records, in their order."""

    def analyse(self, site: AnalysisSite, posed: PosedLigand) -> PoseAnalysis:
        """Analyse one pose; what is made of the receptor stays warm."""

    def restart(self) -> None:
        """End the process; the next call starts a fresh one, which holds nothing."""

    def stop(self) -> None:
        """End the process from any thread; a call under way raises `ProcessEnded` (stopped)."""


class PocketFindingProcess(ChemistryProcess, Protocol):
    """A chemistry process that also finds pockets."""

    def find_pockets(self, pdb: str) -> tuple[Pocket, ...]:
        """Return the pockets of a prepared receptor, given as PDB, the best first."""


class RedockingProcess(ChemistryProcess, Protocol):
    """A chemistry process that also redocks."""

    def redock(self, site: SiteSpec, native_mol_block: str) -> RedockOutcome:
        """Dock a native ligand from a conformer made anew and measure the poses against it."""

    def read_native(self, data: bytes, file_name: str, selector: str | None) -> NativeMolecule:
        """Take the native ligand out of a structure, its bond orders from the first source that knows them."""


class RescoringProcess(ChemistryProcess, Protocol):
    """A chemistry process that also rescores."""

    def rescore(self, site: SiteSpec, posed: PosedLigand, *, relax: bool) -> PoseOutcome:
        """Score one pose where it lies, or after leading it to the nearest minimum of the site's score."""

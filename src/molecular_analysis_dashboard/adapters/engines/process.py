"""What a slot asks of its engine process, and how long each may take."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from molecular_analysis_dashboard.adapters.engines.child import Child
from molecular_analysis_dashboard.adapters.engines.messages import (
    Analyse,
    Analysed,
    Dock,
    Docked,
    Done,
    FindPockets,
    NativeRead,
    NativeRedocked,
    OpenAnalysis,
    OpenSite,
    PocketsFound,
    PrepareReceptor,
    ReadNative,
    ReceptorPrepared,
    Redock,
    Rescore,
    Rescored,
    Validate,
    Validated,
)
from molecular_analysis_dashboard.domain.analyses import AnalysisSite, PoseAnalysis, PosedLigand
from molecular_analysis_dashboard.domain.docking import LigandOutcome
from molecular_analysis_dashboard.domain.ligands import LigandInput, LigandRecord, RejectedRecord, ValidatedLigand
from molecular_analysis_dashboard.domain.pockets import Pocket
from molecular_analysis_dashboard.domain.receptors import PreparedReceptor, ReceptorOptions
from molecular_analysis_dashboard.domain.redocking import NativeMolecule, RedockOutcome
from molecular_analysis_dashboard.domain.rescoring import PoseOutcome
from molecular_analysis_dashboard.ports.chemistry_process import SiteSpec
from molecular_analysis_dashboard.ports.telemetry import SILENT, Telemetry

# A record takes a third of a millisecond, the largest some tenths of a second. One that hangs is searched for by
# halving its batch, so the bound of a batch may not be that of a whole preparation.
_VALIDATION_S = 30.0
_VALIDATION_S_PER_RECORD = 0.1


class EngineProcess:
    """Implements the processes of `ports.chemistry_process` with one child process.

    Parameters
    ----------
    memory_bytes : int
        Limit of the child's address space.
    dock_timeout_s, preparation_timeout_s, analysis_timeout_s : float
        Wall-clock limits of one request, in seconds.
    warm_sites : int
        How many sites' maps the child keeps.
    engine_commands : str
        Programs that are engines too, as `domain.engine_commands` reads them.
    autogrid_command : str
        The program that computes AutoDock 4's maps; empty for none.
    log_level : str
        Level of the child's log lines, which go where this process's standard output goes.
    build_folders : Mapping[str, Path]
        Engine builds that take the place of the installed one when their folder is first on the child's path. A
        child has one build for life, so a site of another build gets a fresh child.
    """

    def __init__(
        self,
        *,
        memory_bytes: int,
        dock_timeout_s: float,
        preparation_timeout_s: float,
        analysis_timeout_s: float = 300.0,
        warm_sites: int,
        environment: Mapping[str, str],
        engine_commands: str = "",
        autogrid_command: str = "",
        log_level: str = "warning",
        telemetry: Telemetry = SILENT,
        build_folders: Mapping[str, Path] = MappingProxyType({}),
    ) -> None:
        self._child = Child(
            memory_bytes=memory_bytes,
            warm_sites=warm_sites,
            environment=environment,
            programs=(engine_commands, autogrid_command),
            log_level=log_level,
            telemetry=telemetry,
        )
        self._dock_timeout_s = dock_timeout_s
        self._preparation_timeout_s = preparation_timeout_s
        self._analysis_timeout_s = analysis_timeout_s
        self._build_folders = build_folders
        self._open_analysis: tuple[int, str] | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the child, while there is one."""
        return self._child.pid

    def open_site(self, site: SiteSpec) -> None:
        """Make the maps of a site ready; cheap while they are warm."""
        self._child.put_first_on_path(self._build_folders.get(site.engine_build))
        self._child.ask(OpenSite(site), Done, self._preparation_timeout_s)

    def dock(self, site: SiteSpec, ligand: LigandInput) -> LigandOutcome:
        """Prepare and dock one ligand; a fresh process opens the site first."""
        return self._child.ask(Dock(self._at(site), ligand), Docked, self._dock_timeout_s).outcome

    def redock(self, site: SiteSpec, native_mol_block: str) -> RedockOutcome:
        """Dock a native ligand from a conformer made anew; a fresh process opens the site first."""
        return self._child.ask(Redock(self._at(site), native_mol_block), NativeRedocked, self._dock_timeout_s).outcome

    def rescore(self, site: SiteSpec, posed: PosedLigand, *, relax: bool) -> PoseOutcome:
        """Score one pose in place or relaxed; a fresh process opens the site first."""
        return self._child.ask(Rescore(self._at(site), posed, relax), Rescored, self._dock_timeout_s).outcome

    def read_native(self, data: bytes, file_name: str, selector: str | None) -> NativeMolecule:
        """Take the native ligand out of a structure."""
        request = ReadNative(data, file_name, selector)
        return self._child.ask(request, NativeRead, self._preparation_timeout_s).native

    def prepare_receptor(self, data: bytes, file_name: str, options: ReceptorOptions) -> PreparedReceptor:
        """Prepare a receptor."""
        request = PrepareReceptor(data, file_name, options)
        return self._child.ask(request, ReceptorPrepared, self._preparation_timeout_s).receptor

    def find_pockets(self, pdb: str) -> tuple[Pocket, ...]:
        """Find the pockets of a prepared receptor, the best first."""
        return self._child.ask(FindPockets(pdb), PocketsFound, self._preparation_timeout_s).pockets

    def validate(self, records: Sequence[LigandRecord]) -> list[ValidatedLigand | RejectedRecord]:
        """Validate records, in their order."""
        timeout_s = min(_VALIDATION_S + _VALIDATION_S_PER_RECORD * len(records), self._preparation_timeout_s)
        return list(self._child.ask(Validate(tuple(records)), Validated, timeout_s).ligands)

    def analyse(self, site: AnalysisSite, posed: PosedLigand) -> PoseAnalysis:
        """Analyse one pose; the receptor is sent once to each process."""
        if self._child.pid is None or self._open_analysis != (self._child.generation, site.key):
            self._child.ask(OpenAnalysis(site), Done, self._preparation_timeout_s)
            self._open_analysis = (self._child.generation, site.key)
        return self._child.ask(Analyse(site.key, posed), Analysed, self._analysis_timeout_s).analysis

    def restart(self) -> None:
        """End the process; the next call starts a fresh one, which holds nothing."""
        self._child.restart()

    def stop(self) -> None:
        """End the process from any thread; a call under way raises `ProcessEnded` (stopped)."""
        self._child.stop()

    def _at(self, site: SiteSpec) -> str:
        """Have a child of the site's build; a fresh one opens the site first. Return what it calls the site."""
        self._child.put_first_on_path(self._build_folders.get(site.engine_build))
        if self._child.pid is None:
            self.open_site(site)
        return site.key

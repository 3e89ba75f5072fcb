"""The engine process: prepares and docks what its slot asks, one request at a time.

Docking libraries hold the interpreter's lock for minutes, call `exit()`, and may crash or eat memory; so all
of it happens here, and nothing in this process tries to watch itself. The kernel ends it when its slot dies.
"""

import logging
import os
import resource
import signal
import sys
from collections import OrderedDict
from typing import TYPE_CHECKING, BinaryIO

import structlog

from molecular_analysis_dashboard.adapters.engines.messages import (
    Analyse,
    Analysed,
    Dock,
    Docked,
    Done,
    Failed,
    FindPockets,
    NativeRead,
    NativeRedocked,
    OpenAnalysis,
    OpenSite,
    OutOfMemory,
    PocketsFound,
    PrepareReceptor,
    ReadNative,
    ReceptorPrepared,
    Redock,
    Request,
    Rescore,
    Rescored,
    Response,
    Validate,
    Validated,
    read_request,
    write_message,
)
from molecular_analysis_dashboard.adapters.engines.parent_death import die_with_parent
from molecular_analysis_dashboard.domain.docking import DockedLigand
from molecular_analysis_dashboard.domain.engine_commands import DockingPrograms, parse_engine_commands
from molecular_analysis_dashboard.domain.errors import EngineFailed, MadError
from molecular_analysis_dashboard.domain.redocking import Redocked
from molecular_analysis_dashboard.domain.rescoring import RescoredPose
from molecular_analysis_dashboard.infrastructure.logging import bind_ids, configure_logging
from molecular_analysis_dashboard.ports.chemistry_process import SiteSpec
from molecular_analysis_dashboard.ports.engine import DockingSite

if TYPE_CHECKING:
    from molecular_analysis_dashboard.adapters.chemistry.pose_analysis import PoseAnalyser

# Run as a program, this module is called __main__.
log = structlog.get_logger(__spec__.name)

_OWN_LOGGERS = "molecular_analysis_dashboard"


def _prepared(request: ReadNative | PrepareReceptor | FindPockets | Validate) -> Response:
    """Do what needs no engine and leaves nothing behind."""
    match request:
        case ReadNative():
            from molecular_analysis_dashboard.adapters.chemistry.native_ligand import native_molecule

            return NativeRead(native_molecule(request.data, request.file_name, request.selector))
        case PrepareReceptor():
            from molecular_analysis_dashboard.adapters.chemistry.receptor_preparation import prepare_receptor

            receptor = prepare_receptor(request.data, request.file_name, request.options)
            log.info("receptor.prepared", file_name=request.file_name, residues=receptor.report.n_residues)
            return ReceptorPrepared(receptor)
        case FindPockets():
            from molecular_analysis_dashboard.adapters.chemistry.pockets import find_pockets

            pockets = find_pockets(request.pdb)
            log.info("pockets.found", pockets=len(pockets))
            return PocketsFound(pockets)
        case Validate():
            from molecular_analysis_dashboard.adapters.chemistry.validation import validate_batch

            ligands = tuple(validate_batch(request.records))
            log.info("records.validated", records=len(ligands))
            return Validated(ligands)


class Host:
    """Answers requests; keeps the maps of the last few sites.

    Chemistry is imported on first use, so that a process that only validates does not load the engines.
    """

    def __init__(self, warm_sites: int, programs: DockingPrograms) -> None:
        self._warm_sites = warm_sites
        self._programs = programs
        self._sites: OrderedDict[str, tuple[SiteSpec, DockingSite]] = OrderedDict()
        self._analyser: tuple[str, PoseAnalyser] | None = None

    def answer(self, request: Request) -> Response:
        """Do what is asked; errors of ours become answers, anything else ends the process."""
        with bind_ids(**request.ids):
            try:
                return self._do(request)
            except MadError as error:
                log.warning("request.failed", op=request.op, code=error.error_code, message=error.message)
                return Failed(type(error).__name__, error.error_code, error.message, dict(error.details))

    def _do(self, request: Request) -> Response:
        match request:
            case OpenSite():
                return self._open(request.site)
            case Dock():
                return self._dock(request)
            case Redock():
                return self._redock(request)
            case Rescore():
                return self._rescore(request)
            case OpenAnalysis():
                return self._open_analysis(request)
            case Analyse():
                return self._analyse(request)
        return _prepared(request)

    def _open(self, site: SiteSpec) -> Done:
        from molecular_analysis_dashboard.adapters.engines.registry import builds_of, load_engine

        is_warm = site.key in self._sites
        log.info("site.opened", engine=site.protocol.engine, receptor_hash=site.receptor_hash, warm=is_warm)
        if is_warm:
            self._sites.move_to_end(site.key)
            return Done()
        while len(self._sites) >= self._warm_sites:
            self._sites.popitem(last=False)
        engine = load_engine(site.protocol.engine, self._programs)
        here = [build.build_id for build in builds_of(engine)]
        if site.engine_build not in ("", *here):
            raise EngineFailed(
                f"The job is pinned to {site.engine_build}, but {' and '.join(here)} is what runs here. Restart the "
                "worker.",
                code="engine_build_missing",
                engine_build=site.engine_build,
            )
        self._sites[site.key] = (site, engine.open_site(site.receptor_pdbqt, site.box, site.protocol))
        return Done()

    def _opened(self, site_key: str) -> tuple[SiteSpec, DockingSite]:
        if site_key not in self._sites:
            raise EngineFailed("The docking site is not open in this process.", code="site_not_open")
        return self._sites[site_key]

    def _redock(self, request: Redock) -> NativeRedocked:
        from molecular_analysis_dashboard.adapters.engines.redocking import redock_native

        spec, site = self._opened(request.site_key)
        outcome = redock_native(site, request.native_mol_block, spec.protocol, spec.seed_parts)
        if isinstance(outcome, Redocked):
            log.info("native.redocked", rmsds_angstrom=outcome.rmsds_angstrom, seconds_cpu=outcome.docked.seconds_cpu)
        else:
            log.info("native.rejected", reason=outcome.reason, message=outcome.message)
        return NativeRedocked(outcome)

    def _rescore(self, request: Rescore) -> Rescored:
        from molecular_analysis_dashboard.adapters.engines.rescoring import rescore_pose

        _, site = self._opened(request.site_key)
        with bind_ids(ligand_id=request.posed.ligand_id):
            outcome = rescore_pose(site, request.posed, relax=request.relax)
            if isinstance(outcome, RescoredPose):
                log.debug("pose.rescored", score_kcal_mol=outcome.score_kcal_mol, seconds_cpu=outcome.seconds_cpu)
            else:
                log.debug("pose.refused", reason=outcome.reason, message=outcome.message)
        return Rescored(outcome)

    def _open_analysis(self, request: OpenAnalysis) -> Done:
        """Keep one receptor: analyses of a screen come one after the other."""
        from molecular_analysis_dashboard.adapters.chemistry.pose_analysis import PoseAnalyser

        key = request.site.key
        is_warm = self._analyser is not None and self._analyser[0] == key
        log.info("analysis.opened", receptor_sha256=request.site.receptor_sha256, warm=is_warm)
        if not is_warm:
            self._analyser = (key, PoseAnalyser(request.site))
        return Done()

    def _analyse(self, request: Analyse) -> Analysed:
        if self._analyser is None or self._analyser[0] != request.site_key:
            raise EngineFailed("The receptor is not open for analyses in this process.", code="site_not_open")
        with bind_ids(ligand_id=request.posed.ligand_id):
            analysis = self._analyser[1].analyse(request.posed)
            log.debug("pose.analysed", seconds_cpu=analysis.seconds_cpu, problems=dict(analysis.problems))
        return Analysed(analysis)

    def _dock(self, request: Dock) -> Docked:
        from molecular_analysis_dashboard.adapters.engines.ligand_docking import dock_ligand

        spec, site = self._opened(request.site_key)
        with bind_ids(ligand_id=request.ligand.ligand_id):
            outcome = dock_ligand(site, request.ligand, spec.protocol, spec.seed_parts)
            if isinstance(outcome, DockedLigand):
                log.debug("ligand.docked", score_kcal_mol=outcome.score_kcal_mol, seconds_cpu=outcome.seconds_cpu)
            else:
                log.debug("ligand.rejected", reason=outcome.reason, message=outcome.message)
        return Docked(outcome)


def serve(requests: BinaryIO, responses: BinaryIO, host: Host) -> None:
    """Answer until the slot closes the pipe."""
    while (request := read_request(requests)) is not None:
        try:
            response = host.answer(request)
        except MemoryError:
            write_message(responses, OutOfMemory())
            # The heap is in an unknown state: a fresh process goes on.
            os._exit(1)
        write_message(responses, response)


def set_up_log(file_number: int, level: str) -> None:
    """Write log lines where the worker writes its own; what libraries have to say in passing stays out of them."""
    configure_logging(level, json=True, stream=os.fdopen(file_number, "w", buffering=1))
    logging.getLogger(_OWN_LOGGERS).setLevel(level.upper())
    logging.getLogger().setLevel(logging.WARNING)


def main(arguments: list[str]) -> None:
    """Run: ``host.py PARENT_PID MEMORY_BYTES WARM_SITES LOG_FILE_NUMBER LOG_LEVEL COMMANDS AUTOGRID``.

    It answers stdin on stdout; COMMANDS is what `parse_engine_commands` reads, AUTOGRID the program, if any.
    """
    parent_pid, memory_bytes, warm_sites, log_to = (int(value) for value in arguments[:4])
    die_with_parent(parent_pid)
    # A terminal's Ctrl-C is for the worker, which tells us what to do by closing the pipe or killing us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    responses = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # Libraries print to descriptor 1 from C++; that must not end up between our messages.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    set_up_log(log_to, arguments[4])
    programs = DockingPrograms(parse_engine_commands(arguments[5]), arguments[6])
    serve(sys.stdin.buffer, responses, Host(warm_sites, programs))


if __name__ == "__main__":
    main(sys.argv[1:])

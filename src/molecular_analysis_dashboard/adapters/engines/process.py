"""The slot's side of the engine process: start it, ask it, bound it, end it."""

import contextlib
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import IO, BinaryIO, TypeVar, cast

from molecular_analysis_dashboard.adapters.engines.bounded_pipes import BoundedPipes
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
    read_response,
    write_message,
)
from molecular_analysis_dashboard.domain import errors
from molecular_analysis_dashboard.domain.analyses import AnalysisSite, PoseAnalysis, PosedLigand
from molecular_analysis_dashboard.domain.docking import LigandOutcome
from molecular_analysis_dashboard.domain.ligands import LigandInput, LigandRecord, RejectedRecord, ValidatedLigand
from molecular_analysis_dashboard.domain.pockets import Pocket
from molecular_analysis_dashboard.domain.receptors import PreparedReceptor, ReceptorOptions
from molecular_analysis_dashboard.domain.redocking import NativeMolecule, RedockOutcome
from molecular_analysis_dashboard.domain.rescoring import PoseOutcome
from molecular_analysis_dashboard.infrastructure.logging import bound_ids
from molecular_analysis_dashboard.ports.chemistry_process import ExitCause, ProcessEnded, SiteSpec
from molecular_analysis_dashboard.ports.telemetry import SILENT, Telemetry

# One engine process per core: none of them may start threads of its own.
_ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "PYTHONFAULTHANDLER": "1",
}
_HOST = "molecular_analysis_dashboard.adapters.engines.host"
_STDERR_TAIL_BYTES = 2000
# A record takes a third of a millisecond, the largest some tenths of a second. One that hangs is searched for by
# halving its batch, so the bound of a batch may not be that of a whole preparation.
_VALIDATION_S = 30.0
_VALIDATION_S_PER_RECORD = 0.1
# How long a child that closed its pipe may take to be gone.
_EXIT_S = 2.0
_STDOUT = 1
R = TypeVar(
    "R", Done, Docked, NativeRedocked, Rescored, NativeRead, ReceptorPrepared, PocketsFound, Validated, Analysed
)


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
        self._memory_bytes = memory_bytes
        self._dock_timeout_s = dock_timeout_s
        self._preparation_timeout_s = preparation_timeout_s
        self._analysis_timeout_s = analysis_timeout_s
        self._warm_sites = warm_sites
        self._environment = {**environment, **_ONE_THREAD}
        self._programs = (engine_commands, autogrid_command)
        self._log_level = log_level
        self._telemetry = telemetry
        self._build_folders = build_folders
        self._build_folder: Path | None = None
        self._started_at: float | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._stderr: IO[bytes] | None = None
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._open_analysis: str | None = None
        self._stopped = False
        self._lock = threading.Lock()

    @property
    def pid(self) -> int | None:
        """Process id of the child, while there is one."""
        return None if self._process is None else self._process.pid

    def open_site(self, site: SiteSpec) -> None:
        """Make the maps of a site ready; cheap while they are warm."""
        self._use(site.engine_build)
        self._ask(OpenSite(site), Done, self._preparation_timeout_s)

    def dock(self, site: SiteSpec, ligand: LigandInput) -> LigandOutcome:
        """Prepare and dock one ligand; a fresh process opens the site first."""
        self._use(site.engine_build)
        if self._process is None:
            self.open_site(site)
        return self._ask(Dock(site.key, ligand), Docked, self._dock_timeout_s).outcome

    def redock(self, site: SiteSpec, native_mol_block: str) -> RedockOutcome:
        """Dock a native ligand from a conformer made anew; a fresh process opens the site first."""
        self._use(site.engine_build)
        if self._process is None:
            self.open_site(site)
        return self._ask(Redock(site.key, native_mol_block), NativeRedocked, self._dock_timeout_s).outcome

    def rescore(self, site: SiteSpec, posed: PosedLigand, *, relax: bool) -> PoseOutcome:
        """Score one pose in place or relaxed; a fresh process opens the site first."""
        self._use(site.engine_build)
        if self._process is None:
            self.open_site(site)
        return self._ask(Rescore(site.key, posed, relax), Rescored, self._dock_timeout_s).outcome

    def read_native(self, data: bytes, file_name: str, selector: str | None) -> NativeMolecule:
        """Take the native ligand out of a structure."""
        request = ReadNative(data, file_name, selector)
        return self._ask(request, NativeRead, self._preparation_timeout_s).native

    def prepare_receptor(self, data: bytes, file_name: str, options: ReceptorOptions) -> PreparedReceptor:
        """Prepare a receptor."""
        request = PrepareReceptor(data, file_name, options)
        return self._ask(request, ReceptorPrepared, self._preparation_timeout_s).receptor

    def find_pockets(self, pdb: str) -> tuple[Pocket, ...]:
        """Find the pockets of a prepared receptor, the best first."""
        return self._ask(FindPockets(pdb), PocketsFound, self._preparation_timeout_s).pockets

    def validate(self, records: Sequence[LigandRecord]) -> list[ValidatedLigand | RejectedRecord]:
        """Validate records, in their order."""
        timeout_s = min(_VALIDATION_S + _VALIDATION_S_PER_RECORD * len(records), self._preparation_timeout_s)
        return list(self._ask(Validate(tuple(records)), Validated, timeout_s).ligands)

    def analyse(self, site: AnalysisSite, posed: PosedLigand) -> PoseAnalysis:
        """Analyse one pose; the receptor is sent once to each process."""
        if self._process is None or self._open_analysis != site.key:
            self._ask(OpenAnalysis(site), Done, self._preparation_timeout_s)
            self._open_analysis = site.key
        return self._ask(Analyse(site.key, posed), Analysed, self._analysis_timeout_s).analysis

    def restart(self) -> None:
        """End the process; the next call starts a fresh one, which holds nothing."""
        self._end()
        self._telemetry.counters.engine_ended(None)
        self._stopped = False

    def stop(self) -> None:
        """End the process from any thread; a call under way raises `ProcessEnded` (stopped)."""
        with self._lock:
            self._stopped = True
            self._kill()

    def _use(self, build_id: str) -> None:
        """End a child that has another build's folder on its path."""
        wanted = self._build_folders.get(build_id)
        if wanted == self._build_folder:
            return
        self._build_folder = wanted
        if self._process is not None:
            self._end()
            self._telemetry.counters.engine_ended(None)

    def _path(self) -> dict[str, str]:
        """The child's PYTHONPATH, where a build's folder comes first."""
        if self._build_folder is None:
            return {}
        own = self._environment.get("PYTHONPATH", "")
        return {"PYTHONPATH": os.pathsep.join(filter(None, (str(self._build_folder), own)))}

    def _ask(self, request: Request, expected: type[R], timeout_s: float) -> R:
        with self._telemetry.tracing.span(f"engine {request.op}"):
            answer = self._exchange(replace(request, ids=bound_ids()), expected, timeout_s)
        self._count_answer()
        return answer

    def _exchange(self, request: Request, expected: type[R], timeout_s: float) -> R:
        process = self._running()
        pipes = BoundedPipes(process, time.monotonic() + timeout_s)
        try:
            write_message(pipes, request)
            response = read_response(pipes)
        except TimeoutError:
            raise self._ended(ExitCause.TIMEOUT, f"It did not answer within {timeout_s:g} s.") from None
        except OSError:
            response = None
        except (ValueError, RecursionError) as error:
            raise self._ended(ExitCause.CRASH, "Its answer could not be read.") from error
        return self._checked(response, expected)

    def _checked(self, response: Response | None, expected: type[R]) -> R:
        match response:
            case None:
                raise self._ended(ExitCause.CRASH)
            case OutOfMemory():
                raise self._ended(ExitCause.OUT_OF_MEMORY, f"The limit is {self._memory_bytes / 2**30:.1f} GiB.")
            case Failed():
                raise _revive(response)
        if not isinstance(response, expected):
            raise self._ended(ExitCause.CRASH, "It answered something else.")
        return response

    def _count_answer(self) -> None:
        started_at, self._started_at = self._started_at, None
        started_s = None if started_at is None else time.monotonic() - started_at
        self._telemetry.counters.engine_answered(_resident_bytes(self.pid), started_s=started_s)

    def _running(self) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._stopped:
                raise ProcessEnded(ExitCause.STOPPED, "The engine process was stopped.")
            if self._process is None:
                self._start()
            return cast("subprocess.Popen[bytes]", self._process)

    def _start(self) -> None:
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed by _tail when the child is reaped
        self._scratch = tempfile.TemporaryDirectory(prefix="mad-engine-", ignore_cleanup_errors=True)
        self._started_at = time.monotonic()
        self._open_analysis = None
        log_to = os.dup(_STDOUT)
        numbers = map(str, (os.getpid(), self._memory_bytes, self._warm_sites, log_to))
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", _HOST, *numbers, self._log_level, *self._programs],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                pass_fds=(log_to,),
                cwd=self._scratch.name,
                # Its temporary files go where they are removed however it ends.
                env=self._environment | self._path() | {"TMPDIR": self._scratch.name},
                start_new_session=True,
                # Unbuffered: select() must see every byte that has arrived.
                bufsize=0,
            )
        finally:
            os.close(log_to)

    def _ended(self, cause: ExitCause, detail: str = "") -> ProcessEnded:
        killed = cause is ExitCause.CRASH and not detail and self._was_killed()
        status, errors_tail = self._end()
        if cause is ExitCause.CRASH:
            detail = detail or _describe(status)
            if "MemoryError" in errors_tail or "bad_alloc" in errors_tail:
                cause = ExitCause.OUT_OF_MEMORY
            elif killed:
                cause = ExitCause.KILLED
        if self._stopped:
            cause = ExitCause.STOPPED
        self._telemetry.counters.engine_ended(cause)
        if cause is ExitCause.STOPPED:
            return ProcessEnded(cause, "The engine process was stopped.")
        return ProcessEnded(cause, f"The engine process ended. {detail}".strip(), status=status, stderr=errors_tail)

    def _was_killed(self) -> bool:
        """Whether the child, which has closed its pipe, was ended by a SIGKILL that is not ours."""
        with self._lock:
            return self._process is not None and not self._stopped and _ended_by_sigkill(self._process)

    def _end(self) -> tuple[int | None, str]:
        """Kill and reap the child and remove its scratch folder; return its exit status and the end of its stderr."""
        with self._lock:
            process, self._process = self._process, None
            if process is None:
                return None, ""
            _kill_group(process)
            status = process.wait()
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    cast(BinaryIO, pipe).close()
            tail = _tail(cast("IO[bytes]", self._stderr))
            cast("tempfile.TemporaryDirectory[str]", self._scratch).cleanup()
            return status, tail

    def _kill(self) -> None:
        if self._process is not None:
            _kill_group(self._process)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    # Not polled: while the child is not reaped its number stays its own, and it may have left children behind.
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _ended_by_sigkill(process: subprocess.Popen[bytes]) -> bool:
    """Wait a moment for the end of a child, without reaping it; return whether SIGKILL was its cause."""
    descriptor = os.pidfd_open(process.pid)
    try:
        select.select([descriptor], [], [], _EXIT_S)
        end = os.waitid(os.P_PIDFD, descriptor, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    finally:
        os.close(descriptor)
    return end is not None and (end.si_code, end.si_status) == (os.CLD_KILLED, signal.SIGKILL)


def _tail(stream: IO[bytes]) -> str:
    with stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(size - _STDERR_TAIL_BYTES, 0))
        # PostgreSQL stores no NUL.
        return stream.read().decode(errors="replace").replace("\0", "").strip()


def _resident_bytes(pid: int | None) -> int:
    """Resident memory of a process, in bytes; 0 when it has ended meanwhile."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _describe(status: int | None) -> str:
    if status is not None and status < 0:
        names = {number.value: number.name for number in signal.Signals}
        return f"It was ended by {names.get(-status, f'signal {-status}')}."
    return f"It exited with status {status}."


def _revive(failed: Failed) -> errors.MadError:
    kind = getattr(errors, failed.kind, errors.MadError)
    error = kind(failed.message, code=failed.code)
    error.details.update(failed.details)
    return cast(errors.MadError, error)

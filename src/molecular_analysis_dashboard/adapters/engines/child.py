"""The engine process as its slot holds it: started when it is asked, bounded in time and memory, ended."""

import contextlib
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, BinaryIO, TypeVar, cast

from molecular_analysis_dashboard.adapters.engines.bounded_pipes import BoundedPipes
from molecular_analysis_dashboard.adapters.engines.messages import (
    Analysed,
    Docked,
    Done,
    Failed,
    NativeRead,
    NativeRedocked,
    OutOfMemory,
    PocketsFound,
    ReceptorPrepared,
    Request,
    Rescored,
    Response,
    Validated,
    read_response,
    write_message,
)
from molecular_analysis_dashboard.domain import errors
from molecular_analysis_dashboard.infrastructure.logging import bound_ids
from molecular_analysis_dashboard.ports.chemistry_process import ExitCause, ProcessEnded
from molecular_analysis_dashboard.ports.telemetry import Telemetry

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
# How long a child that closed its pipe may take to be gone.
_EXIT_S = 2.0
_STDOUT = 1
R = TypeVar(
    "R", Done, Docked, NativeRedocked, Rescored, NativeRead, ReceptorPrepared, PocketsFound, Validated, Analysed
)


class Child:
    """One child process at a time.

    Parameters
    ----------
    memory_bytes : int
        Limit of the child's address space.
    warm_sites : int
        How many sites' maps the child keeps.
    programs : tuple of str
        Programs that are engines too, and the one that computes AutoDock 4's maps, as `host.main` reads them.
    log_level : str
        Level of the child's log lines, which go where this process's standard output goes.
    """

    def __init__(
        self,
        *,
        memory_bytes: int,
        warm_sites: int,
        environment: Mapping[str, str],
        programs: tuple[str, str],
        log_level: str,
        telemetry: Telemetry,
    ) -> None:
        self._memory_bytes = memory_bytes
        self._warm_sites = warm_sites
        self._environment = {**environment, **_ONE_THREAD}
        self._programs = programs
        self._log_level = log_level
        self._telemetry = telemetry
        self._folder: Path | None = None
        self._started_at: float | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._stderr: IO[bytes] | None = None
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._stopped = False
        self._lock = threading.Lock()
        # Which child this is: what an earlier one held is gone.
        self.generation = 0

    @property
    def pid(self) -> int | None:
        """Process id, while there is a child."""
        return None if self._process is None else self._process.pid

    def restart(self) -> None:
        """End the child; the next request starts a fresh one, which holds nothing."""
        self._end()
        self._telemetry.counters.engine_ended(None)
        self._stopped = False

    def stop(self) -> None:
        """End the child from any thread; a request under way raises `ProcessEnded` (stopped)."""
        with self._lock:
            self._stopped = True
            self._kill()

    def put_first_on_path(self, folder: Path | None) -> None:
        """Have modules of a folder take the place of installed ones; a child that was started otherwise ends."""
        if folder == self._folder:
            return
        self._folder = folder
        if self._process is not None:
            self._end()
            self._telemetry.counters.engine_ended(None)

    def ask(self, request: Request, expected: type[R], timeout_s: float) -> R:
        """Send a request and return the answer; a child that is not there is started first.

        Raises
        ------
        ProcessEnded
            When the child ends, takes longer than `timeout_s`, or answers something else.
        MadError
            What the work itself raised.
        """
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
        self.generation += 1
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

    def _path(self) -> dict[str, str]:
        """The child's PYTHONPATH, where a build's folder comes first."""
        if self._folder is None:
            return {}
        own = self._environment.get("PYTHONPATH", "")
        return {"PYTHONPATH": os.pathsep.join(filter(None, (str(self._folder), own)))}


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

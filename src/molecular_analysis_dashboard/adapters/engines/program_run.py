"""Running another program from an engine process: one at a time, bounded, and never outliving who started it.

Its memory is bounded by the engine process's own limit, which it inherits. Its time is bounded by the slot, which kills
the engine process's group, and so the program, on timeout and cancel. If the slot or the engine process dies, the
kernel ends the program.
"""

import contextlib
import hashlib
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from molecular_analysis_dashboard.adapters.engines.parent_death import die_with_parent
from molecular_analysis_dashboard.domain.errors import EngineFailed

# A hundred poses of the largest ligand take some 5 MB.
MAX_FILE_BYTES = 64 << 20
# A shell ends so when a signal ended its last program.
_SHELL_SIGNALS = 128
_WORDS_BYTES = 16_384
_WORDS_SHOWN, _FIRST_WORDS = 400, 100
_OUT_OF_MEMORY = ("bad_alloc", "insufficient memory", "MemoryError", "Cannot allocate memory")


@dataclass(frozen=True)
class Ended:
    """How a program ended, and the beginning and end of what it said on both of its outputs."""

    status: int
    words: str

    @property
    def signal_name(self) -> str | None:
        """The signal that ended it."""
        if self.status >= 0:
            return None
        names = {number.value: number.name for number in signal.Signals}
        return names.get(-self.status, f"signal {-self.status}")

    @property
    def is_out_of_memory(self) -> bool:
        """Whether it ended because it got no more memory."""
        return self.status != 0 and any(word in self.words for word in _OUT_OF_MEMORY)

    @property
    def flooded(self) -> bool:
        """Whether it wrote a larger file than it may."""
        by_signal = self.status in (-signal.SIGXFSZ, _SHELL_SIGNALS + signal.SIGXFSZ)
        return by_signal or (self.status != 0 and "File too large" in self.words)

    def told(self, name: str) -> str:
        """Return its own words on one line, shortened, and how it ended."""
        # After a wrong option the family prints its whole help.
        own = self.words.partition("Correct usage")[0]
        lines = [line.strip() for line in own.splitlines() if line.strip(" #\t\r")]
        how = f"was ended by {self.signal_name}" if self.status < 0 else f"ended with status {self.status}"
        if self.flooded:
            how = f"wrote a file of more than {MAX_FILE_BYTES >> 20} MiB and was ended"
        said = " ".join(lines)
        # What went wrong comes last, after a banner.
        shortened = (
            said if len(said) <= _WORDS_SHOWN else f"{said[:_FIRST_WORDS]} … {said[_FIRST_WORDS - _WORDS_SHOWN :]}"
        )
        return f"{name} {how}, and says: {shortened}" if said else f"{name} {how} without a word."


def run_program(command: Sequence[str], folder: Path, *, timeout_s: float | None = None) -> Ended:
    """Run a program in a folder of its own until it ends.

    Parameters
    ----------
    timeout_s : float, optional
        Longest time in seconds, for programs that no slot watches; it then leads a process group of its own.

    Raises
    ------
    EngineFailed
        With code ``engine_unusable``, if it cannot be started or does not end in time.
    """
    with (folder / "words.txt").open("w+b") as words:
        process = _start(command, folder, words.fileno(), own_group=timeout_s is not None)
        try:
            status = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise EngineFailed(
                f"{' '.join(command)} did not answer within {timeout_s:g} s.", code="engine_unusable"
            ) from None
        return Ended(status, _ends_of(words.fileno()))


def file_hash(path: str) -> str:
    """Return the SHA-256 of a file, empty for a text that names none."""
    if not Path(path).is_file():
        return ""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def follow(ended: Ended) -> NoReturn:
    """End this process by the signal that ended the program: the slot then judges it as it judges every engine."""
    sys.stderr.write(f"{ended.words}\n")
    sys.stderr.flush()
    number = -ended.status
    if number != signal.SIGKILL:
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    # A signal that ends no process by default would bring us here.
    os._exit(1)


def _start(command: Sequence[str], folder: Path, output: int, *, own_group: bool) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            process_group=0 if own_group else None,
            # Engine processes have one thread, and workers look for engines before they start any.
            preexec_fn=_bound_child(os.getpid()),
        )
    except OSError as cause:
        raise EngineFailed(_why_not(command[0], cause), code="engine_unusable", program=command[0]) from cause


def _bound_child(parent_pid: int) -> Callable[[], None]:
    def bound() -> None:
        die_with_parent(parent_pid)
        resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_FILE_BYTES, MAX_FILE_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    return bound


def _why_not(program: str, cause: OSError) -> str:
    match cause:
        case FileNotFoundError() if Path(program).exists():
            return f"{program} cannot be started: its loader or interpreter is not on this machine."
        case FileNotFoundError():
            return f"There is no program {program}. Correct its path in MAD_ENGINE_COMMANDS."
        case PermissionError():
            return f"{program} may not be executed by this account. Set its execute permission."
        case _:
            return f"{program} cannot be started ({cause.strerror}): it was built for another kind of machine."


def _ends_of(descriptor: int) -> str:
    size = os.fstat(descriptor).st_size
    begin = os.pread(descriptor, _WORDS_BYTES, 0)
    end = os.pread(descriptor, _WORDS_BYTES, max(size - _WORDS_BYTES, len(begin)))
    # PostgreSQL stores no NUL.
    return (begin + end).decode(errors="replace").replace("\0", "")

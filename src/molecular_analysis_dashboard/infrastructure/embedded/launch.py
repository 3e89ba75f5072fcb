"""Starting and ending one child process."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .account import Account, child_command
from .waiting import wait_until

# The kernel's death signal follows the thread that forked, not the process. Every child is therefore started by this
# one thread, which lives as long as the interpreter, whoever asks for it.
_starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embedded-starter")

Steps = Sequence[tuple[signal.Signals, float]]

_SERVER_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
KILL_WAIT_S = 10.0


def launch(
    command: Sequence[str],
    *,
    log_file: Path,
    death_signal: signal.Signals,
    account: Account | None = None,
    environment: Mapping[str, str] = _SERVER_ENVIRONMENT,
    cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, so that a Ctrl-C at the terminal reaches only us.

    Parameters
    ----------
    command : Sequence[str]
        Absolute path of the program, and its arguments.
    log_file : Path
        Gets standard output and standard error, appended.
    death_signal : signal.Signals
        What the kernel sends to the program when this process dies.
    account : Account, optional
        The account to run under, else the present one.
    environment : Mapping[str, str]
        The whole environment of the program.
    cwd : Path, optional
        Its working folder, else the present one.
    """
    account = account or Account(os.geteuid(), os.getegid())
    numbers = map(str, (os.getpid(), int(death_signal), account.uid, account.gid))
    arguments = [*child_command("run"), *numbers, *command]

    def start() -> subprocess.Popen[bytes]:
        log_file.touch(mode=0o600)
        with log_file.open("ab") as log:
            return subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                cwd=cwd,
                start_new_session=True,
            )

    return _starter.submit(start).result()


def end(process: subprocess.Popen[bytes], steps: Steps) -> bool:
    """Send one signal after the other, each with its time in seconds to take effect, and at last SIGKILL.

    Returns
    -------
    bool
        Whether the process left before SIGKILL.
    """
    for number, timeout_s in steps:
        process.send_signal(number)
        if wait_until(lambda: process.poll() is not None, timeout_s):
            return True
    process.kill()
    process.wait(KILL_WAIT_S)
    return False

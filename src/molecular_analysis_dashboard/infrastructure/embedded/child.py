"""The few lines that run inside a child process, as a script of its own that needs only the standard library.

``run``
    Become the given account, ask the kernel for a signal when the parent dies, then execute the program.
    The signal is asked for last: the kernel forgets it when a process changes its account. An execution keeps it.
``access``
    Under the given account, print each given path that cannot be traversed, read or executed.
``find``
    Under the given account, print the processes that work in a folder. Looking at the working folder of another
    account's process needs a capability that root does not have in most containers, hence under that account.

A script started anew, and not code between fork and exec: the parent may have threads.
"""

import ctypes
import os
import signal
import stat
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_EXIT_CANNOT_EXECUTE = 126


def become(uid: int, gid: int) -> None:
    """Take on an account for good, without any supplementary group."""
    if os.geteuid() == uid:
        return
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)


def signal_on_parent_death(death_signal: int, parent_pid: int) -> None:
    """Ask for a signal when the parent ends, and leave at once when it has ended already."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    if os.getppid() != parent_pid:
        os._exit(0)


def start_ticks(pid: int) -> int | None:
    """When a process began, in clock ticks since boot (field 22 of its stat); None when it is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    return None if fields[0] in (b"Z", b"X") else int(fields[19])


def find_processes(device: int, inode: int, programs: frozenset[str]) -> list[tuple[int, int, int]]:
    """Processes of this account that run one of the programs inside a folder: (pid, parent pid, start ticks)."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            folder = (entry / "cwd").stat()
            program = os.path.basename(os.readlink(entry / "exe")).removesuffix(" (deleted)")  # noqa: PTH115, PTH119
            fields = (entry / "stat").read_bytes().rpartition(b")")[2].split()
            owner = entry.stat().st_uid
        except OSError:
            continue
        if (folder.st_dev, folder.st_ino) != (device, inode) or owner != os.geteuid():
            continue
        if program in programs and fields[0] not in (b"Z", b"X"):
            found.append((int(entry.name), int(fields[1]), int(fields[19])))
    return found


def inaccessible(paths: list[str]) -> list[str]:
    """Those paths this account cannot use: read for a file, read and traverse for a folder."""
    refused = []
    for path in paths:
        try:
            folder = stat.S_ISDIR(os.stat(path).st_mode)  # noqa: PTH116
        except OSError:
            refused.append(path)
            continue
        if not os.access(path, os.X_OK if folder else os.R_OK):
            refused.append(path)
    return refused


def _run(parent_pid: int, death_signal: int, uid: int, gid: int, command: list[str]) -> None:
    become(uid, gid)
    os.umask(0o077)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    signal_on_parent_death(death_signal, parent_pid)
    try:
        os.execv(command[0], command)
    except OSError as error:
        sys.stderr.write(f"cannot execute {command[0]}: {error.strerror}\n")
        sys.exit(_EXIT_CANNOT_EXECUTE)


def _main(arguments: list[str]) -> None:
    mode, *rest = arguments
    if mode == "run":
        parent_pid, death_signal, uid, gid = map(int, rest[:4])
        _run(parent_pid, death_signal, uid, gid, rest[4:])
        return
    become(int(rest[0]), int(rest[1]))
    if mode == "access":
        sys.stdout.buffer.write(b"\0".join(os.fsencode(path) for path in inaccessible(rest[2:])))
    elif mode == "find":
        for row in find_processes(int(rest[2]), int(rest[3]), frozenset(rest[4:])):
            sys.stdout.write("{} {} {}\n".format(*row))


if __name__ == "__main__":
    _main(sys.argv[1:])

"""Ending the servers that an earlier, killed run left behind in a folder, and nothing else."""

import contextlib
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .account import Account
from .child import find_processes, start_ticks
from .errors import LeftoverProcess
from .launch import Steps
from .waiting import wait_until


@dataclass(frozen=True)
class FoundProcess:
    """A process, told apart from a later one with the same number by when it began."""

    pid: int
    parent_pid: int
    started_ticks: int

    @property
    def alive(self) -> bool:
        """Whether this very process still runs."""
        return start_ticks(self.pid) == self.started_ticks


def send_signal(pid: int, started_ticks: int, number: signal.Signals) -> bool:
    """Signal one process, and never another that got its number meanwhile; false when it is gone."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        if start_ticks(pid) != started_ticks:
            return False
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, number)
        return True
    finally:
        os.close(handle)


def processes_in(folder: Path, programs: frozenset[str], account: Account) -> list[FoundProcess]:
    """The account's processes that run one of the programs with this working folder."""
    status = folder.stat()
    if account.is_ours:
        rows = find_processes(status.st_dev, status.st_ino, programs)
    else:
        output = account.ask("find", str(status.st_dev), str(status.st_ino), *sorted(programs))
        rows = list(_parsed(output.decode()))
    return [FoundProcess(*row) for row in rows]


def end_leftovers(folder: Path, programs: frozenset[str], account: Account, steps: Steps) -> int:
    """End the servers that still work in a folder of ours; how many there were.

    A server proper gets the given steps. Children that survived their server get no chance to go on: they are asked
    once to end at once.

    Raises
    ------
    LeftoverProcess
        When one outlives SIGKILL (a process stuck in the kernel, on a dead network drive for instance).
    """
    found = processes_in(folder, programs, account)
    total = len(found)
    for number, timeout_s in (*steps, (signal.SIGKILL, 10.0)):
        if not found:
            return total
        pids = {process.pid for process in found}
        for process in found:
            if process.parent_pid not in pids:
                send_signal(process.pid, process.started_ticks, number)
                send_signal(process.pid, process.started_ticks, signal.SIGCONT)  # or a stopped one would never act
        waiting = found
        wait_until(lambda waiting=waiting: not any(p.alive for p in waiting), timeout_s)  # type: ignore[misc]
        found = processes_in(folder, programs, account)
    if found:
        pids_text = ", ".join(str(process.pid) for process in found)
        raise LeftoverProcess(
            f"Process {pids_text} of an earlier run still uses {folder} and does not end. "
            "End it or restart the machine, then try again.",
            pids=[process.pid for process in found],
            folder=str(folder),
        )
    return total


def end_session(leader_pid: int, leader_ticks: int) -> None:
    """End what is left of a session whose leader is gone: SIGTERM, then SIGKILL.

    A number stays taken while a session bears it, so a later process of that number means that the session is over.
    """
    if start_ticks(leader_pid) is not None:
        return
    for number, timeout_s in ((signal.SIGTERM, 2.0), (signal.SIGKILL, 10.0)):
        members = _session_members(leader_pid, leader_ticks)
        for member in members:
            send_signal(member.pid, member.started_ticks, number)
        wait_until(lambda members=members: not any(member.alive for member in members), timeout_s)  # type: ignore[misc]


def _session_members(leader_pid: int, leader_ticks: int) -> list[FoundProcess]:
    members = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_bytes().rpartition(b")")[2].split()
            owner = entry.stat().st_uid
        except OSError:
            continue
        if int(fields[3]) == leader_pid and owner == os.geteuid() and int(fields[19]) >= leader_ticks:
            members.append(FoundProcess(int(entry.name), int(fields[1]), int(fields[19])))
    return [member for member in members if member.alive]


def _parsed(output: str) -> Iterator[tuple[int, int, int]]:
    for line in output.splitlines():
        pid, parent_pid, ticks = line.split()
        yield int(pid), int(parent_pid), int(ticks)

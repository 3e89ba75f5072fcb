"""Which account the servers run under: our own, or for root an unprivileged one that exists as a number only."""

import os
import pwd
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import child
from .errors import DataFolderUnusable, ServerAccountUnusable

# Neither Debian policy (section 9.2.2) nor systemd ("Users, Groups, UIDs and GIDs") hands out this range, and it
# lies below 65536, all a container in a user namespace may have.
_SERVER_UIDS = range(60923, 60940)


@dataclass(frozen=True)
class Account:
    """User and group numbers under which a program runs."""

    uid: int
    gid: int

    @property
    def is_ours(self) -> bool:
        """Whether this process already runs under the account."""
        return self.uid == os.geteuid()

    def own(self, path: Path) -> None:
        """Give a file, or a folder with everything in it, to the account."""
        path = path.resolve()
        if self.is_ours or path.stat().st_uid == self.uid:
            return
        for folder, folders, files in os.walk(path):
            for name in (*folders, *files):
                os.lchown(os.path.join(folder, name), self.uid, self.gid)  # noqa: PTH118
        os.lchown(path, self.uid, self.gid)

    def private_folder(self, path: Path) -> Path:
        """Make a folder that only this account (and root) may enter."""
        path.mkdir(mode=0o700, exist_ok=True)
        self.own(path)
        path.chmod(0o700)
        return path

    def inaccessible(self, paths: Sequence[Path]) -> list[Path]:
        """Those of the paths that the account cannot read or traverse."""
        if self.is_ours:
            return [Path(path) for path in child.inaccessible([str(path) for path in paths])]
        output = self.ask("access", *map(str, paths))
        return [Path(os.fsdecode(name)) for name in output.split(b"\0") if name]

    def ask(self, mode: str, *arguments: str) -> bytes:
        """Run one question of ``child.py`` under the account and return what it printed."""
        command = [*child_command(mode), str(self.uid), str(self.gid), *arguments]
        result = subprocess.run(command, capture_output=True, check=False, timeout=60)
        if result.returncode != 0:
            reason = result.stderr.decode(errors="replace").strip().rpartition("\n")[2]
            raise ServerAccountUnusable(
                f"The servers must not run as root, and changing to user number {self.uid} failed ({reason}). "
                "Start as an ordinary user.",
                uid=self.uid,
                reason=reason,
            )
        return result.stdout


def child_command(mode: str) -> list[str]:
    """The command that runs ``child.py`` with the bare interpreter."""
    return [sys.executable, "-I", "-S", child.__file__, mode]


def server_account() -> Account:
    """The account for the servers: the present one, unless that is root, as PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    taken = {entry.pw_uid for entry in pwd.getpwall()}
    uid = next(uid for uid in _SERVER_UIDS if uid not in taken)
    return Account(uid, uid)


def account_with_a_name(account: Account) -> Account:
    """An unprivileged account that the user database lists, which ``initdb`` insists on (``postgres`` does not)."""
    named = {entry.pw_name: Account(entry.pw_uid, entry.pw_gid) for entry in pwd.getpwall() if entry.pw_uid != 0}
    if account.is_ours:
        if account.uid not in {other.uid for other in named.values()}:
            raise ServerAccountUnusable(
                f"User number {account.uid} has no entry in the system's user database, which PostgreSQL needs to "
                "create a database. Start as a listed user or as root.",
                uid=account.uid,
            )
        return account
    if not named:
        raise ServerAccountUnusable(
            "The system's user database lists no account besides root, and PostgreSQL refuses root. "
            "Start as an ordinary user."
        )
    return named.get("nobody") or next(iter(named.values()))


def let_pass(account: Account, data_dir: Path) -> None:
    """Make sure the account can reach into the data folder; only the folder itself may be opened for that.

    Raises
    ------
    DataFolderUnusable
        When a folder above it shuts the account out.
    """
    if account.is_ours:
        return
    status = data_dir.stat()
    if status.st_uid == os.geteuid() and not status.st_mode & 0o001:
        data_dir.chmod(status.st_mode & 0o777 | 0o011)
    if account.inaccessible([data_dir]):
        closed = account.inaccessible(list(data_dir.parents))
        barrier = min(closed, key=lambda path: len(path.parts), default=data_dir)
        raise DataFolderUnusable(
            f"The data folder {data_dir} lies below {barrier}, which only its owner may enter, but the database "
            "server must not run as root. Choose another folder with --data-dir or MAD_DATA_DIR.",
            data_dir=str(data_dir),
            barrier=str(barrier),
        )

"""Where everything of one installation lies, and where its sockets can lie."""

import contextlib
import hashlib
import os
import re
import socket
import stat
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .account import Account
from .errors import DataFolderUnusable

_FOLDER_NAME = "molecular-analysis-dashboard"
_SOCKET_PATH_LIMIT_BYTES = 107  # unix(7): sun_path holds 108 bytes with the terminating zero
_LONGEST_SOCKET_NAME = ".s.PGSQL.5432"
_PLAIN_PATH = re.compile(r"[A-Za-z0-9._/-]+")  # needs no quoting in a URL, and no comma, which libpq splits at


def default_data_dir() -> Path:
    """The data folder when none is named: MAD_DATA_DIR, for root below /var/lib, else below XDG_DATA_HOME."""
    chosen = os.environ.get("MAD_DATA_DIR")
    if chosen:
        return Path(chosen).expanduser()
    if os.geteuid() == 0:
        return Path("/var/lib") / _FOLDER_NAME
    base = os.environ.get("XDG_DATA_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".local" / "share") / _FOLDER_NAME


@dataclass(frozen=True)
class DataLayout:
    """The folders inside one data folder."""

    root: Path

    @property
    def postgres(self) -> Path:
        """The database cluster."""
        return self.root / "postgres"

    @property
    def redis(self) -> Path:
        """The append-only file of Redis."""
        return self.root / "redis"

    @property
    def engines(self) -> Path:
        """Engine builds made for this machine."""
        return self.root / "engines"

    @property
    def sockets(self) -> Path:
        """The preferred place of the sockets."""
        return self.root / "sockets"

    @property
    def logs(self) -> Path:
        """What the processes print."""
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """Locks and the state of the running stack."""
        return self.root / "run"

    @property
    def programs(self) -> Path:
        """Copies of server programs that lie where the server account cannot read."""
        return self.root / "programs"

    def create(self) -> None:
        """Make the folder and those parts that belong to us.

        Raises
        ------
        OSError
            When the system refuses; callers name the folder in their error.
        """
        self.root.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
        for folder, mode in ((self.logs, 0o711), (self.run, 0o755)):
            folder.mkdir(exist_ok=True)
            folder.chmod(mode)  # whatever the umask: the servers' account passes through


def socket_folder(layout: DataLayout, account: Account) -> Path:
    """A private folder whose socket paths are short and plain enough, preferably inside the data folder."""
    for candidate in _candidates(layout, account):
        with contextlib.suppress(OSError):
            if _fits(candidate) and _claim(candidate, account):
                return candidate
    raise DataFolderUnusable(
        f"No folder can hold the sockets of {layout.root}: none is writable with a path short enough. "
        "Choose a data folder with a short path with --data-dir or MAD_DATA_DIR.",
        data_dir=str(layout.root),
    )


def _candidates(layout: DataLayout, account: Account) -> Iterator[Path]:
    yield layout.sockets
    name = f"mad-{account.uid}-{hashlib.sha256(os.fsencode(layout.root.resolve())).hexdigest()[:12]}"
    bases = [os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir(), "/tmp", "/var/tmp"]
    for base in bases:
        if base.startswith("/"):
            yield Path(base) / name
    for base in bases[1:]:
        yield Path(base) / f"mad-{uuid.uuid4().hex[:12]}"  # someone else has the usual name


def _fits(folder: Path) -> bool:
    path = str(folder / _LONGEST_SOCKET_NAME)
    return len(os.fsencode(path)) <= _SOCKET_PATH_LIMIT_BYTES and _PLAIN_PATH.fullmatch(path) is not None


def _claim(folder: Path, account: Account) -> bool:
    """Make the folder private to the account; false when someone else has it, or it cannot hold a socket."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in (account.uid, os.geteuid()):
        return False
    account.private_folder(folder)
    if account.inaccessible([folder]):
        return False
    probe = folder / ".probe"
    probe.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(probe))
    probe.unlink()
    return True

"""One Redis server on a private unix socket: started, recovered, stopped."""

import signal
import socket
import subprocess
from pathlib import Path

from . import logs
from .account import Account
from .binaries import ServerBinaries
from .errors import ServerFailed, unusable
from .launch import Steps, end, launch
from .leftovers import end_leftovers
from .waiting import wait_until

_STOP_STEPS: Steps = ((signal.SIGTERM, 10.0),)
_ANSWER_TIMEOUT_S = 5.0
_NO_SPACE = "No space left on device"


class RedisServer:
    """The Redis server of one folder, with its append-only file written out every second.

    Parameters
    ----------
    folder : Path
        Holds the append-only file; created when missing.
    sockets : Path
        Folder of the socket, private to the account.
    durable : bool
        Whether the append-only file is forced to the disk every second. Off only for tests.
    """

    def __init__(
        self,
        binaries: ServerBinaries,
        account: Account,
        *,
        folder: Path,
        sockets: Path,
        logs_folder: Path,
        durable: bool,
        start_timeout_s: float,
    ) -> None:
        self._binaries = binaries
        self._account = account
        self._folder = folder
        self.socket_path = sockets / "redis.sock"
        self.log_file = logs_folder / "redis.log"
        self._durable = durable
        self._start_timeout_s = start_timeout_s
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Process number of the server while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """End leftovers, start, and wait until the data are loaded.

        Raises
        ------
        DataFolderUnusable
            When the disk is full.
        ServerFailed
            When the server does not come up; the message names its log.
        """
        self._account.private_folder(self._folder)
        logs.rotate(self.log_file)
        end_leftovers(self._folder, frozenset({self._binaries.redis_server.name}), self._account, _STOP_STEPS)
        self.socket_path.unlink(missing_ok=True)
        printed = logs.size_bytes(self.log_file)
        process = self._process = launch(
            self._command(),
            log_file=self.log_file,
            death_signal=signal.SIGTERM,
            account=self._account,
            cwd=Path("/"),
        )
        wait_until(lambda: process.poll() is not None or self.answers(), self._start_timeout_s)
        if not self.answers():
            end(process, _STOP_STEPS)
            self._process = None
            raise self._failure(logs.tail(self.log_file, since_bytes=printed))

    def stop(self) -> None:
        """Shut down after writing out what is pending."""
        if self._process is not None:
            end(self._process, _STOP_STEPS)
            self._process = None

    def answers(self) -> bool:
        """Whether the server replies and has loaded its data."""
        if self.pid is None:
            return False
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_ANSWER_TIMEOUT_S)
            try:
                connection.connect(str(self.socket_path))
                connection.sendall(b"PING\r\n")
                return connection.recv(64).startswith(b"+PONG")  # "-LOADING" while it reads its file
            except OSError:
                return False

    def _command(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self.socket_path),
            "unixsocketperm": "700",
            "dir": str(self._folder),
            "appendonly": "yes",
            "appendfsync": "everysec" if self._durable else "no",
            "aof-load-truncated": "yes",
            "save": "",
            "maxmemory": "0",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
            "loglevel": "notice",
        }
        command = [str(self._binaries.redis_server)]
        for name, value in options.items():
            command += [f"--{name}", value]
        return command

    def _failure(self, message: str) -> Exception:
        if _NO_SPACE in message:
            return unusable(self._folder.parent, OSError(0, _NO_SPACE))
        return ServerFailed(
            f"Redis did not start: {message.rpartition(chr(10))[2] or 'no message'}. See {self.log_file}. "
            f"If its file is damaged, move {self._folder} away: the database holds all jobs, and the queue is "
            "filled from it again.",
            log_file=str(self.log_file),
            log=message,
        )

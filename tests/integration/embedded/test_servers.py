import os
import stat
import threading
from pathlib import Path

import psutil
import pytest
import redis

from molecular_analysis_dashboard.infrastructure.embedded.errors import AlreadyRunning, ServerFailed
from molecular_analysis_dashboard.infrastructure.embedded.postgres_settings import dynamic_shared_memory_type
from molecular_analysis_dashboard.infrastructure.embedded.servers import EmbeddedServers
from molecular_analysis_dashboard.infrastructure.embedded.temporary import temporary_servers
from molecular_analysis_dashboard.infrastructure.embedded.waiting import wait_until

from .conftest import Query


def redis_of(servers: EmbeddedServers) -> redis.Redis:
    return redis.Redis.from_url(servers.addresses.redis_url, decode_responses=True)


def test_new_folder_gives_two_answering_servers(servers: EmbeddedServers, query: Query) -> None:
    assert query(servers, "SELECT current_database(), current_user") == [("mad", "mad")]
    with redis_of(servers) as client:
        assert client.ping()
    assert [(health.name, health.answering) for health in servers.health()] == [("postgres", True), ("redis", True)]


def test_settings_of_the_users_shell_for_other_servers_have_no_say(
    data_dir: Path, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PGPORT", "PGHOST", "PGDATA", "PGUSER", "PGDATABASE"):
        monkeypatch.setenv(name, "1")
    with EmbeddedServers(data_dir, durable=False) as servers:
        assert query(servers, "SELECT current_database(), current_user") == [("mad", "mad")]


def test_data_outlive_a_stop(data_dir: Path, query: Query) -> None:
    with EmbeddedServers(data_dir) as servers:
        query(servers, "CREATE TABLE kept AS SELECT 7 AS value")
        with redis_of(servers) as client:
            client.set("kept", "7")
    with EmbeddedServers(data_dir) as servers:
        assert query(servers, "SELECT value FROM kept") == [(7,)]
        with redis_of(servers) as client:
            assert client.get("kept") == "7"


def test_stop_ends_both_processes_and_removes_their_sockets(data_dir: Path) -> None:
    servers = EmbeddedServers(data_dir, durable=False)
    servers.start()
    pids = (servers.postgres_pid, servers.redis_pid)
    servers.stop()
    servers.stop()
    assert not any(pid is None or psutil.pid_exists(pid) for pid in pids)
    assert (servers.postgres_pid, servers.redis_pid) == (None, None)
    assert list((data_dir / "sockets").iterdir()) == []


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("listen_addresses", ""),
        ("server_encoding", "UTF8"),
        ("lc_messages", "C"),
        ("data_checksums", "on"),
        ("max_connections", "200"),
        ("shared_buffers", "128MB"),
        ("jit", "off"),
        ("TimeZone", "UTC"),
        ("unix_socket_permissions", "0700"),
    ],
)
def test_postgres_setting(shared: EmbeddedServers, query: Query, setting: str, value: str) -> None:
    assert query(shared, f"SHOW {setting}") == [(value,)]


def test_postgres_sorts_by_code_point_and_trusts_only_its_socket(shared: EmbeddedServers, query: Query) -> None:
    assert query(shared, "SELECT datcollate, datctype FROM pg_database WHERE datname = 'mad'") == [("C", "C")]
    rules = query(shared, "SELECT DISTINCT type, auth_method FROM pg_hba_file_rules ORDER BY type")
    assert rules == [("host", "reject"), ("local", "trust")]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("port", "0"),
        ("unixsocketperm", "700"),
        ("appendonly", "yes"),
        ("aof-load-truncated", "yes"),
        ("maxmemory-policy", "noeviction"),
        ("save", ""),
    ],
)
def test_redis_setting(shared: EmbeddedServers, setting: str, value: str) -> None:
    with redis_of(shared) as client:
        assert client.config_get(setting) == {setting: value}


def test_writing_to_the_disk_is_on_unless_told_otherwise(base: Path, query: Query) -> None:
    for durable, fsync, appendfsync in ((True, "on", "everysec"), (False, "off", "no")):
        with EmbeddedServers(base / str(durable), durable=durable) as servers:
            assert query(servers, "SHOW fsync") == [(fsync,)]
            with redis_of(servers) as client:
                assert client.config_get("appendfsync") == {"appendfsync": appendfsync}


def test_nothing_listens_on_a_port_and_sockets_are_private(shared: EmbeddedServers) -> None:
    for pid in (shared.postgres_pid, shared.redis_pid):
        assert psutil.Process(pid).net_connections(kind="inet") == []
    folder = shared.layout.sockets
    for path in (folder, shared.layout.postgres, shared.layout.redis, folder / "redis.sock"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_servers_never_run_as_root(shared: EmbeddedServers) -> None:
    for pid in (shared.postgres_pid, shared.redis_pid):
        process = psutil.Process(pid)
        assert 0 not in (*process.uids(), *process.gids())
        assert "CapEff:\t0000000000000000" in Path(f"/proc/{pid}/status").read_text()


def test_output_goes_to_logs_and_not_to_the_terminal(data_dir: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with EmbeddedServers(data_dir, durable=False):
        pass
    assert capfd.readouterr() == ("", "")
    written = "".join(path.read_text() for path in (data_dir / "logs").rglob("*.log"))
    assert "database system is ready to accept connections" in written
    assert "ready to accept connections at" in written


@pytest.mark.parametrize("name", ["with space", "Molekül-日本", "a,b", "n" * 120, "quote'\"%41$HOME"])
def test_any_folder_name_works(base: Path, query: Query, name: str) -> None:
    with EmbeddedServers(base / name, durable=False) as servers:
        assert query(servers, "SELECT 1") == [(1,)]
        servers.restart_redis()
        with redis_of(servers) as client:
            assert client.ping()
        sockets = Path(servers.addresses.redis_url.removeprefix("unix://").partition("?")[0]).parent
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    assert not sockets.exists()


def test_sockets_find_a_place_when_the_usual_ones_do_not_fit(
    base: Path, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    too_long = base / ("t" * 120)
    too_long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(too_long))
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/nonexistent")
    with EmbeddedServers(base / "with space", durable=False) as servers:
        assert query(servers, "SELECT 1") == [(1,)]


def test_a_socket_folder_taken_by_someone_else_is_not_used(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(base))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    with EmbeddedServers(base / "with space", durable=False) as servers:
        usual = Path(servers.addresses.redis_url.removeprefix("unix://").partition("?")[0]).parent
    assert usual.parent == base
    elsewhere = base / "elsewhere"
    elsewhere.mkdir()
    usual.symlink_to(elsewhere)
    with EmbeddedServers(base / "with space", durable=False) as servers:
        assert str(usual) not in servers.addresses.redis_url
    assert list(elsewhere.iterdir()) == []


def test_second_start_on_the_same_folder_is_refused_without_harm(servers: EmbeddedServers, query: Query) -> None:
    pids = (servers.postgres_pid, servers.redis_pid)
    for second in (EmbeddedServers(servers.layout.root), servers):
        with pytest.raises(AlreadyRunning, match=f"process {os.getpid()}"):
            second.start()
    assert (servers.postgres_pid, servers.redis_pid) == pids
    assert query(servers, "SELECT 1") == [(1,)]


def test_addresses_of_servers_that_were_not_started_are_refused(data_dir: Path) -> None:
    servers = EmbeddedServers(data_dir)
    with pytest.raises(ServerFailed, match="not started"):
        _ = servers.addresses
    assert [health.answering for health in servers.health()] == [False, False]


def test_restart_keeps_addresses_and_data(servers: EmbeddedServers, query: Query) -> None:
    addresses, pids = servers.addresses, (servers.postgres_pid, servers.redis_pid)
    query(servers, "CREATE TABLE kept AS SELECT 7 AS value")
    servers.restart_postgres()
    servers.restart_redis()
    assert servers.addresses == addresses
    assert not set(pids) & {servers.postgres_pid, servers.redis_pid}
    assert query(servers, "SELECT value FROM kept") == [(7,)]


def test_servers_outlive_the_thread_that_started_them(data_dir: Path, query: Query) -> None:
    servers = EmbeddedServers(data_dir, durable=False)
    thread = threading.Thread(target=servers.start)
    thread.start()
    thread.join()
    try:
        assert not wait_until(lambda: None in (servers.postgres_pid, servers.redis_pid), 0.5)
        assert query(servers, "SELECT 1") == [(1,)]
    finally:
        servers.stop()


def test_temporary_servers_leave_nothing(query: Query) -> None:
    with temporary_servers() as servers:
        assert query(servers, "SELECT 1") == [(1,)]
        folder = servers.layout.root
    assert not folder.exists()


def test_little_shared_memory_moves_parallel_queries_to_files() -> None:
    assert dynamic_shared_memory_type(needed_bytes=0) == "posix"
    assert dynamic_shared_memory_type(needed_bytes=2**62) == "mmap"

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from molecular_analysis_dashboard.infrastructure.embedded.account import server_account
from molecular_analysis_dashboard.infrastructure.embedded.binaries import locate_server_binaries, readable_by
from molecular_analysis_dashboard.infrastructure.embedded.child import start_ticks
from molecular_analysis_dashboard.infrastructure.embedded.errors import ServerFailed
from molecular_analysis_dashboard.infrastructure.embedded.launch import end, launch
from molecular_analysis_dashboard.infrastructure.embedded.servers import EmbeddedServers
from molecular_analysis_dashboard.infrastructure.embedded.waiting import wait_until

from .conftest import Query

HOLDER = Path(__file__).with_name("holder_program.py")


@contextmanager
def holder(data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], list[int], str]]:
    """Another process that holds the servers; gives it, the servers' process numbers and the database's address."""
    with subprocess.Popen([sys.executable, HOLDER, data_dir], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            report = json.loads(process.stdout.readline())
            yield process, report["pids"], report["url"].replace("+psycopg", "")
        finally:
            process.kill()


@contextmanager
def bystander(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the servers' account that works in their folder, but is none of them."""
    process = launch(
        ["/bin/sleep", "600"],
        log_file=folder.parent / "bystander.log",
        death_signal=signal.SIGKILL,
        account=server_account(),
        cwd=folder,
    )
    try:
        assert wait_until(lambda: psutil.Process(process.pid).name() == "sleep", 10)
        yield process
    finally:
        end(process, ((signal.SIGTERM, 5.0),))


def gone(pids: list[int]) -> bool:
    """None runs; an ended one whose new parent never collects it counts as gone."""
    return all(start_ticks(pid) is None for pid in pids)


def test_servers_leave_by_themselves_when_their_holder_is_killed(data_dir: Path) -> None:
    with holder(data_dir) as (process, pids, _):
        process.kill()
        assert wait_until(lambda: gone(pids), 20)
    assert "database system is shut down" in "".join(p.read_text() for p in data_dir.glob("logs/postgres/*.log"))


def test_committed_rows_outlive_the_kill_of_everything(data_dir: Path, query: Query) -> None:
    with holder(data_dir) as (process, pids, url):
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS value")
        for pid in (process.pid, *pids):
            os.kill(pid, signal.SIGKILL)
        with EmbeddedServers(data_dir) as servers:
            assert query(servers, "SELECT value FROM kept") == [(7,)]


def test_start_waits_for_servers_that_outlive_their_killed_holder(data_dir: Path, query: Query) -> None:
    with holder(data_dir) as (process, pids, _):
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        process.kill()
        process.wait()
        assert not gone(pids)
        with EmbeddedServers(data_dir) as servers:
            assert gone(pids)
            assert query(servers, "SELECT 1") == [(1,)]


def test_backend_that_outlives_its_killed_postmaster_is_ended(
    servers: EmbeddedServers, query: Query, base: Path
) -> None:
    binaries = readable_by(server_account(), locate_server_binaries(), base)
    sockets = servers.layout.sockets
    busy = "DO $$ BEGIN LOOP END LOOP; END $$"
    command = [str(binaries.psql), "-h", str(sockets), "-U", "mad", "-c", busy, "mad"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as client:
        look = f"SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query = '{busy}'"
        assert wait_until(lambda: bool(query(servers, look)), 10)
        backend = psutil.Process(int(str(query(servers, look)[0][0])))
        assert servers.postgres_pid
        os.kill(servers.postgres_pid, signal.SIGKILL)
        assert wait_until(lambda: servers.postgres_pid is None, 10)
        assert not gone([backend.pid])
        servers.restart_postgres()
        assert gone([backend.pid])
        assert query(servers, "SELECT 1") == [(1,)]
        client.wait(10)


def test_killed_servers_are_noticed_and_restarted_in_place(servers: EmbeddedServers, query: Query) -> None:
    query(servers, "CREATE TABLE kept AS SELECT 7 AS value")
    for pid in (servers.postgres_pid, servers.redis_pid):
        assert pid
        os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: not any(health.answering or health.pid for health in servers.health()), 10)
    servers.restart_postgres()
    servers.restart_redis()
    assert all(health.answering for health in servers.health())
    assert query(servers, "SELECT value FROM kept") == [(7,)]


def test_other_processes_in_the_folder_are_left_alone(data_dir: Path) -> None:
    with EmbeddedServers(data_dir, durable=False) as servers:
        layout = servers.layout
    with bystander(layout.postgres) as first, bystander(layout.redis) as second:
        with EmbeddedServers(data_dir, durable=False):
            pass
        assert (first.poll(), second.poll()) == (None, None)


def test_servers_of_another_folder_are_left_alone(base: Path, servers: EmbeddedServers) -> None:
    pids = (servers.postgres_pid, servers.redis_pid)
    with EmbeddedServers(base / "other", durable=False):
        pass
    assert (servers.postgres_pid, servers.redis_pid) == pids


def test_lock_files_with_the_number_of_a_living_stranger_are_stale(data_dir: Path, query: Query) -> None:
    with EmbeddedServers(data_dir, durable=False) as servers:
        layout = servers.layout
        lock_file = (layout.postgres / "postmaster.pid").read_text()
        socket_lock = (layout.sockets / ".s.PGSQL.5432.lock").read_text()
    with bystander(layout.postgres) as stranger:
        for path, content in (
            (layout.postgres / "postmaster.pid", lock_file),
            (layout.sockets / ".s.PGSQL.5432.lock", socket_lock),
        ):
            path.write_text("\n".join([str(stranger.pid), *content.split("\n")[1:]]))
            server_account().own(path)
        (layout.sockets / "redis.sock").touch()
        with EmbeddedServers(data_dir, durable=False) as servers:
            assert query(servers, "SELECT 1") == [(1,)]
        assert stranger.poll() is None


def test_killed_creation_of_the_cluster_starts_over(data_dir: Path, query: Query) -> None:
    (data_dir / "postgres.new" / "base").mkdir(parents=True)
    (data_dir / "postgres.new" / "PG_VERSION").write_text("18\n")
    with EmbeddedServers(data_dir, durable=False) as servers:
        assert query(servers, "SELECT 1") == [(1,)]
    assert not (data_dir / "postgres.new").exists()


def write_keys(data_dir: Path) -> Path:
    """Fill Redis with three keys and give its append-only file."""
    with EmbeddedServers(data_dir, durable=False) as servers:
        with redis.Redis.from_url(servers.addresses.redis_url) as client:
            for number in range(3):
                client.set(f"key{number}", "value" * 20)
        return servers.layout.redis / "appendonly.aof"


def test_redis_loads_a_file_whose_last_command_is_cut_off(data_dir: Path) -> None:
    append_only = write_keys(data_dir)
    os.truncate(append_only, append_only.stat().st_size - 30)
    with (
        EmbeddedServers(data_dir, durable=False) as servers,
        redis.Redis.from_url(servers.addresses.redis_url, decode_responses=True) as client,
    ):
        assert sorted(client.keys()) == ["key0", "key1"]


def test_redis_refuses_a_damaged_file_and_says_where_it_lies(data_dir: Path) -> None:
    append_only = write_keys(data_dir)
    append_only.write_bytes(append_only.read_bytes().replace(b"*3\r\n", b"?3\r\n", 2))
    servers = EmbeddedServers(data_dir, durable=False)
    with pytest.raises(ServerFailed) as caught:
        servers.start()
    assert str(data_dir / "logs" / "redis.log") in caught.value.message
    assert f"move {data_dir / 'redis'} away" in caught.value.message
    assert servers.postgres_pid is None

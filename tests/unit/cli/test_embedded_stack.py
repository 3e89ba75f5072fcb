"""The composition of `mad up`, as far as it can be seen without starting it."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.waiting import wait_until

from molecular_analysis_dashboard.domain.errors import Conflict, Misconfigured
from molecular_analysis_dashboard.infrastructure.embedded.servers import EmbeddedAddresses
from molecular_analysis_dashboard.infrastructure.embedded_stack import (
    StackOptions,
    embedded_stack,
    stack_environment,
)
from molecular_analysis_dashboard.infrastructure.settings import load_settings
from molecular_analysis_dashboard.infrastructure.stack_users import StackUse, call_when_unused
from molecular_analysis_dashboard.infrastructure.tcp_ports import choose_port, is_free

ADDRESSES = EmbeddedAddresses(
    "postgresql+psycopg://mad@/mad?host=/run/x", "unix:///run/x/redis.sock?db=0", "redis+socket:///run/x/redis.sock"
)
OPTIONS = StackOptions(Path("/somewhere/data"), 8123, 3)


def test_stack_decides_its_own_addresses_folders_and_bind() -> None:
    shell = {
        "ENV": "production",
        "HOST": "0.0.0.0",
        "PORT": "80",
        "DATABASE_URL": "postgresql://other/database",
        "POSTGRES_PASSWORD_FILE": "/run/secrets/password",
        "REDIS_URL": "redis://other:6379/0",
        "CELERY_RESULT_BACKEND": "redis://other:6379/1",
        "CELERY_WORKER_CONCURRENCY": "64",
        "UPLOADS_DIR": "/data/uploads",
        "GUNICORN_CMD_ARGS": "--bind 0.0.0.0:80",
        "PGPORT": "1",
        "PGOPTIONS": "-c nonsense",
    }
    environment = stack_environment(OPTIONS, ADDRESSES, shell)
    settings = load_settings(environment)
    assert settings.warnings == ()
    assert (settings.runtime.env, settings.runtime.host, settings.runtime.port) == ("development", "127.0.0.1", 8123)
    assert settings.database.url.query["host"] == "/run/x"
    assert settings.queue.redis_url == ADDRESSES.redis_url
    assert settings.queue.worker_concurrency == 3
    assert settings.storage.uploads_dir == Path("/somewhere/data/files/uploads")
    assert not {"PGPORT", "PGOPTIONS", "POSTGRES_PASSWORD_FILE", "CELERY_RESULT_BACKEND"} & environment.keys()
    assert "GUNICORN_CMD_ARGS" not in environment


def test_other_settings_of_the_shell_have_effect() -> None:
    shell = {"MAD_LIGAND_TIMEOUT_S": "7", "WEB_CONCURRENCY": "1", "MAD_STATIC_TOKEN": "t", "PATH": "/bin"}
    environment = stack_environment(OPTIONS, ADDRESSES, shell)
    assert shell.items() <= environment.items()


def test_relative_import_path_stays_the_same_place() -> None:
    environment = stack_environment(OPTIONS, ADDRESSES, {"PYTHONPATH": "tests/plugins:/abs"})
    assert environment["PYTHONPATH"] == f"{Path.cwd()}/tests/plugins:/abs"


def test_wrong_setting_is_refused_before_anything_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    options = StackOptions(tmp_path / "data", 8123, 1)
    with pytest.raises(Misconfigured, match="MAD_LIGAND_TIMEOUT_S"):
        embedded_stack(options, {"MAD_LIGAND_TIMEOUT_S": "never"})


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_taken_port_is_refused_when_asked_for(taken_port: int) -> None:
    with pytest.raises(Conflict, match="--port") as refused:
        choose_port(taken_port)
    assert refused.value.error_code == "port_taken"


def test_chosen_port_is_free() -> None:
    assert is_free(choose_port(None))


def test_unused_stack_is_noticed(tmp_path: Path) -> None:
    noticed: list[bool] = []
    with StackUse(tmp_path), StackUse(tmp_path):
        call_when_unused(tmp_path, lambda: noticed.append(True))
        with StackUse(tmp_path):
            pass
        assert noticed == []
    wait_until(lambda: noticed, 10, "nobody noticed that the stack is unused")


def test_killed_user_counts_no_longer(tmp_path: Path) -> None:
    noticed: list[bool] = []
    program = (
        "import sys; from pathlib import Path; "
        "from molecular_analysis_dashboard.infrastructure.stack_users import StackUse; "
        "use = StackUse(Path(sys.argv[1])).__enter__(); print('uses', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as user:
        assert user.stdout is not None
        assert user.stdout.readline() == b"uses\n"
        call_when_unused(tmp_path, lambda: noticed.append(True))
        assert noticed == []
        user.kill()
    wait_until(lambda: noticed, 10, "nobody noticed that the user was killed")

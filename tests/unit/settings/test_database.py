from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import make_url

from molecular_analysis_dashboard.domain.errors import Misconfigured
from molecular_analysis_dashboard.infrastructure.settings import Database, load_settings

AWKWARD = "p@ss/w:rd%?#& ü'\\"


def database(**environ: str) -> Database:
    return load_settings(environ).database


@pytest.mark.parametrize(
    "scheme",
    ["postgres", "postgresql", "postgresql+asyncpg", "postgresql+psycopg2", "postgresql+psycopg"],
)
def test_any_driver_becomes_psycopg(scheme: str) -> None:
    found = database(DATABASE_URL=f"{scheme}://mad:secret@db:5433/mad")
    assert found.sqlalchemy_url == "postgresql+psycopg://mad:secret@db:5433/mad"


@pytest.mark.parametrize(
    ("arguments", "sslmode"),
    [
        ("ssl=require", "require"),
        ("ssl=true", "require"),
        ("ssl=verify-full", "verify-full"),
        ("ssl=false", "disable"),
        ("sslmode=verify-ca", "verify-ca"),
        ("ssl=require&sslmode=require", "require"),
    ],
)
def test_ssl_of_asyncpg_becomes_sslmode(arguments: str, sslmode: str) -> None:
    url = database(DATABASE_URL=f"postgresql+asyncpg://mad:secret@db/mad?{arguments}").url
    assert dict(url.query) == {"sslmode": sslmode}


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql+asyncpg://mad:hunter2@db/mad?prepared_statement_cache_size=0", "prepared_statement_cache_size"),
        ("postgresql://mad@db/mad?password=hunter2", "unknown arguments (password)"),
        ("postgresql://mad@db/mad?ssl=perhaps", "sslmode must be one of allow, disable"),
        ("postgresql://mad@db/mad?ssl=true&sslmode=disable", "they differ"),
        ("mysql://mad:hunter2@db/mad", "must begin with postgresql://"),
        ("sqlite:///mad.db", "must begin with postgresql://"),
        ("postgresql://mad:hunter2@db:port/mad", "postgresql://user:password@host:port/database"),
        ("postgresql://mad:hunter2@db", "must end with the name of the database"),
        ("db:5432/mad", "postgresql://user:password@host:port/database"),
    ],
)
def test_an_address_that_cannot_work_is_refused_with_the_reason(url: str, reason: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        database(DATABASE_URL=url)
    assert caught.value.message.startswith("The settings cannot be used:\n- DATABASE_URL: ")
    assert reason in caught.value.message
    assert "hunter2" not in caught.value.message


def test_the_address_is_built_from_the_parts_whatever_the_password_holds() -> None:
    found = database(
        POSTGRES_USER="m@d", POSTGRES_PASSWORD=AWKWARD, POSTGRES_DB="lab", POSTGRES_HOST="db", POSTGRES_PORT="5433"
    )
    expected = {"user": "m@d", "password": AWKWARD, "host": "db", "port": "5433", "dbname": "lab"}
    assert conninfo_to_dict(found.conninfo) == expected
    read_again = make_url(found.sqlalchemy_url)
    assert (read_again.username, read_again.password, read_again.database) == ("m@d", AWKWARD, "lab")
    assert database(DATABASE_URL=found.sqlalchemy_url).conninfo == found.conninfo


def test_a_password_from_a_file_overrules_the_address(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(AWKWARD + "\n")
    settings = load_settings(
        {"DATABASE_URL": "postgresql+asyncpg://mad:old@db/mad", "POSTGRES_PASSWORD_FILE": str(file)}
    )
    assert conninfo_to_dict(settings.database.conninfo)["password"] == AWKWARD
    assert settings.warnings == ()


def test_lost_arguments_of_an_overruled_address_are_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("secret")
    url = "postgresql+asyncpg://mad:old@db/mad?ssl=require"
    (warning,) = load_settings({"DATABASE_URL": url, "POSTGRES_PASSWORD_FILE": str(file)}).warnings
    assert warning == "The arguments of DATABASE_URL have no effect, because POSTGRES_PASSWORD_FILE is set"


def test_parts_that_differ_from_the_address_are_a_warning() -> None:
    settings = load_settings(
        {"DATABASE_URL": "postgresql://mad:old@db/mad", "POSTGRES_PASSWORD": "new", "POSTGRES_DB": "mad"}
    )
    assert settings.warnings == ("DATABASE_URL is used, though POSTGRES_PASSWORD differs from it",)


@pytest.mark.parametrize(
    "environ",
    [
        {"DATABASE_URL": "postgresql+asyncpg://mad@/mad?host=/run/pg&port=5433"},
        {"POSTGRES_HOST": "/run/pg", "POSTGRES_PORT": "5433"},
    ],
)
def test_a_unix_socket_is_a_folder_as_host(environ: dict[str, str]) -> None:
    found = database(**environ)
    expected = {"user": "mad", "dbname": "mad", "host": "/run/pg", "port": "5433"}
    assert conninfo_to_dict(found.conninfo) == expected
    assert database(DATABASE_URL=found.sqlalchemy_url).conninfo == found.conninfo


def test_the_form_for_logs_has_no_secret() -> None:
    found = database(DATABASE_URL="postgresql://mad:hunter2@db/mad?sslpassword=hunter2&sslmode=require")
    assert "hunter2" not in found.redacted_url
    assert make_url(found.redacted_url).host == "db"
    assert "sslmode=require" in found.redacted_url


def test_every_connection_notices_a_dead_peer_and_lets_go_of_locks() -> None:
    arguments = database().connect_args
    assert arguments["options"] == "-c lock_timeout=5s -c idle_in_transaction_session_timeout=8s"
    assert arguments["connect_timeout"] == 5
    idle, interval, count = (arguments[f"keepalives_{name}"] for name in ("idle", "interval", "count"))
    allowance_s = load_settings({}).ledger.worker_allowance_s
    assert int(idle) + int(interval) * int(count) < allowance_s
    assert int(arguments["tcp_user_timeout"]) / 1000 < allowance_s


def test_the_address_may_overrule_the_network_and_add_options() -> None:
    found = database(
        DATABASE_URL="postgresql://mad@db/mad?connect_timeout=30&options=-c%20work_mem%3D64MB%20-c%20lock_timeout%3D9s"
    )
    assert "connect_timeout" not in found.connect_args
    assert conninfo_to_dict(found.conninfo)["connect_timeout"] == "30"
    assert str(found.connect_args["options"]).endswith("-c work_mem=64MB -c lock_timeout=9s")

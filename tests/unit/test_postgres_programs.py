"""Which pg_dump is taken, and what it is told where."""

from pathlib import Path

import pytest

from molecular_analysis_dashboard.adapters.persistence.postgres_programs import address_of, programs_for
from molecular_analysis_dashboard.domain.errors import Misconfigured


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """Programs of several versions, a folder without them, and one where they are broken."""
    for major, says in ((15, "pg_dump (PostgreSQL) 15.10 (Debian 15.10-0)"), (17, "pg_dump (PostgreSQL) 17.2")):
        install(tmp_path / str(major), says)
    install(tmp_path / "broken", "no idea")
    (tmp_path / "empty").mkdir()
    return [tmp_path / name for name in ("absent", "empty", "broken", "17", "15")]


def install(folder: Path, says: str) -> None:
    folder.mkdir()
    for name in ("pg_dump", "pg_restore", "psql"):
        (folder / name).write_text(f"#!/bin/sh\necho '{says}'\n")
        (folder / name).chmod(0o755)


@pytest.mark.parametrize(("server", "chosen"), [(14, 15), (15, 15), (16, 17), (17, 17)])
def test_nearest_version_that_is_not_older_is_taken(folders: list[Path], server: int, chosen: int) -> None:
    programs = programs_for(server, folders)
    assert programs.major == chosen
    assert programs.folder.name == str(chosen)


def test_older_programs_are_refused_with_both_versions(folders: list[Path]) -> None:
    with pytest.raises(
        Misconfigured, match="are version 17, older than the server or the backup, which is 18"
    ) as caught:
        programs_for(18, folders)
    assert caught.value.error_code == "postgres_programs_old"


def test_missing_programs_are_told(folders: list[Path]) -> None:
    with pytest.raises(Misconfigured, match="are not installed"):
        programs_for(16, folders[:3])


def test_password_goes_by_the_environment_and_the_rest_by_the_address() -> None:
    shown, secrets = address_of("host=db user=mad dbname=mad password='p@ss w\\'rd' keepalives_idle=4 sslmode=require")
    assert secrets == {"PGPASSWORD": "p@ss w'rd"}
    assert "p@ss" not in shown
    assert {"host=db", "user=mad", "dbname=mad", "keepalives_idle=4", "sslmode=require"} == set(shown.split())


def test_secret_that_has_no_variable_is_refused_without_showing_it() -> None:
    with pytest.raises(Misconfigured, match="sslpassword") as caught:
        address_of("host=db sslpassword=hush")
    assert "hush" not in caught.value.message

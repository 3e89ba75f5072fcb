"""Backing up and restoring an installation, put together."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from molecular_analysis_dashboard.adapters.persistence.database_copies import PostgresCopies
from molecular_analysis_dashboard.adapters.storage.backup_file import BackupFile, new_backup_file
from molecular_analysis_dashboard.domain.backups import Manifest
from molecular_analysis_dashboard.domain.errors import MadError
from molecular_analysis_dashboard.infrastructure.blobs import build_blobs
from molecular_analysis_dashboard.infrastructure.embedded.binaries import postgres_client_folder
from molecular_analysis_dashboard.infrastructure.migrations import knows_revision, migrate
from molecular_analysis_dashboard.infrastructure.settings import Settings
from molecular_analysis_dashboard.infrastructure.version import package_version
from molecular_analysis_dashboard.ports.backups import Report
from molecular_analysis_dashboard.ports.blobs import BlobStore
from molecular_analysis_dashboard.use_cases.back_up import BackUp
from molecular_analysis_dashboard.use_cases.restore_backup import RestoreBackup, check_backup


def back_up(settings: Settings, path: Path, report: Report) -> Manifest:
    """Write a backup of an installation to a new file; see `BackUp`."""
    use_case = BackUp(_database(settings), _stores(settings), version=package_version(), report=report)
    with new_backup_file(path) as archive:
        return use_case(archive)


def restore(settings: Settings, path: Path, report: Report) -> Manifest:
    """Put a backup into an empty installation; see `RestoreBackup`."""
    use_case = RestoreBackup(
        _database(settings),
        _stores(settings),
        knows=knows_revision,
        migrate=lambda: migrate(settings),
        report=report,
    )
    return use_case(BackupFile(path))


def check(path: Path, report: Report) -> Manifest:
    """Read a backup against its checksums; see `check_backup`."""
    return check_backup(BackupFile(path), report)


def _database(settings: Settings) -> PostgresCopies:
    database = settings.database
    return PostgresCopies(database.conninfo, database.connect_args, program_folders=_program_folders())


def _stores(settings: Settings) -> Mapping[str, BlobStore]:
    blobs = build_blobs(settings)
    return {"uploads": blobs.uploads, "results": blobs.results}


def _program_folders() -> list[Path]:
    """Where PostgreSQL's programs may be: the path, Debian's folders, the wheel of the embedded servers."""
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    with suppress(MadError):
        folders.append(postgres_client_folder())
    return folders

"""``mad backup`` and ``mad restore``: an installation as one file, and back."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from molecular_analysis_dashboard.domain.backups import BackupIncomplete, Manifest
from molecular_analysis_dashboard.domain.errors import Conflict
from molecular_analysis_dashboard.ports.backups import Report
from molecular_analysis_dashboard.presentation.cli.console import Console
from molecular_analysis_dashboard.presentation.cli.options import AsJson, DataDir, console_of, expanded
from molecular_analysis_dashboard.presentation.cli.progress import progress_of

_PREFIX, _SUFFIX = "mad-", ".tar"
_PHASES = {"database": "Database", "files": "Files", "check": "Checking"}
_UNITS_MB = frozenset({"database", "check"})

Target = Annotated[
    Path,
    typer.Argument(
        metavar="DIR|FILE",
        help="A folder, for a file with the date in its name, or a new file.",
        show_default=False,
    ),
]
Source = Annotated[Path, typer.Argument(metavar="FILE", help="What mad backup wrote.", show_default=False)]
Keep = Annotated[
    int | None,
    typer.Option(
        "--keep", min=1, help="Remove all but this many of the newest backups in DIR afterwards.", show_default=False
    ),
]
Check = Annotated[bool, typer.Option("--check", help="Only read the file against its checksums; touch nothing else.")]


def backup(
    ctx: typer.Context, target: Target, keep: Keep = None, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Write the whole installation to one file, while it works.

    Works on the database and the files of the environment (DATABASE_URL ...), else on the embedded installation.
    """
    from molecular_analysis_dashboard.infrastructure.backups import back_up
    from molecular_analysis_dashboard.infrastructure.installations import chosen_installation

    console = console_of(ctx, as_json)
    path = _new_file(expanded(target).absolute(), keep)
    with chosen_installation(data_dir, os.environ) as installation:
        console.say(f"Backing up {installation.name} to {path} …")
        with _reporting(console) as report:
            manifest = back_up(installation.settings, path, report)
    # While files are lost, an older backup may be the only place that has them.
    removed = _remove_old(path.parent, keep) if keep and not manifest.lost else []
    facts = {"path": str(path), "size_bytes": path.stat().st_size, **_facts(manifest), "removed": removed}
    if manifest.lost:
        raise BackupIncomplete(
            f"The backup {path} is written, but files that the database refers to are missing or damaged in the "
            f"installation ({len(manifest.lost)}; the manifest names them). Look for them in an older backup.",
            **facts,
        )
    console.result(f"{path}: {_told(manifest)}, {path.stat().st_size / 1e6:.1f} MB", facts)


def restore(
    ctx: typer.Context, source: Source, check: Check = False, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Put a backup into an empty installation: all of it, or nothing.

    The API and workers must not run. Afterwards jobs go on where they stood.
    """
    from molecular_analysis_dashboard.infrastructure import backups
    from molecular_analysis_dashboard.infrastructure.installations import chosen_installation

    console = console_of(ctx, as_json)
    path = expanded(source).absolute()
    if check:
        with _reporting(console) as report:
            manifest = backups.check(path, report)
        console.result(f"{path} is whole: {_told(manifest)}", {"path": str(path), **_facts(manifest)})
        return
    with chosen_installation(data_dir, os.environ, create=True, alone=True) as installation:
        console.say(f"Restoring {path} to {installation.name} …")
        with _reporting(console) as report:
            manifest = backups.restore(installation.settings, path, report)
    console.result(f"Restored {_told(manifest)} to {installation.name}.", {"path": str(path), **_facts(manifest)})


def _new_file(target: Path, keep: int | None) -> Path:
    if target.is_dir():
        return target / f"{_PREFIX}{datetime.now(UTC):%Y%m%dT%H%M%SZ}{_SUFFIX}"
    if keep is not None:
        raise typer.BadParameter("--keep needs a folder that exists", param_hint="DIR")
    if target.exists():
        raise Conflict(
            f"{target} exists already; a backup never replaces anything. Choose another name.",
            code="backup_exists",
            path=str(target),
        )
    return target


def _remove_old(folder: Path, keep: int) -> list[str]:
    """Remove the older backups; their names sort by time."""
    found = sorted(folder.glob(f"{_PREFIX}????????T??????Z{_SUFFIX}"))
    for path in found[:-keep]:
        path.unlink(missing_ok=True)
    return [path.name for path in found[:-keep]]


@contextmanager
def _reporting(console: Console) -> Iterator[Report]:
    """Show how far it is, phase by phase."""
    with progress_of(console, "Working") as progress:

        def report(phase: str, done: int, total: int) -> None:
            scale = 1_000_000 if phase in _UNITS_MB else 1
            progress.phase(f"{_PHASES[phase]} (MB)" if scale > 1 else _PHASES[phase])
            progress.show(-(-done // scale), -(-total // scale))

        yield report


def _told(manifest: Manifest) -> str:
    rows, made = sum(manifest.tables.values()), f"{manifest.created_at:%Y-%m-%d %H:%M} UTC"
    held = f"{rows} rows in {len(manifest.tables)} tables and {len(manifest.files)} files"
    return f"{held} of {made}, schema {manifest.revision}, version {manifest.version}"


def _facts(manifest: Manifest) -> dict[str, Any]:
    return {
        "created_at": manifest.created_at.isoformat(),
        "version": manifest.version,
        "revision": manifest.revision,
        "server_major": manifest.server_major,
        "tables": dict(manifest.tables),
        "files": len(manifest.files),
        "lost": [{"store": lost.store, "sha256": lost.sha256, "reason": lost.reason} for lost in manifest.lost],
    }

"""The folder with the results of a job: whole, or not there."""

import csv
import io
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from molecular_analysis_dashboard.client import Client, Job
from molecular_analysis_dashboard.domain.errors import Conflict, InvalidInput
from molecular_analysis_dashboard.domain.jobs import JobKind
from molecular_analysis_dashboard.presentation.cli.options import expanded

# A file name may have 255 bytes, and mkdtemp adds its own.
_PREFIX_CHARACTERS = 50
EXPORTS = ("hits.csv", "poses.sdf", "rejected.csv", "provenance.json")


class ResultsFolder:
    """A folder that gets its files in one step.

    Parameters
    ----------
    path : Path
        Absent or empty, unless forced.
    force : bool
        Replace the files of an earlier run; other files in the folder stay.
    """

    def __init__(self, path: Path, *, force: bool = False) -> None:
        self.path = expanded(path).absolute()
        self._force = force

    def check(self) -> None:
        """Refuse early what could not be written later.

        Raises
        ------
        Conflict
            ``folder_not_empty``.
        InvalidInput
            ``folder_unusable``.
        """
        try:
            if self.path.exists() and not self.path.is_dir():
                raise self._unusable("it is a file")
            if self.path.is_dir() and any(self.path.iterdir()) and not self._force:
                raise Conflict(
                    f"The folder {self.path} is not empty. Choose another one, or replace its results with --force.",
                    code="folder_not_empty",
                    folder=str(self.path),
                )
            existing = next(parent for parent in self.path.parents if parent.exists())
            tempfile.TemporaryFile(dir=existing).close()
        except OSError as error:
            raise self._unusable(error.strerror or str(error)) from error

    def write(self, files: Mapping[str, Iterable[bytes]]) -> dict[str, Path]:
        """Write all files, or none; returns their paths by name."""
        try:
            with ExitStack() as leavings:
                unfinished = self._unfinished(leavings)
                for name, pieces in files.items():
                    with (unfinished / name).open("wb") as stream:
                        stream.writelines(pieces)
                        stream.flush()
                        os.fsync(stream.fileno())
                self._put_in_place(unfinished, list(files))
        except OSError as error:
            raise self._unusable(error.strerror or str(error)) from error
        return {name: self.path / name for name in files}

    def _unfinished(self, leavings: ExitStack) -> Path:
        """Make a private folder on the same file system, so that it can be renamed; the stack removes what is left."""
        for parent in reversed([parent for parent in self.path.parents if not parent.exists()]):
            parent.mkdir(exist_ok=True)
            leavings.callback(_remove_if_empty, parent)
        folder = Path(tempfile.mkdtemp(prefix=f".{self.path.name}."[:_PREFIX_CHARACTERS], dir=self.path.parent))
        leavings.callback(shutil.rmtree, folder, ignore_errors=True)
        return folder

    def _put_in_place(self, unfinished: Path, names: list[str]) -> None:
        umask = os.umask(0)
        os.umask(umask)
        unfinished.chmod(0o777 & ~umask)
        if self.path.is_dir() and any(self.path.iterdir()):
            for name in names:
                (unfinished / name).replace(self.path / name)
            return
        # An empty folder gives way to a renamed one (rename(2)).
        unfinished.rename(self.path)

    def _unusable(self, reason: str) -> InvalidInput:
        return InvalidInput(
            f"The results cannot be written to {self.path}: {reason}. Choose another folder with --out.",
            code="folder_unusable",
            folder=str(self.path),
        )


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def write_exports(client: Client, job: Job, folder: ResultsFolder) -> dict[str, Path]:
    """Fetch what a job has to give into the folder."""
    return folder.write(_files(client, job))


def _files(client: Client, job: Job) -> dict[str, Iterable[bytes]]:
    match job.kind:
        case JobKind.REDOCK:
            return {
                "redock.csv": client.redocking_file(job.id, "runs.csv"),
                "poses.sdf": client.redocking_file(job.id, "poses.sdf"),
                "provenance.json": client.export(job.id, "provenance.json"),
            }
        case JobKind.RESCORE:
            return {
                "rescored.csv": client.rescoring_file(job.id, "ligands.csv"),
                "poses.sdf": client.rescoring_file(job.id, "poses.sdf"),
                "provenance.json": client.export(job.id, "provenance.json"),
            }
        case JobKind.VALIDATE:
            found = client.validation(job.id)
            return {
                "validation.json": [json.dumps(found, indent=2).encode() + b"\n"],
                "roc.csv": [_roc_csv(found["enrichment"] or {})],
                **{name: client.export(job.id, name) for name in EXPORTS},
            }
        case _:
            return {name: client.export(job.id, name) for name in EXPORTS}


def _roc_csv(enrichment: Mapping[str, Any]) -> bytes:
    """Return the points of both ROC curves; of a validation without metrics there are none."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(("ranking", "false_positive_rate", "true_positive_rate"))
    for ranking, name in (("docking", "roc"), ("size", "size_roc")):
        points = enrichment.get(name, ())
        writer.writerows((ranking, point["false_positive_rate"], point["true_positive_rate"]) for point in points)
    return buffer.getvalue().encode()


def next_free(path: Path) -> Path:
    """The path, else the first of ``path-2``, ``path-3``, ... that does not exist."""
    candidate, number = path, 1
    while os.path.lexists(candidate):
        number += 1
        candidate = path.with_name(f"{path.name}-{number}")
    return candidate

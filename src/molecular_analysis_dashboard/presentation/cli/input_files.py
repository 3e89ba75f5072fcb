"""Files that a command is given to read or to send."""

import gzip
import zlib
from pathlib import Path

from molecular_analysis_dashboard.domain.errors import InvalidInput
from molecular_analysis_dashboard.presentation.cli.options import expanded

_NAME_CHARACTERS = 200
_MAX_TEXT_BYTES = 2_000_000


def input_file(path: Path, what: str) -> Path:
    """Return the path of a file to upload.

    Raises
    ------
    InvalidInput
        ``file_not_found``, ``file_unreadable`` or ``empty_file``.
    """
    path = expanded(path)
    try:
        with path.open("rb") as stream:
            empty = not stream.read(1)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InvalidInput(
            f"There is no {what} file {path}. Check the path.", code="file_not_found", path=str(path)
        ) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise InvalidInput(
            f"The {what} file {path} cannot be read: {reason}.", code="file_unreadable", path=str(path)
        ) from error
    if empty:
        raise InvalidInput(
            f"The {what} file {path} is empty. Give a file with contents.", code="empty_file", path=str(path)
        )
    return path


def sent_name(path: Path) -> str:
    """Return the name of a file as the server takes one."""
    printable = "".join(character if character.isprintable() else "_" for character in path.name)
    return printable[:_NAME_CHARACTERS]


def plain_name(path: Path) -> str:
    """Return the name of a file without the ending of its compression."""
    return path.name[:-3] if path.name.lower().endswith(".gz") else path.name


def file_text(path: Path) -> str:
    """Return the text of a small file, unpacked.

    Raises
    ------
    InvalidInput
        ``too_large`` or ``file_unreadable``.
    """
    try:
        with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as stream:
            data = stream.read(_MAX_TEXT_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidInput(
            f"The file {path} cannot be read: {error}. Check the file.", code="file_unreadable", path=str(path)
        ) from error
    if len(data) > _MAX_TEXT_BYTES:
        raise InvalidInput(
            f"The file {path} is larger than {_MAX_TEXT_BYTES / 1e6:g} MB. Give the ligand alone.",
            code="too_large",
            path=str(path),
        )
    return data.decode("utf-8", errors="replace")

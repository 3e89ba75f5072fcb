"""Where to dock, as several commands ask for it: the box around a ligand, residues or a pocket, or by its numbers."""

import gzip
import math
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from molecular_analysis_dashboard.domain.errors import InvalidInput
from molecular_analysis_dashboard.presentation.cli.screening import input_file

_MAX_SITE_FILE_BYTES = 2_000_000
_DEFAULT_PADDING_ANGSTROM = 5.0

Triple = tuple[float, float, float]
SiteFrom = Annotated[
    Path | None,
    typer.Option(help="Box around this ligand at its place in the receptor: SDF, MOL2 or PDB.", show_default=False),
]
Padding = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=30,
        help="Added on every side of the ligand, residues or pocket, in Å [default: 5].",
        show_default=False,
    ),
]
Center = Annotated[Triple | None, typer.Option(metavar="X Y Z", help="Centre of the box, in Å.", show_default=False)]
Size = Annotated[Triple | None, typer.Option(metavar="X Y Z", help="Edges of the box, in Å.", show_default=False)]
Residues = Annotated[str | None, typer.Option(help="Box around these residues: A:145,A:146.", show_default=False)]
PocketRank = Annotated[
    int | None,
    typer.Option(
        "--pocket",
        min=1,
        max=1000,
        help="Box around the receptor's pocket of this rank; mad pockets lists them.",
        show_default=False,
    ),
]


def site_origin(
    site_from: Path | None,
    padding: float | None,
    center: Triple | None,
    size: Triple | None,
    residues: str | None,
    pocket: int | None,
) -> Mapping[str, object]:
    """Where the box comes from, as the interface describes it; exactly one way must be chosen."""
    ways = [site_from is not None, center is not None or size is not None, residues is not None, pocket is not None]
    if sum(ways) != 1:
        raise typer.BadParameter(
            "name the site in exactly one way: --site-from, --center with --size, --residues, or --pocket."
        )
    return box_origin(site_from, padding, center, size, residues, pocket)


def box_origin(
    site_from: Path | None,
    padding: float | None,
    center: Triple | None,
    size: Triple | None,
    residues: str | None,
    pocket: int | None,
) -> Mapping[str, object]:
    """Describe the one way that was chosen; numbers that are none are refused."""
    if not all(math.isfinite(value) for value in (*(center or ()), *(size or ()), padding or 0.0)):
        raise typer.BadParameter("--center, --size and --padding take numbers in Å; nan and inf are none.")
    widened = _DEFAULT_PADDING_ANGSTROM if padding is None else padding
    if site_from is not None:
        file = {"file_name": plain_name(site_from), "content": file_text(input_file(site_from, "site"))}
        return {"type": "native_ligand", "file": file, "padding_angstrom": widened}
    if residues is not None:
        named = [name.strip() for name in residues.split(",") if name.strip()]
        if not named:
            raise typer.BadParameter("--residues names none; write CHAIN:NUMBER, for example A:145,A:146.")
        return {"type": "residues", "residues": named, "padding_angstrom": widened}
    if pocket is not None:
        return {"type": "pocket", "rank": pocket, "padding_angstrom": widened}
    if center is None or size is None:
        raise typer.BadParameter("--center and --size belong together.")
    if padding is not None:
        raise typer.BadParameter("--padding has no effect on a box given by --center and --size.")
    return {"type": "manual", "center": list(center), "size": list(size)}


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
    refused = InvalidInput(
        f"The site file {path} is larger than {_MAX_SITE_FILE_BYTES / 1e6:g} MB; give the ligand alone.",
        code="too_large",
        path=str(path),
    )
    try:
        with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as stream:
            data = stream.read(_MAX_SITE_FILE_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidInput(
            f"The site file {path} cannot be read: {error}. Check the file.", code="file_unreadable", path=str(path)
        ) from error
    if len(data) > _MAX_SITE_FILE_BYTES:
        raise refused
    return data.decode("utf-8", errors="replace")

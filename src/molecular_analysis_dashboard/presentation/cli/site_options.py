"""Where to dock, as several commands ask for it: the box around a ligand, residues or a pocket, or by its numbers."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from molecular_analysis_dashboard.presentation.cli.input_files import file_text, input_file, plain_name

_DEFAULT_PADDING_ANGSTROM = 5.0

Triple = tuple[float, float, float]
SiteFrom = Annotated[
    Path | None,
    typer.Option(help="Box around this ligand at its place in the receptor: SDF, MOL2 or PDB.", show_default=False),
]


@dataclass(frozen=True)
class BoxOptions:
    """How the search box is named; the ligand that `--site-from` names stands beside them."""

    padding: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=30,
            help="Added on every side of the ligand, residues or pocket, in Å [default: 5].",
            show_default=False,
        ),
    ] = None
    center: Annotated[
        Triple | None, typer.Option(metavar="X Y Z", help="Centre of the box, in Å.", show_default=False)
    ] = None
    size: Annotated[
        Triple | None, typer.Option(metavar="X Y Z", help="Edges of the box, in Å.", show_default=False)
    ] = None
    residues: Annotated[
        str | None, typer.Option(help="Box around these residues: A:145,A:146.", show_default=False)
    ] = None
    pocket: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=1000,
            help="Box around the receptor's pocket of this rank; mad pockets lists them.",
            show_default=False,
        ),
    ] = None

    @property
    def names_a_box(self) -> bool:
        """Whether any way is chosen that needs no ligand."""
        return any(given is not None for given in (self.center, self.size, self.residues, self.pocket))

    def origin(self, site_from: Path | None = None) -> Mapping[str, object]:
        """Return where the box comes from, as the interface describes it; exactly one way must be chosen."""
        has_numbers = self.center is not None or self.size is not None
        if sum([site_from is not None, has_numbers, self.residues is not None, self.pocket is not None]) != 1:
            raise typer.BadParameter(
                "name the site in exactly one way: --site-from, --center with --size, --residues, or --pocket."
            )
        if not all(math.isfinite(value) for value in (*(self.center or ()), *(self.size or ()), self.padding or 0.0)):
            raise typer.BadParameter("--center, --size and --padding take numbers in Å; nan and inf are none.")
        padding = _DEFAULT_PADDING_ANGSTROM if self.padding is None else self.padding
        if site_from is not None:
            file = {"file_name": plain_name(site_from), "content": file_text(input_file(site_from, "site"))}
            return {"type": "native_ligand", "file": file, "padding_angstrom": padding}
        if self.residues is not None:
            return {"type": "residues", "residues": _named(self.residues), "padding_angstrom": padding}
        if self.pocket is not None:
            return {"type": "pocket", "rank": self.pocket, "padding_angstrom": padding}
        return self._by_numbers()

    def _by_numbers(self) -> Mapping[str, object]:
        if self.center is None or self.size is None:
            raise typer.BadParameter("--center and --size belong together.")
        if self.padding is not None:
            raise typer.BadParameter("--padding has no effect on a box given by --center and --size.")
        return {"type": "manual", "center": list(self.center), "size": list(self.size)}


def _named(residues: str) -> list[str]:
    named = [name.strip() for name in residues.split(",") if name.strip()]
    if not named:
        raise typer.BadParameter("--residues names none; write CHAIN:NUMBER, for example A:145,A:146.")
    return named

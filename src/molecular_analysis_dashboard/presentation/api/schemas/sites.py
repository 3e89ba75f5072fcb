"""Binding sites: a search box and where it came from."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from molecular_analysis_dashboard.domain.receptors import Severity
from molecular_analysis_dashboard.domain.sites import SiteOrigin
from molecular_analysis_dashboard.presentation.api.schemas.common import Body, FileName, Name, Point, Real, View, Whole

Padding = Annotated[Real, Field(ge=0, le=30, description="Added on every side, in Å.")]
ResidueName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=20)]
FileText = Annotated[str, StringConstraints(min_length=1, max_length=2_000_000, pattern=r"^[^\x00]*$")]


class LigandFile(Body):
    """A ligand at its place in the structure's frame, as the text of an SDF, MOL2, PDB or mmCIF file."""

    file_name: FileName
    content: FileText


class NativeLigandOrigin(Body):
    """The box around a ligand: of the structure (`selector`), of a file, or the only one that the structure holds."""

    type: Literal["native_ligand"]
    selector: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)] | None = Field(
        default=None, description="`NAME`, `NAME:CHAIN` or `NAME:CHAIN:NUMBER`."
    )
    file: LigandFile | None = None
    template: FileText | None = Field(
        default=None,
        description="SMILES or SDF of the same ligand, for its bond orders; refused if it is another molecule.",
    )
    padding_angstrom: Padding = 5.0


class ResiduesOrigin(Body):
    """The box around residues."""

    type: Literal["residues"]
    residues: list[ResidueName] = Field(min_length=1, max_length=500, examples=[["A:145", "A:166"]])
    padding_angstrom: Padding = 5.0


class PocketOrigin(Body):
    """The box around a pocket of a prepared receptor of the structure."""

    type: Literal["pocket"]
    receptor_id: UUID
    rank: Whole = Field(ge=1, le=1000, description="Rank of the pocket; 1 is the most promising.")
    padding_angstrom: Padding = 5.0


class ManualOrigin(Body):
    """A box set by hand."""

    type: Literal["manual"]
    center: Point
    size: Annotated[Point, Field(description="Edges in Å, 4 to 126 each.")]


Origin = Annotated[NativeLigandOrigin | ResiduesOrigin | PocketOrigin | ManualOrigin, Field(discriminator="type")]


class BindingSiteCreate(Body):
    """A site on a structure."""

    structure_id: UUID
    name: Name | None = Field(default=None, description="Derived from the origin when absent.")
    origin: Origin


class SiteCheck(View):
    """One finding about a box."""

    code: str = Field(examples=["native_inside", "box_large", "box_small", "box_buried", "box_mostly_solvent"])
    severity: Severity
    message: str


class BindingSite(View):
    """A search box on a structure, and where it came from."""

    id: UUID
    structure_id: UUID
    name: str
    origin: SiteOrigin
    center: Point
    size: Annotated[Point, Field(description="Edges in Å.")]
    volume_angstrom3: float
    details: dict[str, Any] = Field(description="What the origin was: selector, residues, pocket, padding, template.")
    checks: list[SiteCheck]
    created_by: UUID
    created_at: datetime


class BindingSitePage(View):
    """Sites, newest first."""

    items: list[BindingSite]
    next_cursor: str | None = None

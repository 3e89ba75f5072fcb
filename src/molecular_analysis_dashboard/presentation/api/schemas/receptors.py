"""Receptors: a structure prepared for docking, and the report on its residues."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from molecular_analysis_dashboard.domain.catalog import ReadyState
from molecular_analysis_dashboard.domain.receptors import Severity, WaterPolicy
from molecular_analysis_dashboard.presentation.api.schemas.common import (
    Body,
    Flag,
    Name,
    Point,
    Problem,
    Real,
    View,
    Whole,
)
from molecular_analysis_dashboard.presentation.api.schemas.jobs import Job

Selector = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=40, pattern=r"^[^\s:]+(:[^\s:]*){0,2}$"),
]
Chain = Annotated[str, StringConstraints(min_length=1, max_length=8)]


class ReceptorOptions(Body):
    """Stated choices of one preparation."""

    model: Whole = Field(default=1, ge=1, le=100_000, description="Which model of the file, counted from 1.")
    chains: list[Chain] = Field(default=[], max_length=200, description="Chains to keep; empty keeps all.")
    waters: WaterPolicy = Field(
        default=WaterPolicy.NONE,
        description="Which waters stay. `near` and `bridging` need a site.",
    )
    water_reach_angstrom: Real = Field(
        default=5.0, ge=0, le=50, description="How far from the site near and bridging waters may be, in Å."
    )
    keep: list[Selector] = Field(
        default=[], max_length=500, description="Hetero groups to keep: `NAME`, `NAME:CHAIN` or `NAME:CHAIN:NUMBER`."
    )
    remove: list[Selector] = Field(
        default=[], max_length=500, description="Hetero groups to remove, in the same form; wins over `keep`."
    )
    keep_within_angstrom: Real = Field(
        default=6.0, ge=0, le=50, description="How far from the site ions, cofactors and glycans stay, in Å."
    )
    ph: Real = Field(default=7.4, ge=0, le=14, description="pH of the protonation.")
    caps: Flag = Field(
        default=False, description="Close breaks and unresolved ends of chains with acetyl and N-methyl groups."
    )
    override_problems: Flag = Field(
        default=False, description="Prepare although there are blocking problems near the site."
    )
    site_center: Point | None = Field(
        default=None, description="Centre of the site in Å: ions and cofactors near it stay, problems near it block."
    )
    site_radius_angstrom: Real = Field(default=0.0, ge=0, le=200, description="Radius that counts as the site, in Å.")


class ReceptorCreate(Body):
    """What to prepare, and how."""

    structure_id: UUID
    options: ReceptorOptions = Field(default_factory=ReceptorOptions)
    name: Name | None = Field(default=None, description="The structure's name when absent.")


class Receptor(View):
    """A structure prepared for docking by stated options."""

    id: UUID
    structure_id: UUID
    name: str
    options: ReceptorOptions
    state: ReadyState
    content_hash: str | None = Field(description="SHA-256 of what docking results depend on, once ready.")
    error: Problem | None
    created_by: UUID
    created_at: datetime


class ReceptorPage(View):
    """Receptors, newest first."""

    items: list[Receptor]
    next_cursor: str | None = None


class ReceptorAccepted(View):
    """The receptor to be, and the job that prepares it."""

    receptor: Receptor
    job: Job


class ResidueNote(View):
    """What was changed in, or is wrong with, one residue."""

    residue: str = Field(examples=["A:HIS 57"])
    action: str = Field(examples=["removed", "kept", "altloc_chosen", "side_chain_rebuilt"])
    message: str
    severity: Severity
    distance_angstrom: float | None


class PocketBox(View):
    """The search box proposed for a pocket."""

    center: Point
    size: Annotated[Point, Field(description="Edges in Å.")]


class Pocket(View):
    """One hollow of the receptor that could hold a ligand."""

    rank: int = Field(description="1 is the most promising.")
    center: Annotated[Point, Field(description="Centroid of the alpha spheres: x, y, z in Å.")]
    volume_angstrom3: float = Field(description="Room between the atoms.")
    score: float = Field(description="Decides the rank, more is better; scores of two receptors do not compare.")
    residues: list[str] = Field(description="The residues that line it.", examples=[["A:LEU83", "A:ASP145"]])
    box: PocketBox


class ReceptorPockets(View):
    """The most promising pockets of a receptor, the best first."""

    items: list[Pocket]


class PreparationReport(View):
    """Every residue that was changed or is a problem, and totals."""

    notes: list[ResidueNote]
    steps: list[str]
    n_residues: int
    n_atoms: int
    versions: dict[str, str]

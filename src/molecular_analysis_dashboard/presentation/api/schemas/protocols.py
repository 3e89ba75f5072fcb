"""Immutable recipes of screens."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from molecular_analysis_dashboard.domain.hashing import MAX_SEED
from molecular_analysis_dashboard.presentation.api.schemas.common import Body, Flag, Name, Real, View, Whole

Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.-]{0,63}$")]


class SearchEffort(Body):
    """How hard to search."""

    exhaustiveness: Whole = Field(
        default=8, ge=1, le=1024, description="Independent Monte-Carlo runs per ligand state."
    )


class LigandOptions(Body):
    """Stated choices of ligand preparation."""

    protonate: Flag = Field(
        default=True, description="Set protonation states for `ph`; otherwise the input's hydrogens count."
    )
    ph: Real = Field(default=7.4, ge=0, le=14)
    enumerate_stereo: Flag = Field(
        default=True, description="Dock every stereoisomer of undefined centres; if false, undefined stereo is refused."
    )
    max_states: Whole = Field(default=8, ge=1, le=64, description="Most protomers and stereoisomers docked per ligand.")
    max_heavy_atoms: Whole = Field(default=100, ge=1, le=500)
    max_torsions: Whole = Field(default=32, ge=0, le=100)


class DockingProtocol(Body):
    """Everything that changes a result besides receptor, box and ligand."""

    engine: Word = "vina"
    scoring: Word = Field(default="vina", examples=["vina", "vinardo"])
    effort: SearchEffort = Field(default_factory=SearchEffort)
    n_poses: Whole = Field(default=3, ge=1, le=100, description="Most poses kept per ligand.")
    min_rmsd_angstrom: Real = Field(default=1.0, gt=0, le=10, description="Least RMSD between kept poses, in Å.")
    energy_range_kcal_mol: Real = Field(
        default=3.0, gt=0, le=100, description="Poses worse than the best by more are dropped."
    )
    seed: Whole = Field(default=42, ge=1, le=MAX_SEED, description="Each ligand's own seed derives from it.")
    ligands: LigandOptions = Field(default_factory=LigandOptions)


class ProtocolCreate(Body):
    """A recipe under a name; the same name and content give the version that is there already."""

    name: Name
    protocol: DockingProtocol = Field(default_factory=DockingProtocol)


class Protocol(View):
    """One immutable version."""

    id: UUID
    name: str
    version: int
    content_hash: str
    protocol: DockingProtocol
    created_by: UUID
    created_at: datetime


class ProtocolPage(View):
    """Protocols, newest first."""

    items: list[Protocol]
    next_cursor: str | None = None

"""Uploaded macromolecules."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from molecular_analysis_dashboard.domain.receptors import StructureFormat
from molecular_analysis_dashboard.presentation.api.schemas.common import Point, View


class HeteroGroup(View):
    """A non-polymer residue: water, ion, cofactor, additive, ligand."""

    name: str
    chain: str
    number: str
    kind: str = Field(examples=["ligand", "ion", "cofactor", "water"])
    n_heavy_atoms: int
    center: Point
    selector: str = Field(description="`NAME:CHAIN:NUMBER`, as receptor options and binding sites take it.")


class StructureSummary(View):
    """What the file holds, before any preparation."""

    format: StructureFormat
    n_models: int
    chains: list[str]
    n_residues: int
    n_atoms: int
    hetero_groups: list[HeteroGroup]
    warnings: list[str]


class Structure(View):
    """An uploaded macromolecule, kept byte for byte."""

    id: UUID
    name: str
    file_name: str
    sha256: str
    size_bytes: int
    summary: StructureSummary
    created_by: UUID
    created_at: datetime


class StructurePage(View):
    """Structures, newest first."""

    items: list[Structure]
    next_cursor: str | None = None

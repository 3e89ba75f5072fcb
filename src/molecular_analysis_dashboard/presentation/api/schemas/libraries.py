"""Sets of ligands."""

from datetime import datetime
from uuid import UUID

from pydantic import AliasChoices, Field

from molecular_analysis_dashboard.domain.catalog import ReadyState
from molecular_analysis_dashboard.domain.rejections import RejectionReason
from molecular_analysis_dashboard.presentation.api.schemas.common import Body, Name, Problem, View
from molecular_analysis_dashboard.presentation.api.schemas.jobs import Job


class LibraryFromText(Body):
    """Pasted SMILES: one record a line, the name behind the SMILES."""

    name: Name
    smiles: str = Field(min_length=1, examples=["CC(=O)Oc1ccccc1C(=O)O aspirin\nCn1cnc2c1c(=O)n(C)c(=O)n2C caffeine"])


class Library(View):
    """An ingested set of ligands; ligands and rejections sum to the records."""

    id: UUID
    name: str
    file_name: str
    sha256: str
    size_bytes: int
    state: ReadyState
    n_records: int
    n_ligands: int
    n_rejected: int
    n_noted: int = Field(description="Ligands with a note, such as on removed counter-ions.")
    error: Problem | None
    created_by: UUID
    created_at: datetime


class LibraryPage(View):
    """Libraries, newest first."""

    items: list[Library]
    next_cursor: str | None = None


class LibraryAccepted(View):
    """The library to be, and the job that reads it."""

    library: Library
    job: Job


class Ligand(View):
    """One molecule of a library."""

    id: UUID
    record: int = Field(description="Number of the input record, from 1.")
    line: int = Field(description="Line on which the record starts, from 1.")
    name: str
    smiles: str = Field(description="Canonical isomeric SMILES of the neutral parent, the ligand's identity.")
    drawn_smiles: str | None = Field(
        description="The parent in the charge state of the input, where that is another; docked without protonation."
    )
    inchikey: str = Field(description="Of the neutral parent.")
    heavy_atoms: int
    torsions: int
    molecular_weight: float = Field(description="g/mol")
    notes: list[str] = Field(description="What was left out of the record.")


class LigandPage(View):
    """Ligands in input order."""

    items: list[Ligand]
    next_cursor: str | None = None


class Rejection(View):
    """One input record that is no ligand of its library."""

    record: int
    line: int
    name: str
    input: str = Field(validation_alias=AliasChoices("input", "input_text"), description="The record, shortened.")
    reason: RejectionReason
    message: str
    kept_ligand_id: UUID | None = Field(description="For a duplicate: the ligand that is kept.")


class RejectionPage(View):
    """Rejections in input order."""

    items: list[Rejection]
    next_cursor: str | None = None

"""What an organization keeps between jobs: structures, receptors, binding sites, libraries, protocols."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from molecular_analysis_dashboard.domain.docking import DockingProtocol
from molecular_analysis_dashboard.domain.pockets import Pocket
from molecular_analysis_dashboard.domain.rejections import RejectionReason
from molecular_analysis_dashboard.domain.sites import SearchBox, SiteOrigin


class ReadyState(StrEnum):
    """Life of a thing that a job makes usable."""

    PREPARING = "preparing"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True)
class Structure:
    """An uploaded macromolecule; the blob `sha256` is kept byte for byte."""

    id: UUID
    name: str
    file_name: str
    sha256: str
    size_bytes: int
    summary: Mapping[str, object]
    created_by: UUID
    created_at: datetime


@dataclass(frozen=True)
class Receptor:
    """A structure prepared for docking by stated options; `pockets` is None while they are not known."""

    id: UUID
    structure_id: UUID
    name: str
    options: Mapping[str, object]
    state: ReadyState
    created_by: UUID
    created_at: datetime
    pdbqt_sha256: str | None = None
    pdb_sha256: str | None = None
    content_hash: str | None = None
    report: Mapping[str, object] | None = None
    error: Mapping[str, object] | None = None
    pockets: tuple[Pocket, ...] | None = None


@dataclass(frozen=True)
class BindingSite:
    """A search box on a structure, and where it came from."""

    id: UUID
    structure_id: UUID
    name: str
    origin: SiteOrigin
    box: SearchBox
    created_by: UUID
    created_at: datetime
    details: Mapping[str, object] = field(default_factory=dict)
    native_mol_block: str | None = None


@dataclass(frozen=True)
class Library:
    """An ingested set of ligands; ligands and rejections sum to the records, `n_noted` ligands have a note."""

    id: UUID
    name: str
    file_name: str
    sha256: str
    size_bytes: int
    state: ReadyState
    created_by: UUID
    created_at: datetime
    n_records: int = 0
    n_ligands: int = 0
    n_rejected: int = 0
    n_noted: int = 0
    base_cost_s: float = 0.0
    error: Mapping[str, object] | None = None


@dataclass(frozen=True)
class Ligand:
    """One molecule of a library, as stored.

    Parameters
    ----------
    smiles : str
        The neutral parent; equal SMILES are the same ligand.
    drawn_smiles : str or None
        The parent in the charge state of the input, where that is another.
    input_text : str
        The record, shortened for display; known only while the ligand is being stored.
    """

    id: UUID
    library_id: UUID
    record: int
    line: int
    name: str
    smiles: str
    inchikey: str
    heavy_atoms: int
    torsions: int
    molecular_weight: float
    base_cost_s: float
    notes: tuple[str, ...] = ()
    drawn_smiles: str | None = None
    input_text: str = ""


@dataclass(frozen=True)
class Rejection:
    """One input record that is no ligand of its library; `record` counts records from 1."""

    record: int
    line: int
    name: str
    input_text: str
    reason: RejectionReason
    message: str
    kept_ligand_id: UUID | None = None


@dataclass(frozen=True)
class ProtocolVersion:
    """An immutable protocol under a name and a version."""

    id: UUID
    name: str
    version: int
    protocol: DockingProtocol
    content_hash: str
    created_by: UUID
    created_at: datetime

"""Results as they are stored and read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from molecular_analysis_dashboard.domain.analyses import AlertCatalogue, LigandProperties, NotAnalysed
from molecular_analysis_dashboard.domain.docking import LigandOutcome
from molecular_analysis_dashboard.domain.errors import InvalidInput
from molecular_analysis_dashboard.domain.interaction_filters import InteractionFilter
from molecular_analysis_dashboard.domain.rejections import RejectionReason


class Outcome(StrEnum):
    """How a ligand of a job ended."""

    SCORED = "scored"
    REJECTED = "rejected"


class HitOrder(StrEnum):
    """Orders of a hit list; each has an index. Scores and efficiency put the best first."""

    SCORE = "score"
    LIGAND_EFFICIENCY = "ligand_efficiency"
    SIZE_CORRECTED = "size_corrected_score"
    NAME = "name"
    MOLECULAR_WEIGHT = "molecular_weight"


@dataclass(frozen=True)
class NewResult:
    """The outcome of one ligand, about to be recorded."""

    ligand_id: UUID
    outcome: LigandOutcome
    provenance: Mapping[str, object]


@dataclass(frozen=True)
class HitAnalysis:
    """What the analysis of a hit's best pose came to; `failure` says why there is none."""

    analysed_at: datetime
    failure: NotAnalysed | None
    valid: bool | None
    failed_checks: tuple[str, ...]
    strain_kcal_mol: float | None


@dataclass(frozen=True)
class Hit:
    """One scored ligand of a job's hit list.

    `n_rounds`, `converged` and `score_spread_kcal_mol` are what its search says of itself (`SearchSummary`); None where
    it could not tell, or where the result is older than the columns.

    Parameters
    ----------
    size_corrected_score : float
        Score divided by the cube root of the number of heavy atoms (Pan 2003, doi:10.1021/ci020055f), in kcal/mol:
        between score and ligand efficiency in how much it favours large ligands.
    properties : LigandProperties, optional
        None for ligands docked before they were computed.
    analysis : HitAnalysis, optional
        Of the best pose; None if it was not analysed yet.
    """

    ligand_id: UUID
    name: str
    smiles: str
    inchikey: str
    heavy_atoms: int
    molecular_weight: float
    score_kcal_mol: float
    ligand_efficiency: float
    n_poses: int
    state_smiles: str
    seconds_cpu: float
    n_rounds: int | None
    converged: bool | None
    score_spread_kcal_mol: float | None
    provenance: Mapping[str, object]
    recorded_at: datetime
    size_corrected_score: float = 0.0
    properties: LigandProperties | None = None
    analysis: HitAnalysis | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out of the ligand's record, such as counter-ions."""
        notes = self.provenance.get("notes")
        return tuple(map(str, notes)) if isinstance(notes, list) else ()


@dataclass(frozen=True)
class HitFilter:
    """Which hits to show; None does not filter. Text matches anywhere in the name, ignoring case.

    Validity, strain and interactions are those of the best pose, and let only analysed hits pass; descriptors and
    alerts let only hits pass that have them.
    """

    max_score_kcal_mol: float | None = None
    min_ligand_efficiency: float | None = None
    min_molecular_weight: float | None = None
    max_molecular_weight: float | None = None
    name_contains: str | None = None
    analysed: bool | None = None
    valid: bool | None = None
    max_strain_kcal_mol: float | None = None
    min_logp: float | None = None
    max_logp: float | None = None
    min_tpsa: float | None = None
    max_tpsa: float | None = None
    max_h_bond_donors: int | None = None
    max_h_bond_acceptors: int | None = None
    max_rotatable_bonds: int | None = None
    min_rings: int | None = None
    max_rings: int | None = None
    min_fraction_sp3: float | None = None
    min_qed: float | None = None
    without_alerts: tuple[AlertCatalogue, ...] = ()
    interactions: InteractionFilter = field(default_factory=InteractionFilter)


@dataclass(frozen=True)
class RejectedResult:
    """One ligand of a job that has no score, or one record that never became a ligand."""

    line: int
    name: str
    input_text: str
    reason: RejectionReason
    message: str


@dataclass(frozen=True)
class StoredPose:
    """One pose with its topology, as SDF is made of it."""

    ligand_id: UUID
    name: str
    rank: int
    score_kcal_mol: float
    state_smiles: str
    mol_block: str
    coordinates: bytes
    state_no: int = 1
    side_chains_pdb: str = ""


@dataclass(frozen=True)
class Event:
    """Something that happened to a job.

    `cursor` orders the events of all jobs by commit: a reader that resumes behind a cursor misses nothing.
    """

    cursor: str
    org_id: UUID
    job_id: UUID
    type: str
    payload: Mapping[str, object]
    at: datetime

    @property
    def position(self) -> tuple[int, int, int]:
        """What the cursor stands for; positions compare in the order of events."""
        return cursor_position(self.cursor)


# An era ends where a restored backup goes on in another cluster, whose transaction ids begin anew. It is the upper part
# of the event id, so that cursors handed out before a restore stay good after it.
ERA_BITS = 40


def cursor_position(cursor: str) -> tuple[int, int, int]:
    """Return (era, transaction id, event id) of a cursor; the empty one stands before everything.

    Raises
    ------
    InvalidInput
        With code ``invalid_cursor`` if the server never gave it out.
    """
    if not cursor:
        return 0, 0, 0
    xid, _, id_ = cursor.partition("-")
    digits = xid.isascii() and id_.isascii() and xid.isdigit() and id_.isdigit()
    if not (digits and len(cursor) <= 40 and int(xid) < 2**64 and int(id_) < 2**63):
        raise InvalidInput("This is not a cursor that the server gave out.", code="invalid_cursor", cursor=cursor[:80])
    return int(id_) >> ERA_BITS, int(xid), int(id_)

"""What is found out about poses and ligands after docking; docs/reference/pose-analysis.md has every source."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from molecular_analysis_dashboard.domain.sites import SearchBox

# CPU seconds of one ligand with three poses, as benchmarks/analyse.py measures it; good enough to cut tasks by.
ANALYSIS_COST_S = 5.0
# Beyond this a ranking by rank ranges, several jobs, shows what it does; one job would run for a day on two cores.
MAX_LIGANDS = 10_000


@dataclass(frozen=True)
class AnalysisOptions:
    """What a protocol wants analysed when its screen completes.

    Parameters
    ----------
    top : int
        The best ligands by docking score; 0 analyses none.
    max_poses : int
        Most poses of each ligand, the best first.
    """

    top: int = 100
    max_poses: int = 3


class InteractionType(StrEnum):
    """Interactions by ProLIF's names; the first word is the ligand's part in it."""

    HYDROPHOBIC = "Hydrophobic"
    HB_DONOR = "HBDonor"
    HB_ACCEPTOR = "HBAcceptor"
    XB_DONOR = "XBDonor"
    XB_ACCEPTOR = "XBAcceptor"
    CATIONIC = "Cationic"
    ANIONIC = "Anionic"
    CATION_PI = "CationPi"
    PI_CATION = "PiCation"
    FACE_TO_FACE = "FaceToFace"
    EDGE_TO_FACE = "EdgeToFace"
    METAL_ACCEPTOR = "MetalAcceptor"


@dataclass(frozen=True)
class Interaction:
    """The closest interaction of one type between a pose and one residue.

    Parameters
    ----------
    residue : str
        ``CHAIN:NAMENUMBER[insertion code]``, for example ``A:GLU80``, as in the receptor that was docked into.
    distance_angstrom : float
        Between the atoms, or ring centres, that ProLIF measures for this type.
    """

    type: InteractionType
    residue: str
    distance_angstrom: float


@dataclass(frozen=True)
class PoseAnalysis:
    """What was found out about one pose.

    Parameters
    ----------
    checks : mapping
        PoseBusters' checks by name; None where one could not be computed.
    strain_kcal_mol : float, optional
        Energy above the ligand's best known conformer, with `strain_method`; None where no force field knows it.
    rmsd_angstrom : tuple of float
        Symmetry-aware RMSD to each analysed pose before this one, best first, without superposition.
    problems : mapping
        Sentences by the name of the part that could not be done: ``checks``, ``interactions``, ``strain``, ``rmsd``.
    """

    checks: Mapping[str, bool | None] = field(default_factory=dict)
    interactions: tuple[Interaction, ...] = ()
    strain_kcal_mol: float | None = None
    strain_method: str = ""
    rmsd_angstrom: tuple[float, ...] = ()
    problems: Mapping[str, str] = field(default_factory=dict)
    seconds_cpu: float = 0.0

    @property
    def failed_checks(self) -> tuple[str, ...]:
        """Names of the checks that the pose fails."""
        return tuple(name for name, passed in self.checks.items() if passed is False)

    @property
    def valid(self) -> bool | None:
        """Whether every check passes; None where none fails and some could not be computed."""
        if self.failed_checks:
            return False
        return True if self.checks and all(self.checks.values()) else None


class AlertCatalogue(StrEnum):
    """RDKit's catalogues of structural alerts."""

    PAINS = "PAINS"
    BRENK = "BRENK"
    NIH = "NIH"


class NotAnalysed(StrEnum):
    """Why a pose has no analysis."""

    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out_of_memory"
    CRASH = "crash"
    LOST = "lost"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class PoseFailure:
    """A pose whose analysis did not come to an end, and why."""

    reason: NotAnalysed
    message: str


@dataclass(frozen=True)
class AnalysedPose:
    """One pose of a ligand with what became of its analysis."""

    state_no: int
    rank: int
    outcome: PoseAnalysis | PoseFailure


@dataclass(frozen=True)
class StoredAnalysis:
    """The analysis of one pose as stored."""

    rank: int
    failure: NotAnalysed | None
    message: str | None
    valid: bool | None
    checks: Mapping[str, bool | None]
    strain_kcal_mol: float | None
    strain_method: str
    rmsd_angstrom: tuple[float, ...]
    problems: Mapping[str, str]
    seconds_cpu: float
    analysed_at: datetime
    interactions: tuple[Interaction, ...] = ()


@dataclass(frozen=True)
class LigandProperties:
    """Descriptors of a ligand's neutral parent, on the graph.

    Parameters
    ----------
    logp : float
        Crippen's (Wildman and Crippen 1999).
    tpsa : float
        Topological polar surface, in Å² (Ertl 2000).
    qed : float
        Drug-likeness between 0 and 1 (Bickerton 2012).
    alerts : tuple of str
        ``CATALOGUE:name`` of each structural alert of RDKit's PAINS, BRENK and NIH catalogues.
    """

    logp: float
    tpsa: float
    h_bond_donors: int
    h_bond_acceptors: int
    rotatable_bonds: int
    rings: int
    fraction_sp3: float
    qed: float
    alerts: tuple[str, ...]


@dataclass(frozen=True)
class AnalysisSite:
    """Where poses are looked at: the protonated receptor that was docked into, and the box.

    Parameters
    ----------
    receptor_sha256 : str
        Of the PDB file; names it within one process.
    """

    receptor_sha256: str
    receptor_pdb: str
    box: SearchBox

    @property
    def key(self) -> str:
        """Names this site within one process."""
        return "|".join((self.receptor_sha256, *(f"{value:.4f}" for value in (*self.box.center, *self.box.size))))


@dataclass(frozen=True)
class PosedLigand:
    """One pose to be analysed.

    Parameters
    ----------
    mol_block : str
        Topology of the docked state with all hydrogens.
    coordinates : bytes
        As of `domain.docking.Pose`.
    better : tuple of bytes
        Coordinates of the poses before it.
    """

    ligand_id: str
    mol_block: str
    coordinates: bytes
    better: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class LigandChoice:
    """Which ligands of a screen to look at: ranks by docking score, or ids.

    Parameters
    ----------
    last_rank : int, optional
        None for all from the first on.
    ids : tuple of UUID
        When given, ranks do not count.
    """

    first_rank: int = 1
    last_rank: int | None = 100
    ids: tuple[UUID, ...] = ()

    @property
    def n_asked(self) -> int | None:
        """How many are asked for at most; None for all."""
        if self.ids:
            return len(self.ids)
        return None if self.last_rank is None else self.last_rank - self.first_rank + 1

"""Reading what was found out about a screen's poses."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from molecular_analysis_dashboard.domain.analyses import StoredAnalysis
from molecular_analysis_dashboard.domain.clusters import as_bits, leader_clusters
from molecular_analysis_dashboard.domain.results import Hit, HitFilter, HitOrder
from molecular_analysis_dashboard.ports.chemistry import RequestChemistry
from molecular_analysis_dashboard.ports.unit_of_work import UnitOfWork

# Comparing each ligand with every leader stays under a second or two.
MAX_CLUSTERED = 2000


class Likeness(StrEnum):
    """What ligands are compared by."""

    FINGERPRINT = "fingerprint"
    INTERACTIONS = "interactions"


@dataclass(frozen=True)
class LigandReport:
    """A hit with its ranks and the analyses of its poses."""

    hit: Hit
    ranks: dict[HitOrder, int]
    poses: Sequence[StoredAnalysis]

    @property
    def rmsd_angstrom(self) -> list[list[float]]:
        """Symmetric matrix between the poses that have an RMSD to all before them."""
        rows = [pose.rmsd_angstrom for number, pose in enumerate(self.poses) if len(pose.rmsd_angstrom) == number]
        if len(rows) < len(self.poses):
            return []
        size = range(len(rows))
        return [[0.0 if i == j else rows[max(i, j)][min(i, j)] for j in size] for i in size]


@dataclass(frozen=True)
class LigandCluster:
    """Hits that are like the leader, best score first."""

    hits: Sequence[Hit]


def ligand_report(uow: UnitOfWork, screen_id: UUID, ligand_id: UUID) -> LigandReport:
    """Return everything about one hit; NotFound if there is no such hit."""
    uow.jobs.get(screen_id)
    hit = uow.results.hit(screen_id, ligand_id)
    return LigandReport(hit, uow.results.ranks(hit, screen_id), uow.analyses.of_ligand(screen_id, ligand_id))


def analysed_hits(uow: UnitOfWork, screen_id: UUID, limit: int) -> tuple[list[Hit], dict[UUID, frozenset[str]]]:
    """Return the best analysed hits, best score first, with the interactions of their best poses."""
    uow.jobs.get(screen_id)
    where = HitFilter(analysed=True)
    hits = uow.results.hits(screen_id, order=HitOrder.SCORE, where=where, after=None, limit=limit)
    return hits, uow.analyses.interactions_of_best(screen_id, [hit.ligand_id for hit in hits])


def cluster_hits(
    chemistry: RequestChemistry,
    hits: Sequence[Hit],
    interactions: dict[UUID, frozenset[str]],
    likeness: Likeness,
    least_similarity: float,
) -> list[LigandCluster]:
    """Group hits (best score first) by Morgan fingerprint, or by interactions of the best pose."""
    if likeness is Likeness.INTERACTIONS:
        bits = as_bits([interactions.get(hit.ligand_id, frozenset()) for hit in hits])
    else:
        bits = chemistry.morgan_fingerprints([hit.smiles for hit in hits])
    leaders = leader_clusters(bits, least_similarity=least_similarity)
    members: dict[int, list[Hit]] = {}
    for hit, leader in zip(hits, leaders, strict=True):
        members.setdefault(leader, []).append(hit)
    return [LigandCluster(found) for _, found in sorted(members.items())]

"""Screens over actives and decoys in PostgreSQL, and their metrics."""

from uuid import UUID

from sqlalchemy import func, insert, select, text, update

from molecular_analysis_dashboard.adapters.persistence.rows import Repository
from molecular_analysis_dashboard.adapters.persistence.tables import jobs, validations
from molecular_analysis_dashboard.domain.enrichment import Enrichment, RankedMolecule, Validation

# Equal SMILES of the neutral parent are the same ligand, whatever was drawn.
_MOLECULES = text(
    """
    WITH both_sets AS (
        SELECT a.smiles_sha256 FROM ligands a JOIN ligands d ON d.smiles_sha256 = a.smiles_sha256
        WHERE a.library_id = :actives AND d.library_id = :decoys
    )
    SELECT l.library_id = :actives AS is_active, r.score_kcal_mol, r.heavy_atoms,
           l.smiles_sha256 IN (SELECT smiles_sha256 FROM both_sets) AS is_in_both
    FROM results r JOIN ligands l ON l.id = r.ligand_id
    WHERE r.job_id = :job_id
    ORDER BY l.library_id = :decoys, l.record
    """
)


class SqlValidations(Repository):
    """Implements `ports.validation.Validations`."""

    def add(self, job_id: UUID, decoy_library_id: UUID) -> None:
        """Note whose decoys a job screens beside its own library of actives."""
        values = {"job_id": job_id, "org_id": self._org_id, "decoy_library_id": decoy_library_id}
        self._connection.execute(insert(validations).values(values))

    def get(self, job_id: UUID) -> Validation:
        """Return one, or raise NotFound."""
        query = (
            select(validations, jobs.c.library_id)
            .join(jobs, jobs.c.id == validations.c.job_id)
            .where(validations.c.job_id == job_id)
        )
        row = self._one(query, "validation", job_id)
        body = row["enrichment"]
        enrichment = None if body is None else Enrichment.from_json(body)
        return Validation(job_id, row["library_id"], row["decoy_library_id"], enrichment)

    def molecules(self, job_id: UUID) -> list[RankedMolecule]:
        """Return every ligand that the job has an outcome of, actives first."""
        found = self.get(job_id)
        parameters = {"job_id": job_id, "actives": found.actives_library_id, "decoys": found.decoys_library_id}
        return [
            RankedMolecule(row.is_active, row.score_kcal_mol, row.heavy_atoms, row.is_in_both)
            for row in self._connection.execute(_MOLECULES, parameters)
        ]

    def save(self, job_id: UUID, enrichment: Enrichment) -> None:
        """Store the metrics."""
        saved = update(validations).where(validations.c.job_id == job_id)
        self._connection.execute(saved.values(enrichment=enrichment.as_json(), evaluated_at=func.now()))

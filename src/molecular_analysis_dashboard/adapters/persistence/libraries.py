"""Libraries, ligands and rejections in PostgreSQL."""

import hashlib
from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, Select, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from molecular_analysis_dashboard.adapters.persistence.rows import Repository
from molecular_analysis_dashboard.adapters.persistence.tables import jobs, libraries, ligands, rejections, validations
from molecular_analysis_dashboard.domain.catalog import Library, Ligand, ReadyState, Rejection
from molecular_analysis_dashboard.domain.errors import Conflict
from molecular_analysis_dashboard.domain.rejections import SENTENCES, RejectionReason
from molecular_analysis_dashboard.domain.scheduling import CostedLigand


class SqlLibraries(Repository):
    """Implements `ports.repositories.Libraries`."""

    def add(self, library: Library) -> None:
        """Store a library to be ingested."""
        self._connection.execute(
            insert(libraries).values(
                id=library.id,
                org_id=self._org_id,
                name=library.name,
                file_name=library.file_name,
                sha256=library.sha256,
                size_bytes=library.size_bytes,
                state=library.state,
                created_by=library.created_by,
            )
        )

    def get(self, library_id: UUID, *, deleted: bool = False) -> Library:
        """Return one (a deleted one if asked), or raise NotFound."""
        query = select(libraries).where(libraries.c.id == library_id, self._visible(libraries, deleted=deleted))
        return _library(self._one(query, "library", library_id))

    def page(self, *, after: UUID | None, limit: int) -> list[Library]:
        """Return libraries, newest first."""
        query = select(libraries).where(libraries.c.deleted_at.is_(None))
        return [_library(row) for row in self._newest_first(query, libraries, after, limit)]

    def delete(self, library_id: UUID) -> None:
        """Hide it."""
        self.get(library_id)
        as_decoys = select(validations.c.job_id).where(validations.c.decoy_library_id == library_id)
        uses = (jobs.c.library_id == library_id) | jobs.c.id.in_(as_decoys)
        busy = select(jobs.c.id).where(uses, jobs.c.finished_at.is_(None)).limit(1)
        if (job_id := self._connection.execute(busy).scalar()) is not None:
            raise Conflict(
                "An unfinished job uses this library; cancel it or wait for its end.", code="in_use", job_id=str(job_id)
            )
        self._connection.execute(update(libraries).where(libraries.c.id == library_id).values(deleted_at=func.now()))

    def add_batch(self, library_id: UUID, batch: Sequence[Ligand], rejected: Sequence[Rejection]) -> None:
        """Store one batch of records and raise the counts."""
        kept = self._insert_ligands(batch)
        duplicates = self._duplicates(library_id, [ligand for ligand in batch if ligand.id not in kept])
        refused = [*rejected, *duplicates]
        if refused:
            self._connection.execute(
                insert(rejections),
                [
                    {
                        "org_id": self._org_id,
                        "library_id": library_id,
                        "record": item.record,
                        "line": item.line,
                        "name": item.name,
                        "input_text": item.input_text,
                        "reason": item.reason,
                        "message": item.message,
                        "kept_ligand_id": item.kept_ligand_id,
                    }
                    for item in refused
                ],
            )
        self._connection.execute(
            update(libraries)
            .where(libraries.c.id == library_id)
            .values(
                n_records=libraries.c.n_records + len(kept) + len(refused),
                n_ligands=libraries.c.n_ligands + len(kept),
                n_rejected=libraries.c.n_rejected + len(refused),
                n_noted=libraries.c.n_noted + sum(1 for item in batch if item.id in kept and item.notes),
                base_cost_s=libraries.c.base_cost_s + sum(item.base_cost_s for item in batch if item.id in kept),
            )
        )

    def _insert_ligands(self, batch: Sequence[Ligand]) -> set[UUID]:
        if not batch:
            return set()
        statement = (
            upsert(ligands)
            .on_conflict_do_nothing(index_elements=[ligands.c.library_id, ligands.c.smiles_sha256])
            .returning(ligands.c.id)
        )
        rows = [
            {
                "id": item.id,
                "org_id": self._org_id,
                "library_id": item.library_id,
                "record": item.record,
                "line": item.line,
                "name": item.name,
                "smiles": item.smiles,
                "smiles_sha256": _identity(item.smiles),
                "drawn_smiles": item.drawn_smiles,
                "inchikey": item.inchikey,
                "heavy_atoms": item.heavy_atoms,
                "torsions": item.torsions,
                "molecular_weight": item.molecular_weight,
                "base_cost_s": item.base_cost_s,
                "notes": list(item.notes),
            }
            for item in batch
        ]
        return set(self._connection.execute(statement, rows).scalars())

    def _duplicates(self, library_id: UUID, batch: Sequence[Ligand]) -> list[Rejection]:
        if not batch:
            return []
        first = {
            bytes(row.smiles_sha256): row
            for row in self._connection.execute(
                select(ligands.c.smiles_sha256, ligands.c.id, ligands.c.line, ligands.c.name).where(
                    ligands.c.library_id == library_id,
                    ligands.c.smiles_sha256.in_([_identity(item.smiles) for item in batch]),
                )
            )
        }
        found = []
        for item in batch:
            kept = first[_identity(item.smiles)]
            found.append(
                Rejection(
                    record=item.record,
                    line=item.line,
                    name=item.name,
                    input_text=item.input_text,
                    reason=RejectionReason.DUPLICATE,
                    message=f"{SENTENCES[RejectionReason.DUPLICATE]} It is {kept.name} on line {kept.line}.",
                    kept_ligand_id=kept.id,
                )
            )
        return found

    def finish(self, library_id: UUID) -> None:
        """Mark it ready."""
        self._connection.execute(
            update(libraries)
            .where(libraries.c.id == library_id, libraries.c.state == ReadyState.PREPARING)
            .values(state=ReadyState.READY)
        )

    def fail(self, library_id: UUID, error: Mapping[str, object]) -> None:
        """Mark it failed and hide its rows, which the sweep removes; one that is ready already stays so."""
        self._connection.execute(
            update(libraries)
            .where(libraries.c.id == library_id, libraries.c.state == ReadyState.PREPARING)
            .values(
                state=ReadyState.FAILED, error=error, n_records=0, n_ligands=0, n_rejected=0, n_noted=0, base_cost_s=0.0
            )
        )

    def ligand_page(self, library_id: UUID, *, after_record: int, limit: int, noted_only: bool = False) -> list[Ligand]:
        """Return ligands in input order, of all or of those with a note."""
        query = (
            select(ligands)
            .where(ligands.c.library_id == library_id, ligands.c.record > after_record, _not_failed(library_id))
            .order_by(ligands.c.record)
            .limit(limit)
        )
        if noted_only:
            # The literal predicate lets the partial index serve.
            query = query.where(text("notes <> '{}'"))
        return [_ligand(row) for row in self._connection.execute(query).mappings()]

    def rejection_page(self, library_id: UUID, *, after_record: int, limit: int) -> list[Rejection]:
        """Return rejections in input order."""
        query = (
            select(rejections)
            .where(rejections.c.library_id == library_id, rejections.c.record > after_record, _not_failed(library_id))
            .order_by(rejections.c.record)
            .limit(limit)
        )
        return [_rejection(row) for row in self._connection.execute(query).mappings()]

    def ligands_by_id(self, ligand_ids: Sequence[UUID]) -> dict[UUID, Ligand]:
        """Return the ligands of a task."""
        query = select(ligands).where(ligands.c.id == func.any(text("CAST(:ids AS uuid[])")))
        rows = self._connection.execute(query, {"ids": list(ligand_ids)}).mappings()
        return {row["id"]: _ligand(row) for row in rows}

    def to_plan(self, library_id: UUID, *, after: tuple[float, UUID] | None, limit: int) -> list[CostedLigand]:
        """Return ligands longest first."""
        query = select(ligands.c.id, ligands.c.base_cost_s).where(ligands.c.library_id == library_id)
        if after is not None:
            # In two parts, because costs repeat much: each begins in the index right where it has to.
            cost, ligand_id = after
            tied = query.where(ligands.c.base_cost_s == cost, ligands.c.id > ligand_id).order_by(ligands.c.id)
            found = self._costed(tied.limit(limit))
            query = query.where(ligands.c.base_cost_s < cost)
        else:
            found = []
        if len(found) < limit:
            following = query.order_by(ligands.c.base_cost_s.desc(), ligands.c.id)
            found += self._costed(following.limit(limit - len(found)))
        return found

    def _costed(self, query: Select[tuple[UUID, float]]) -> list[CostedLigand]:
        return [CostedLigand(row.id, row.base_cost_s) for row in self._connection.execute(query)]


def _not_failed(library_id: UUID) -> ColumnElement[bool]:
    return select(libraries.c.id).where(libraries.c.id == library_id, libraries.c.state != ReadyState.FAILED).exists()


def _identity(smiles: str) -> bytes:
    return hashlib.sha256(smiles.encode()).digest()


def _library(row: RowMapping) -> Library:
    return Library(
        id=row["id"],
        name=row["name"],
        file_name=row["file_name"],
        sha256=row["sha256"],
        size_bytes=row["size_bytes"],
        state=ReadyState(row["state"]),
        created_by=row["created_by"],
        created_at=row["created_at"],
        n_records=row["n_records"],
        n_ligands=row["n_ligands"],
        n_rejected=row["n_rejected"],
        n_noted=row["n_noted"],
        base_cost_s=row["base_cost_s"],
        error=row["error"],
    )


def _ligand(row: RowMapping) -> Ligand:
    return Ligand(
        id=row["id"],
        library_id=row["library_id"],
        record=row["record"],
        line=row["line"],
        name=row["name"],
        smiles=row["smiles"],
        inchikey=row["inchikey"],
        heavy_atoms=row["heavy_atoms"],
        torsions=row["torsions"],
        molecular_weight=row["molecular_weight"],
        base_cost_s=row["base_cost_s"],
        notes=tuple(row["notes"]),
        drawn_smiles=row["drawn_smiles"],
    )


def _rejection(row: RowMapping) -> Rejection:
    return Rejection(
        record=row["record"],
        line=row["line"],
        name=row["name"],
        input_text=row["input_text"],
        reason=RejectionReason(row["reason"]),
        message=row["message"],
        kept_ligand_id=row["kept_ligand_id"],
    )

"""Structures, receptors and binding sites in PostgreSQL."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import RowMapping, func, insert, null, or_, select, update

from molecular_analysis_dashboard.adapters.persistence.rows import Repository
from molecular_analysis_dashboard.adapters.persistence.tables import binding_sites, jobs, receptors, structures
from molecular_analysis_dashboard.domain.catalog import BindingSite, ReadyState, Receptor, Structure
from molecular_analysis_dashboard.domain.errors import Conflict
from molecular_analysis_dashboard.domain.pockets import Pocket
from molecular_analysis_dashboard.domain.sites import SearchBox, SiteOrigin


class SqlStructures(Repository):
    """Implements `ports.repositories.Structures`."""

    def add(self, structure: Structure) -> None:
        """Store a new structure."""
        self._connection.execute(
            insert(structures).values(
                id=structure.id,
                org_id=self._org_id,
                name=structure.name,
                file_name=structure.file_name,
                sha256=structure.sha256,
                size_bytes=structure.size_bytes,
                summary=structure.summary,
                created_by=structure.created_by,
            )
        )

    def get(self, structure_id: UUID, *, deleted: bool = False) -> Structure:
        """Return one (a deleted one if asked), or raise NotFound."""
        query = select(structures).where(structures.c.id == structure_id, self._visible(structures, deleted=deleted))
        return _structure(self._one(query, "structure", structure_id))

    def page(self, *, after: UUID | None, limit: int) -> list[Structure]:
        """Return up to `limit`, newest first."""
        query = select(structures).where(structures.c.deleted_at.is_(None))
        return [_structure(row) for row in self._newest_first(query, structures, after, limit)]

    def delete(self, structure_id: UUID) -> None:
        """Hide it with its receptors and sites."""
        self.get(structure_id)
        busy = select(jobs.c.id).where(
            jobs.c.finished_at.is_(None),
            or_(
                jobs.c.structure_id == structure_id,
                jobs.c.receptor_id.in_(select(receptors.c.id).where(receptors.c.structure_id == structure_id)),
            ),
        )
        if (job_id := self._connection.execute(busy.limit(1)).scalar()) is not None:
            raise Conflict(
                "An unfinished job uses this structure; cancel it or wait for its end.",
                code="in_use",
                job_id=str(job_id),
            )
        for table, column in (
            (structures, structures.c.id),
            (receptors, receptors.c.structure_id),
            (binding_sites, binding_sites.c.structure_id),
        ):
            self._connection.execute(update(table).where(column == structure_id).values(deleted_at=func.now()))

    def add_receptor(self, receptor: Receptor) -> None:
        """Store a receptor to be prepared."""
        self._connection.execute(
            insert(receptors).values(
                id=receptor.id,
                org_id=self._org_id,
                structure_id=receptor.structure_id,
                name=receptor.name,
                options=receptor.options,
                state=receptor.state,
                created_by=receptor.created_by,
            )
        )

    def get_receptor(self, receptor_id: UUID, *, deleted: bool = False) -> Receptor:
        """Return one (a deleted one if asked), or raise NotFound."""
        query = select(receptors).where(receptors.c.id == receptor_id, self._visible(receptors, deleted=deleted))
        return _receptor(self._one(query, "receptor", receptor_id))

    def receptors(self, structure_id: UUID | None, *, after: UUID | None, limit: int) -> list[Receptor]:
        """Return receptors, newest first."""
        query = select(receptors).where(receptors.c.deleted_at.is_(None))
        if structure_id is not None:
            query = query.where(receptors.c.structure_id == structure_id)
        return [_receptor(row) for row in self._newest_first(query, receptors, after, limit)]

    def receptor_ready(
        self,
        receptor_id: UUID,
        *,
        pdbqt_sha256: str,
        pdb_sha256: str,
        content_hash: str,
        report: Mapping[str, object],
        pockets: Sequence[Pocket] | None = None,
    ) -> None:
        """Store what preparation made."""
        self._end_receptor(
            receptor_id,
            state=ReadyState.READY,
            pdbqt_sha256=pdbqt_sha256,
            pdb_sha256=pdb_sha256,
            content_hash=content_hash,
            report=report,
            pockets=null() if pockets is None else [pocket.as_json() for pocket in pockets],
        )

    def receptor_failed(self, receptor_id: UUID, error: Mapping[str, object]) -> None:
        """Store why preparation failed."""
        self._end_receptor(receptor_id, state=ReadyState.FAILED, error=error)

    def _end_receptor(self, receptor_id: UUID, **values: object) -> None:
        preparing = (receptors.c.id == receptor_id) & (receptors.c.state == ReadyState.PREPARING)
        self._connection.execute(update(receptors).where(preparing).values(**values))

    def add_site(self, site: BindingSite) -> None:
        """Store a binding site."""
        self._connection.execute(
            insert(binding_sites).values(
                id=site.id,
                org_id=self._org_id,
                structure_id=site.structure_id,
                name=site.name,
                origin=site.origin,
                center=list(site.box.center),
                size=list(site.box.size),
                details=site.details,
                native_mol_block=site.native_mol_block,
                created_by=site.created_by,
            )
        )

    def get_site(self, site_id: UUID, *, deleted: bool = False) -> BindingSite:
        """Return one (a deleted one if asked), or raise NotFound."""
        query = select(binding_sites).where(
            binding_sites.c.id == site_id, self._visible(binding_sites, deleted=deleted)
        )
        return _site(self._one(query, "binding site", site_id))

    def sites(self, structure_id: UUID | None, *, after: UUID | None, limit: int) -> list[BindingSite]:
        """Return sites, newest first."""
        query = select(binding_sites).where(binding_sites.c.deleted_at.is_(None))
        if structure_id is not None:
            query = query.where(binding_sites.c.structure_id == structure_id)
        return [_site(row) for row in self._newest_first(query, binding_sites, after, limit)]


def _structure(row: RowMapping) -> Structure:
    return Structure(
        id=row["id"],
        name=row["name"],
        file_name=row["file_name"],
        sha256=row["sha256"],
        size_bytes=row["size_bytes"],
        summary=row["summary"],
        created_by=row["created_by"],
        created_at=row["created_at"],
    )


def _receptor(row: RowMapping) -> Receptor:
    return Receptor(
        id=row["id"],
        structure_id=row["structure_id"],
        name=row["name"],
        options=row["options"],
        state=ReadyState(row["state"]),
        created_by=row["created_by"],
        created_at=row["created_at"],
        pdbqt_sha256=row["pdbqt_sha256"],
        pdb_sha256=row["pdb_sha256"],
        content_hash=row["content_hash"],
        report=row["report"],
        error=row["error"],
        pockets=None if row["pockets"] is None else tuple(Pocket.from_json(pocket) for pocket in row["pockets"]),
    )


def _site(row: RowMapping) -> BindingSite:
    (x, y, z), (dx, dy, dz) = row["center"], row["size"]
    return BindingSite(
        id=row["id"],
        structure_id=row["structure_id"],
        name=row["name"],
        origin=SiteOrigin(row["origin"]),
        box=SearchBox((x, y, z), (dx, dy, dz)),
        created_by=row["created_by"],
        created_at=row["created_at"],
        details=row["details"],
        native_mol_block=row["native_mol_block"],
    )

"""Removing for good what is deleted: in batches, each a short transaction, so that no lock is held for long.

A batch takes the row that it belongs to `FOR UPDATE SKIP LOCKED`: a second leader finds something else to do.
"""

from collections.abc import Sequence
from typing import LiteralString
from uuid import UUID

from sqlalchemy import TextClause, text

from molecular_analysis_dashboard.adapters.persistence.rows import Repository
from molecular_analysis_dashboard.ports.sweep import FileKind

_OLD = "deleted_at < clock_timestamp() - make_interval(secs => :older_than_s)"

# A job that needs a thing: any but the finished one that made it. What such a job refers to stays, for its provenance.
_HIDE_READERS = text(
    f"""
    UPDATE jobs j SET deleted_at = l.deleted_at FROM libraries l
    WHERE j.library_id = l.id AND j.kind = 'ingest' AND j.finished_at IS NOT NULL AND j.deleted_at IS NULL
      AND l.{_OLD}
      AND NOT EXISTS (SELECT FROM jobs n WHERE n.library_id = l.id AND n.kind <> 'ingest')
      AND NOT EXISTS (SELECT FROM validations v WHERE v.decoy_library_id = l.id)
    """
)
_HIDE_PREPARERS = text(
    f"""
    UPDATE jobs j SET deleted_at = s.deleted_at FROM structures s
    WHERE j.structure_id = s.id AND j.kind = 'prepare' AND j.finished_at IS NOT NULL AND j.deleted_at IS NULL
      AND s.{_OLD}
      AND NOT EXISTS (SELECT FROM jobs n WHERE n.structure_id = s.id AND n.kind <> 'prepare')
    """
)

# Analyses and rescorings of a screen.
_HIDE_ANALYSES = text(
    f"""
    UPDATE jobs j SET deleted_at = s.deleted_at FROM jobs s
    WHERE j.screen_id = s.id AND j.finished_at IS NOT NULL AND j.deleted_at IS NULL AND s.{_OLD}
    """
)

# A failed job may have tasks that still run; they end within a heartbeat, or are reclaimed.
_DELETED_JOB = text(
    f"""
    SELECT j.id FROM jobs j
    WHERE j.{_OLD} AND j.finished_at IS NOT NULL
      AND NOT EXISTS (SELECT FROM tasks t WHERE t.job_id = j.id AND t.state = 'running')
      AND NOT EXISTS (SELECT FROM jobs a WHERE a.screen_id = j.id AND a.finished_at IS NULL)
    ORDER BY j.deleted_at, j.id LIMIT 1 FOR UPDATE SKIP LOCKED
    """
)
# The result goes with the rest of its ligand: whatever is left is still found by the results that are left.
_LIGANDS_OF_JOB = text(
    """
    WITH chosen AS MATERIALIZED (SELECT ligand_id FROM results WHERE job_id = :id ORDER BY ligand_id LIMIT :limit),
    no_interactions AS (DELETE FROM interactions d USING chosen c WHERE d.job_id = :id AND d.ligand_id = c.ligand_id),
    no_analyses AS (DELETE FROM pose_analyses d USING chosen c WHERE d.job_id = :id AND d.ligand_id = c.ligand_id),
    no_poses AS (DELETE FROM poses d USING chosen c WHERE d.job_id = :id AND d.ligand_id = c.ligand_id),
    no_states AS (DELETE FROM ligand_states d USING chosen c WHERE d.job_id = :id AND d.ligand_id = c.ligand_id)
    DELETE FROM results d USING chosen c WHERE d.job_id = :id AND d.ligand_id = c.ligand_id
    """
)
_RESCORED_OF_JOB = text(
    """
    WITH chosen AS MATERIALIZED (
        SELECT ligand_id FROM rescored_ligands WHERE job_id = :id ORDER BY ligand_id LIMIT :limit
    ),
    no_poses AS (DELETE FROM rescored_poses d USING chosen c WHERE d.job_id = :id AND d.ligand_id = c.ligand_id)
    DELETE FROM rescored_ligands d USING chosen c WHERE d.job_id = :id AND d.ligand_id = c.ligand_id
    """
)
_TASKS_OF_JOB = text(
    """
    WITH chosen AS MATERIALIZED (SELECT id FROM tasks WHERE job_id = :id LIMIT :limit),
    no_attempts AS (DELETE FROM attempts a USING chosen c WHERE a.task_id = c.id)
    DELETE FROM tasks t USING chosen c WHERE t.id = c.id
    """
)

_POSES_OF_REDOCKING = text(
    "DELETE FROM redocking_poses WHERE run_id IN (SELECT id FROM redocking_runs WHERE job_id = :id)"
)

_FAILED_LIBRARY = text(
    """
    SELECT l.id FROM libraries l
    WHERE l.state = 'failed' AND (EXISTS (SELECT FROM ligands WHERE library_id = l.id)
                                  OR EXISTS (SELECT FROM rejections WHERE library_id = l.id))
    ORDER BY l.id LIMIT 1 FOR UPDATE SKIP LOCKED
    """
)
_DELETED_LIBRARY = text(
    f"""
    SELECT l.id FROM libraries l
    WHERE l.{_OLD} AND NOT EXISTS (SELECT FROM jobs j WHERE j.library_id = l.id)
      AND NOT EXISTS (SELECT FROM validations v WHERE v.decoy_library_id = l.id)
    ORDER BY l.deleted_at, l.id LIMIT 1 FOR UPDATE SKIP LOCKED
    """
)
_DELETED_STRUCTURE = text(
    f"""
    SELECT s.id FROM structures s
    WHERE s.{_OLD} AND NOT EXISTS (
        SELECT FROM jobs j
        WHERE j.structure_id = s.id
           OR j.receptor_id IN (SELECT id FROM receptors WHERE structure_id = s.id)
           OR j.site_id IN (SELECT id FROM binding_sites WHERE structure_id = s.id)
    )
    ORDER BY s.deleted_at, s.id LIMIT 1 FOR UPDATE SKIP LOCKED
    """
)

_UNUSED = {
    FileKind.UPLOAD: text(
        """
        SELECT asked FROM unnest(CAST(:names AS text[])) AS asked
        WHERE NOT EXISTS (SELECT FROM structures WHERE sha256 = asked)
          AND NOT EXISTS (SELECT FROM libraries WHERE sha256 = asked)
        """
    ),
    FileKind.RESULT: text(
        """
        SELECT asked FROM unnest(CAST(:names AS text[])) AS asked
        WHERE NOT EXISTS (SELECT FROM receptors WHERE pdbqt_sha256 = asked OR pdb_sha256 = asked)
        """
    ),
}
# Neither a dump nor a restored copy carries this.
_IDENTITY = text(
    "SELECT system_identifier || '-' || oid FROM pg_control_system(), pg_database WHERE datname = current_database()"
)
# Executed by a backup on a connection of its own before it looks at the database: until that connection closes, no file
# goes, even one whose last row goes meanwhile.
HOLD_ALL_FILES: LiteralString = "SELECT pg_advisory_lock_shared(hashtextextended('mad:backup', 0))"
_NO_BACKUP = text("SELECT pg_try_advisory_xact_lock(hashtextextended('mad:backup', 0))")
# The lock is held while the store is asked, however long that takes.
_LOCK_FILE = text(
    "SELECT set_config('idle_in_transaction_session_timeout', '0', true), "
    "pg_advisory_xact_lock(hashtextextended('mad:file:' || :name, 0))"
)
_KEEP_FILE = text("SELECT pg_advisory_xact_lock_shared(hashtextextended('mad:file:' || :name, 0))")


def _some_of(table: str, owner: str) -> TextClause:
    """Delete a batch of the rows of one owner; not for partitioned tables, where `ctid` is not unique."""
    chosen = f"SELECT ctid FROM {table} WHERE {owner} = :id LIMIT :limit"
    return text(f"DELETE FROM {table} WHERE ctid = ANY (ARRAY({chosen}))")


_PARTS_OF_JOB = (
    _some_of("docking_cache", "job_id"),
    _LIGANDS_OF_JOB,
    _RESCORED_OF_JOB,
    _POSES_OF_REDOCKING,
    *(_some_of(table, "job_id") for table in ("redocking_runs", "redockings", "validations", "rescorings")),
    _TASKS_OF_JOB,
    _some_of("events", "job_id"),
)
_PARTS_OF_LIBRARY = (_some_of("ligands", "library_id"), _some_of("rejections", "library_id"))
_JOB, _LIBRARY, _STRUCTURE = (
    text(f"DELETE FROM {table} WHERE id = :id") for table in ("jobs", "libraries", "structures")
)
_RECEPTORS, _SITES = (text(f"DELETE FROM {table} WHERE structure_id = :id") for table in ("receptors", "binding_sites"))


class SqlSweep(Repository):
    """Implements `ports.sweep.Sweep`."""

    def hide_makers(self, *, older_than_s: float) -> int:
        """Delete, by hiding, the jobs that made a deleted library or structure that no other job needs.

        And those that analysed or rescored a deleted screen.
        """
        statements = (_HIDE_ANALYSES, _HIDE_READERS, _HIDE_PREPARERS)
        return sum(self._connection.execute(each, {"older_than_s": older_than_s}).rowcount for each in statements)

    def jobs(self, *, older_than_s: float, limit: int) -> int:
        """Remove up to `limit` ligands, tasks or events of one deleted job; its own row goes last."""
        return self._sweep(self._first(_DELETED_JOB, older_than_s), (*_PARTS_OF_JOB, _JOB), limit)

    def failed_libraries(self, *, limit: int) -> int:
        """Remove up to `limit` rows of one library that could not be read; the library stays with its error."""
        return self._sweep(self._first(_FAILED_LIBRARY, 0.0), _PARTS_OF_LIBRARY, limit)

    def libraries(self, *, older_than_s: float, limit: int) -> int:
        """Remove up to `limit` rows of one deleted library that no job needs; its own row goes last."""
        return self._sweep(self._first(_DELETED_LIBRARY, older_than_s), (*_PARTS_OF_LIBRARY, _LIBRARY), limit)

    def structures(self, *, older_than_s: float) -> int:
        """Remove one deleted structure that no job needs, with its receptors and sites."""
        structure_id = self._first(_DELETED_STRUCTURE, older_than_s)
        if structure_id is None:
            return 0
        return sum(
            self._connection.execute(each, {"id": structure_id}).rowcount for each in (_RECEPTORS, _SITES, _STRUCTURE)
        )

    def database_identity(self) -> str:
        """Return what tells this database from every other, and from its own copies."""
        identity: str = self._connection.execute(_IDENTITY).scalar_one()
        return identity

    def unused_files(self, kind: FileKind, names: Sequence[str]) -> list[str]:
        """Return those of the named files that no row refers to, deleted rows included."""
        return list(self._connection.execute(_UNUSED[kind], {"names": list(names)}).scalars())

    def lock_file(self, name: str) -> bool:
        """Let nobody begin to refer to a file before this transaction ends; False while a backup copies files."""
        if not self._connection.execute(_NO_BACKUP).scalar_one():
            return False
        self._connection.execute(_LOCK_FILE, {"name": name})
        return True

    def _first(self, query: TextClause, older_than_s: float) -> UUID | None:
        found: UUID | None = self._connection.execute(query, {"older_than_s": older_than_s}).scalar()
        return found

    def _sweep(self, owner: UUID | None, parts: Sequence[TextClause], limit: int) -> int:
        """Remove a batch of the first part that has any rows left."""
        if owner is None:
            return 0
        for part in parts:
            if removed := self._connection.execute(part, {"id": owner, "limit": limit}).rowcount:
                return removed
        return 0


class SqlStoredFiles(Repository):
    """Implements `ports.sweep.StoredFiles`."""

    def keep(self, name: str) -> None:
        """Let no sweep remove a file before this transaction ends, when a row that refers to it counts."""
        self._connection.execute(_KEEP_FILE, {"name": name})

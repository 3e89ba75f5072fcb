"""The tables, as SQLAlchemy Core sees them.

`org_id` stands on every tenant table and in every foreign key between them, so that a row can only point within its
own organization. `results`, `ligand_states`, `poses`, `interactions`, `pose_analyses`, `rescored_ligands` and
`rescored_poses` are hash-partitioned by job and carry no foreign key: a key check per row would lock the job row once
per ligand, and a deleted job's rows go by sweep.
Text that is ordered is `COLLATE "C"`, so that order never depends on the server's locale.
"""

from sqlalchemy import (
    ARRAY,
    REAL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import UserDefinedType

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

RESULT_PARTITIONS = 16
PARTITIONED = (
    "results",
    "ligand_states",
    "poses",
    "interactions",
    "pose_analyses",
    "rescored_ligands",
    "rescored_poses",
)


class Xid8(UserDefinedType[str]):
    """PostgreSQL's 64-bit transaction id."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """Name of the type in SQL."""
        return "xid8"


def _sorted_text() -> Text:
    return Text(collation="C")


def _now(name: str) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())


def _time(name: str) -> Column[object]:
    return Column(name, DateTime(timezone=True))


def _org() -> Column[object]:
    return Column("org_id", Uuid, ForeignKey("organizations.id"), nullable=False)


def _to(table: str, column: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["org_id", column], [f"{table}.org_id", f"{table}.id"])


organizations = Table(
    "organizations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", _sorted_text(), nullable=False, unique=True),
    _now("created_at"),
)

users = Table(
    "users",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("email", _sorted_text(), nullable=False, unique=True),
    Column("display_name", Text, nullable=False),
    Column("is_active", Boolean, nullable=False, server_default=text("true")),
    _now("created_at"),
)

memberships = Table(
    "memberships",
    metadata,
    _org(),
    Column("user_id", Uuid, ForeignKey("users.id"), nullable=False),
    Column("role", Text, nullable=False),
    PrimaryKeyConstraint("org_id", "user_id"),
)

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", Uuid, primary_key=True),
    _org(),
    Column("user_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("token_sha256", LargeBinary, nullable=False, unique=True),
    _now("created_at"),
    _time("expires_at"),
    _time("revoked_at"),
    ForeignKeyConstraint(["org_id", "user_id"], ["memberships.org_id", "memberships.user_id"]),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", Uuid, primary_key=True),
    _org(),
    Column("user_id", Uuid),
    Column("action", Text, nullable=False),
    Column("subject_type", Text, nullable=False),
    Column("subject_id", Uuid),
    Column("details", JSONB, nullable=False, server_default=text("'{}'")),
    Column("request_id", Text),
    _now("at"),
    Index(None, "org_id", "at"),
)

structures = Table(
    "structures",
    metadata,
    Column("id", Uuid, primary_key=True),
    _org(),
    Column("name", _sorted_text(), nullable=False),
    Column("file_name", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("summary", JSONB, nullable=False),
    Column("created_by", Uuid, ForeignKey("users.id"), nullable=False),
    _now("created_at"),
    _time("deleted_at"),
    UniqueConstraint("org_id", "id"),
)

binding_sites = Table(
    "binding_sites",
    metadata,
    Column("id", Uuid, primary_key=True),
    _org(),
    Column("structure_id", Uuid, nullable=False),
    Column("name", _sorted_text(), nullable=False),
    Column("origin", Text, nullable=False),
    Column("center", ARRAY(Double), nullable=False),
    Column("size", ARRAY(Double), nullable=False),
    Column("details", JSONB, nullable=False, server_default=text("'{}'")),
    Column("native_mol_block", Text),
    Column("created_by", Uuid, ForeignKey("users.id"), nullable=False),
    _now("created_at"),
    _time("deleted_at"),
    UniqueConstraint("org_id", "id"),
    _to("structures", "structure_id"),
    Index(None, "org_id", "structure_id"),
)

receptors = Table(
    "receptors",
    metadata,
    Column("id", Uuid, primary_key=True),
    _org(),
    Column("structure_id", Uuid, nullable=False),
    Column("name", _sorted_text(), nullable=False),
    Column("options", JSONB, nullable=False),
    Column("state", Text, nullable=False),
    Column("pdbqt_sha256", Text),
    Column("pdb_sha256", Text),
    Column("content_hash", Text),
    Column("report", JSONB),
    Column("pockets", JSONB),
    Column("error", JSONB),
    Column("created_by", Uuid, ForeignKey("users.id"), nullable=False),
    _now("created_at"),
    _time("deleted_at"),
    UniqueConstraint("org_id", "id"),
    _to("structures", "structure_id"),
    Index(None, "org_id", "structure_id"),
)

libraries = Table(
    "libraries",
    metadata,
    Column("id", Uuid, primary_key=True),
    _org(),
    Column("name", _sorted_text(), nullable=False),
    Column("file_name", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("n_records", BigInteger, nullable=False, server_default=text("0")),
    Column("n_ligands", BigInteger, nullable=False, server_default=text("0")),
    Column("n_rejected", BigInteger, nullable=False, server_default=text("0")),
    Column("n_noted", BigInteger, nullable=False, server_default=text("0")),
    Column("base_cost_s", Double, nullable=False, server_default=text("0")),
    Column("error", JSONB),
    Column("created_by", Uuid, ForeignKey("users.id"), nullable=False),
    _now("created_at"),
    _time("deleted_at"),
    UniqueConstraint("org_id", "id"),
)

ligands = Table(
    "ligands",
    metadata,
    Column("id", Uuid, primary_key=True),
    _org(),
    Column("library_id", Uuid, nullable=False),
    Column("record", BigInteger, nullable=False),
    Column("line", BigInteger, nullable=False),
    Column("name", _sorted_text(), nullable=False),
    Column("smiles", Text, nullable=False),
    Column("smiles_sha256", LargeBinary, nullable=False),
    Column("drawn_smiles", Text),
    Column("inchikey", _sorted_text(), nullable=False),
    Column("heavy_atoms", SmallInteger, nullable=False),
    Column("torsions", SmallInteger, nullable=False),
    Column("molecular_weight", REAL, nullable=False),
    Column("base_cost_s", Double, nullable=False),
    Column("notes", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    UniqueConstraint("org_id", "id"),
    UniqueConstraint("library_id", "smiles_sha256"),
    UniqueConstraint("library_id", "record"),
    _to("libraries", "library_id"),
    Index("ix_ligands_planning", "library_id", text("base_cost_s DESC"), "id"),
    Index("ix_ligands_noted", "library_id", "record", postgresql_where=text("notes <> '{}'")),
)

rejections = Table(
    "rejections",
    metadata,
    _org(),
    Column("library_id", Uuid, nullable=False),
    Column("record", BigInteger, nullable=False),
    Column("line", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("input_text", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("kept_ligand_id", Uuid),
    PrimaryKeyConstraint("library_id", "record"),
    _to("libraries", "library_id"),
)

protocols = Table(
    "protocols",
    metadata,
    Column("id", Uuid, primary_key=True),
    _org(),
    Column("name", _sorted_text(), nullable=False),
    Column("version", Integer, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("created_by", Uuid, ForeignKey("users.id"), nullable=False),
    _now("created_at"),
    UniqueConstraint("org_id", "id"),
    UniqueConstraint("org_id", "name", "version"),
    UniqueConstraint("org_id", "name", "content_hash"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", Uuid, primary_key=True),
    _org(),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("name", _sorted_text(), nullable=False),
    Column("spec", JSONB, nullable=False),
    Column("structure_id", Uuid),
    Column("receptor_id", Uuid),
    Column("site_id", Uuid),
    Column("library_id", Uuid),
    Column("protocol_id", Uuid),
    Column("screen_id", Uuid),
    Column("analyse_top", Integer),
    Column("engine_build", Text),
    Column("priority", SmallInteger, nullable=False, server_default=text("0")),
    Column("idempotency_key", Text),
    Column("request_hash", Text),
    Column("reason", Text),
    Column("error", JSONB),
    Column("n_ligands", BigInteger, nullable=False, server_default=text("0")),
    Column("cost_s", Double, nullable=False, server_default=text("0")),
    Column("planned_ligands", BigInteger, nullable=False, server_default=text("0")),
    Column("planned_cost_s", Double, nullable=False, server_default=text("0")),
    Column("planned_to_cost_s", Double),
    Column("planned_to_ligand", Uuid),
    Column("planning_complete", Boolean, nullable=False, server_default=text("false")),
    Column("request_id", Text),
    Column("traceparent", Text),
    Column("created_by", Uuid, ForeignKey("users.id"), nullable=False),
    _now("created_at"),
    _time("started_at"),
    _time("cancel_requested_at"),
    _time("finished_at"),
    _time("deleted_at"),
    UniqueConstraint("org_id", "id"),
    UniqueConstraint("org_id", "idempotency_key"),
    _to("structures", "structure_id"),
    _to("receptors", "receptor_id"),
    _to("binding_sites", "site_id"),
    _to("libraries", "library_id"),
    _to("protocols", "protocol_id"),
    Index("ix_jobs_listing", "org_id", text("created_at DESC"), text("id DESC")),
    Index("ix_jobs_open", "state", postgresql_where=text("finished_at IS NULL")),
    Index("ix_jobs_screen", "screen_id", postgresql_where=text("screen_id IS NOT NULL")),
    Index("ix_jobs_to_analyse", "id", postgresql_where=text("analyse_top IS NOT NULL")),
)

tasks = Table(
    "tasks",
    metadata,
    Column("id", Uuid, primary_key=True),
    _org(),
    Column("job_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("ligand_ids", ARRAY(Uuid), nullable=False, server_default=text("'{}'")),
    Column("cost_s", Double, nullable=False, server_default=text("0")),
    Column("attempt_no", Integer, nullable=False, server_default=text("0")),
    Column("worker_id", Uuid),
    Column("n_scored", Integer, nullable=False, server_default=text("0")),
    Column("n_rejected", Integer, nullable=False, server_default=text("0")),
    Column("error", JSONB),
    _now("created_at"),
    _time("released_at"),
    _time("started_at"),
    _time("heartbeat_at"),
    _time("finished_at"),
    UniqueConstraint("org_id", "id"),
    _to("jobs", "job_id"),
    CheckConstraint("n_scored >= 0 AND n_rejected >= 0", name="counts"),
    # Counts of a job are read from the index alone.
    Index("ix_tasks_job", "job_id", "state", postgresql_include=["n_scored", "n_rejected"]),
    Index(
        "ix_tasks_pending",
        "queue",
        "job_id",
        text("cost_s DESC"),
        "id",
        postgresql_where=text("state = 'pending'"),
    ),
    Index(
        "ix_tasks_open",
        "queue",
        "state",
        "job_id",
        postgresql_where=text("state IN ('pending', 'released', 'running')"),
    ),
)

attempts = Table(
    "attempts",
    metadata,
    _org(),
    Column("task_id", Uuid, nullable=False),
    Column("attempt_no", Integer, nullable=False),
    Column("job_id", Uuid, nullable=False),
    Column("worker_id", Uuid, nullable=False),
    Column("slot_pid", Integer, nullable=False),
    Column("current_ligand_id", Uuid),
    Column("end_cause", Text),
    Column("error", JSONB),
    Column("n_refused_writes", Integer, nullable=False, server_default=text("0")),
    _now("started_at"),
    _time("ended_at"),
    PrimaryKeyConstraint("task_id", "attempt_no"),
    _to("tasks", "task_id"),
    Index("ix_attempts_losses", "job_id", "current_ligand_id", postgresql_where=text("end_cause = 'lost'")),
)

workers = Table(
    "workers",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("version", Text, nullable=False),
    Column("queues", ARRAY(Text), nullable=False),
    Column("engine_builds", ARRAY(Text), nullable=False),
    Column("scoring_functions", JSONB, nullable=False, server_default=text("'{}'")),
    Column("parameter_schemas", JSONB, nullable=False, server_default=text("'{}'")),
    Column("concurrency", Integer, nullable=False),
    Column("beat_interval_s", Double, nullable=False),
    Column("software", JSONB, nullable=False, server_default=text("'{}'")),
    Column("state", Text, nullable=False),
    _now("started_at"),
    _now("heartbeat_at"),
    _time("ended_at"),
    Index("ix_workers_live", "state", postgresql_where=text("ended_at IS NULL")),
)

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Uuid, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    _now("held_since"),
    Column("expires_at", DateTime(timezone=True), nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=True),
    _org(),
    Column("job_id", Uuid, nullable=False),
    Column("xid", Xid8, nullable=False, server_default=text("pg_current_xact_id()")),
    Column("type", Text, nullable=False),
    Column("payload", JSONB, nullable=False),
    _now("at"),
    _to("jobs", "job_id"),
    Index(None, "job_id", "xid", "id"),
    Index(None, "xid", "id"),
)

_SCORED = text("outcome = 'scored'")
# An expression of an index; queries must say it in the same words to be served by it.
SIZE_CORRECTED = "(score_kcal_mol / power(heavy_atoms::double precision, 0.3333333333333333::double precision))"

results = Table(
    "results",
    metadata,
    Column("job_id", Uuid, nullable=False),
    Column("ligand_id", Uuid, nullable=False),
    Column("org_id", Uuid, nullable=False),
    Column("task_id", Uuid, nullable=False),
    Column("attempt_no", Integer, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text),
    Column("message", Text),
    Column("line", BigInteger, nullable=False),
    Column("name", _sorted_text(), nullable=False),
    Column("smiles", Text, nullable=False),
    Column("inchikey", _sorted_text(), nullable=False),
    Column("heavy_atoms", SmallInteger, nullable=False),
    Column("molecular_weight", REAL, nullable=False),
    Column("score_kcal_mol", Double),
    Column("ligand_efficiency", Double),
    Column("n_poses", SmallInteger, nullable=False, server_default=text("0")),
    Column("state_smiles", Text),
    Column("seconds_cpu", REAL, nullable=False),
    Column("n_rounds", SmallInteger),
    Column("converged", Boolean),
    Column("score_spread_kcal_mol", Double),
    Column("provenance", JSONB, nullable=False),
    _now("recorded_at"),
    Column("logp", REAL),
    Column("tpsa", REAL),
    Column("h_bond_donors", SmallInteger),
    Column("h_bond_acceptors", SmallInteger),
    Column("rotatable_bonds", SmallInteger),
    Column("rings", SmallInteger),
    Column("fraction_sp3", REAL),
    Column("qed", REAL),
    Column("alerts", ARRAY(Text)),
    _time("analysed_at"),
    Column("analysis_failure", Text),
    Column("valid", Boolean),
    Column("failed_checks", ARRAY(Text)),
    Column("strain_kcal_mol", REAL),
    PrimaryKeyConstraint("job_id", "ligand_id"),
    CheckConstraint("(outcome = 'scored') = (score_kcal_mol IS NOT NULL)", name="scored"),
    CheckConstraint("(outcome = 'rejected') = (reason IS NOT NULL)", name="rejected"),
    Index("ix_results_score", "job_id", "score_kcal_mol", "ligand_id", postgresql_where=_SCORED),
    Index("ix_results_efficiency", "job_id", "ligand_efficiency", "ligand_id", postgresql_where=_SCORED),
    Index("ix_results_name", "job_id", "name", "ligand_id", postgresql_where=_SCORED),
    Index("ix_results_weight", "job_id", "molecular_weight", "ligand_id", postgresql_where=_SCORED),
    Index("ix_results_size_corrected", "job_id", text(SIZE_CORRECTED), "ligand_id", postgresql_where=_SCORED),
    Index("ix_results_analysed", "job_id", "ligand_id", postgresql_where=text("analysed_at IS NOT NULL")),
    Index("ix_results_rejected", "job_id", "line", "ligand_id", postgresql_where=text("outcome = 'rejected'")),
    postgresql_partition_by="HASH (job_id)",
)

ligand_states = Table(
    "ligand_states",
    metadata,
    Column("job_id", Uuid, nullable=False),
    Column("ligand_id", Uuid, nullable=False),
    Column("state_no", SmallInteger, nullable=False),
    Column("org_id", Uuid, nullable=False),
    Column("smiles", Text, nullable=False),
    Column("score_kcal_mol", Double),
    Column("message", Text, nullable=False),
    Column("mol_block_zlib", LargeBinary),
    PrimaryKeyConstraint("job_id", "ligand_id", "state_no"),
    postgresql_partition_by="HASH (job_id)",
)

poses = Table(
    "poses",
    metadata,
    Column("job_id", Uuid, nullable=False),
    Column("ligand_id", Uuid, nullable=False),
    Column("state_no", SmallInteger, nullable=False),
    Column("rank", SmallInteger, nullable=False),
    Column("org_id", Uuid, nullable=False),
    Column("score_kcal_mol", Double, nullable=False),
    Column("coordinates_zlib", LargeBinary, nullable=False),
    PrimaryKeyConstraint("job_id", "ligand_id", "state_no", "rank"),
    postgresql_partition_by="HASH (job_id)",
)

interactions = Table(
    "interactions",
    metadata,
    Column("job_id", Uuid, nullable=False),
    Column("ligand_id", Uuid, nullable=False),
    Column("state_no", SmallInteger, nullable=False),
    Column("rank", SmallInteger, nullable=False),
    Column("residue", _sorted_text(), nullable=False),
    Column("type", _sorted_text(), nullable=False),
    Column("org_id", Uuid, nullable=False),
    Column("distance_angstrom", REAL),
    PrimaryKeyConstraint("job_id", "ligand_id", "state_no", "rank", "residue", "type"),
    Index("ix_interactions_residue", "job_id", "residue", "type", "rank", "ligand_id"),
    postgresql_partition_by="HASH (job_id)",
)

pose_analyses = Table(
    "pose_analyses",
    metadata,
    Column("job_id", Uuid, nullable=False),
    Column("ligand_id", Uuid, nullable=False),
    Column("state_no", SmallInteger, nullable=False),
    Column("rank", SmallInteger, nullable=False),
    Column("org_id", Uuid, nullable=False),
    Column("task_id", Uuid, nullable=False),
    Column("attempt_no", Integer, nullable=False),
    Column("failure", Text),
    Column("message", Text),
    Column("valid", Boolean),
    Column("checks", JSONB, nullable=False),
    Column("strain_kcal_mol", REAL),
    Column("strain_method", Text, nullable=False),
    Column("rmsd_angstrom", ARRAY(REAL), nullable=False),
    Column("problems", JSONB, nullable=False),
    Column("seconds_cpu", REAL, nullable=False),
    _now("analysed_at"),
    PrimaryKeyConstraint("job_id", "ligand_id", "state_no", "rank"),
    postgresql_partition_by="HASH (job_id)",
)

rescorings = Table(
    "rescorings",
    metadata,
    Column("job_id", Uuid, primary_key=True),
    _org(),
    Column("engine", Text, nullable=False),
    Column("scoring", Text, nullable=False),
    Column("relax", Boolean, nullable=False),
    Column("docked_engine", Text, nullable=False),
    Column("docked_scoring", Text, nullable=False),
    Column("max_poses", SmallInteger, nullable=False),
    Column("agreement", JSONB),
    _time("compared_at"),
    CheckConstraint("(agreement IS NULL) = (compared_at IS NULL)", name="compared"),
    _to("jobs", "job_id"),
)

rescored_ligands = Table(
    "rescored_ligands",
    metadata,
    Column("job_id", Uuid, nullable=False),
    Column("ligand_id", Uuid, nullable=False),
    Column("org_id", Uuid, nullable=False),
    Column("task_id", Uuid, nullable=False),
    Column("attempt_no", Integer, nullable=False),
    Column("docked_score_kcal_mol", Double, nullable=False),
    Column("score_kcal_mol", Double),
    Column("pose", SmallInteger),
    Column("reason", Text),
    Column("message", Text),
    Column("seconds_cpu", REAL, nullable=False),
    _now("recorded_at"),
    PrimaryKeyConstraint("job_id", "ligand_id"),
    CheckConstraint("(score_kcal_mol IS NULL) = (reason IS NOT NULL)", name="refused"),
    CheckConstraint("(score_kcal_mol IS NULL) = (pose IS NULL)", name="pose"),
    Index(
        "ix_rescored_ligands_score",
        "job_id",
        "score_kcal_mol",
        "ligand_id",
        postgresql_where=text("score_kcal_mol IS NOT NULL"),
    ),
    postgresql_partition_by="HASH (job_id)",
)

rescored_poses = Table(
    "rescored_poses",
    metadata,
    Column("job_id", Uuid, nullable=False),
    Column("ligand_id", Uuid, nullable=False),
    Column("state_no", SmallInteger, nullable=False),
    Column("rank", SmallInteger, nullable=False),
    Column("org_id", Uuid, nullable=False),
    Column("docked_score_kcal_mol", Double, nullable=False),
    Column("score_kcal_mol", Double),
    Column("moved_angstrom", REAL),
    Column("coordinates_zlib", LargeBinary),
    Column("reason", Text),
    Column("message", Text),
    PrimaryKeyConstraint("job_id", "ligand_id", "state_no", "rank"),
    CheckConstraint("(score_kcal_mol IS NULL) = (reason IS NOT NULL)", name="refused"),
    postgresql_partition_by="HASH (job_id)",
)

redockings = Table(
    "redockings",
    metadata,
    Column("job_id", Uuid, primary_key=True),
    _org(),
    Column("native_name", Text, nullable=False),
    Column("native_selector", Text),
    Column("native_mol_block", Text),
    Column("bond_order_source", Text),
    Column("warnings", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("checks", JSONB, nullable=False),
    Column("verdict", Text),
    Column("sentence", Text),
    Column("rule", Text),
    _time("judged_at"),
    CheckConstraint("(verdict IS NULL) = (judged_at IS NULL)", name="judged"),
    _to("jobs", "job_id"),
)

redocking_runs = Table(
    "redocking_runs",
    metadata,
    Column("id", Uuid, primary_key=True),
    _org(),
    Column("job_id", Uuid, nullable=False),
    Column("run_no", SmallInteger, nullable=False),
    Column("seed", Integer, nullable=False),
    Column("task_id", Uuid),
    Column("attempt_no", Integer),
    Column("outcome", Text),
    Column("reason", Text),
    Column("message", Text, nullable=False, server_default=text("''")),
    Column("state_smiles", Text),
    Column("mol_block_zlib", LargeBinary),
    Column("native_in_place_kcal_mol", Double),
    Column("native_relaxed_kcal_mol", Double),
    Column("native_relaxed_rmsd_angstrom", Double),
    Column("native_message", Text, nullable=False, server_default=text("''")),
    Column("seconds_cpu", REAL, nullable=False, server_default=text("0")),
    Column("provenance", JSONB),
    _time("recorded_at"),
    UniqueConstraint("org_id", "id"),
    UniqueConstraint("job_id", "run_no"),
    CheckConstraint("outcome IS NULL OR (outcome = 'rejected') = (reason IS NOT NULL)", name="rejected"),
    _to("jobs", "job_id"),
)

redocking_poses = Table(
    "redocking_poses",
    metadata,
    _org(),
    Column("run_id", Uuid, nullable=False),
    Column("rank", SmallInteger, nullable=False),
    Column("score_kcal_mol", Double, nullable=False),
    Column("rmsd_angstrom", Double, nullable=False),
    Column("coordinates_zlib", LargeBinary, nullable=False),
    PrimaryKeyConstraint("run_id", "rank"),
    _to("redocking_runs", "run_id"),
)

validations = Table(
    "validations",
    metadata,
    Column("job_id", Uuid, primary_key=True),
    _org(),
    Column("decoy_library_id", Uuid, nullable=False),
    Column("enrichment", JSONB),
    _time("evaluated_at"),
    CheckConstraint("(enrichment IS NULL) = (evaluated_at IS NULL)", name="evaluated"),
    _to("jobs", "job_id"),
    _to("libraries", "decoy_library_id"),
    Index(None, "decoy_library_id"),
)

docking_cache = Table(
    "docking_cache",
    metadata,
    _org(),
    Column("work_key", LargeBinary, nullable=False),
    Column("job_id", Uuid, nullable=False),
    Column("ligand_id", Uuid, nullable=False),
    _now("created_at"),
    PrimaryKeyConstraint("org_id", "work_key"),
)

TENANT_TABLES = tuple(table.name for table in metadata.sorted_tables if "org_id" in table.columns)

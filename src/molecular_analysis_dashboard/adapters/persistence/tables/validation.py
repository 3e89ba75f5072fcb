"""Redockings of native ligands, and validations by actives and decoys."""

from sqlalchemy import (
    ARRAY,
    REAL,
    CheckConstraint,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from molecular_analysis_dashboard.adapters.persistence.tables.columns import metadata, organization, time, to

redockings = Table(
    "redockings",
    metadata,
    Column("job_id", Uuid, primary_key=True),
    organization(),
    Column("native_name", Text, nullable=False),
    Column("native_selector", Text),
    Column("native_mol_block", Text),
    Column("bond_order_source", Text),
    Column("warnings", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("checks", JSONB, nullable=False),
    Column("verdict", Text),
    Column("sentence", Text),
    Column("rule", Text),
    time("judged_at"),
    CheckConstraint("(verdict IS NULL) = (judged_at IS NULL)", name="judged"),
    to("jobs", "job_id"),
)

redocking_runs = Table(
    "redocking_runs",
    metadata,
    Column("id", Uuid, primary_key=True),
    organization(),
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
    time("recorded_at"),
    UniqueConstraint("org_id", "id"),
    UniqueConstraint("job_id", "run_no"),
    CheckConstraint("outcome IS NULL OR (outcome = 'rejected') = (reason IS NOT NULL)", name="rejected"),
    to("jobs", "job_id"),
)

redocking_poses = Table(
    "redocking_poses",
    metadata,
    organization(),
    Column("run_id", Uuid, nullable=False),
    Column("rank", SmallInteger, nullable=False),
    Column("score_kcal_mol", Double, nullable=False),
    Column("rmsd_angstrom", Double, nullable=False),
    Column("coordinates_zlib", LargeBinary, nullable=False),
    Column("side_chains_zlib", LargeBinary),
    PrimaryKeyConstraint("run_id", "rank"),
    to("redocking_runs", "run_id"),
)

validations = Table(
    "validations",
    metadata,
    Column("job_id", Uuid, primary_key=True),
    organization(),
    Column("decoy_library_id", Uuid, nullable=False),
    Column("enrichment", JSONB),
    time("evaluated_at"),
    CheckConstraint("(enrichment IS NULL) = (evaluated_at IS NULL)", name="evaluated"),
    to("jobs", "job_id"),
    to("libraries", "decoy_library_id"),
    Index(None, "decoy_library_id"),
)

"""What a scoring function other than the docking's says of poses."""

from sqlalchemy import (
    REAL,
    Boolean,
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
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from molecular_analysis_dashboard.adapters.persistence.tables.columns import metadata, now, organization, time, to

rescorings = Table(
    "rescorings",
    metadata,
    Column("job_id", Uuid, primary_key=True),
    organization(),
    Column("engine", Text, nullable=False),
    Column("scoring", Text, nullable=False),
    Column("relax", Boolean, nullable=False),
    Column("docked_engine", Text, nullable=False),
    Column("docked_scoring", Text, nullable=False),
    Column("max_poses", SmallInteger, nullable=False),
    Column("agreement", JSONB),
    time("compared_at"),
    CheckConstraint("(agreement IS NULL) = (compared_at IS NULL)", name="compared"),
    to("jobs", "job_id"),
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
    now("recorded_at"),
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

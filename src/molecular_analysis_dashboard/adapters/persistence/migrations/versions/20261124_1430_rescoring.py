"""Rescorings of a screen's poses: what was asked, each ligand's best new score, and the score of each pose.

Only adds tables: code that does not know them goes on working.

Revision: 20261124_rescoring.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261124_rescoring"
down_revision = "20261124_pockets"
branch_labels = None
depends_on = None

PARTITIONS = 16
TABLES = ("rescorings", "rescored_ligands", "rescored_poses")
SCORED_OR_REFUSED = "(score_kcal_mol IS NULL) = (reason IS NOT NULL)"
# As the first schema has it for every table of an organization.
OWN = "org_id = (SELECT nullif(current_setting('mad.org_id', true), '')::uuid)"


def upgrade() -> None:
    _create_rescorings()
    _create_rescored_ligands()
    _create_rescored_poses()
    for table in TABLES[1:]:
        for number in range(PARTITIONS):
            op.execute(
                f"CREATE TABLE {table}_p{number:02d} PARTITION OF {table} "
                f"FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {number})"
            )
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own_organization ON {table} TO mad_tenant USING ({OWN}) WITH CHECK ({OWN})")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO mad_tenant")


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


def _create_rescorings() -> None:
    op.create_table(
        "rescorings",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("scoring", sa.Text(), nullable=False),
        sa.Column("relax", sa.Boolean(), nullable=False),
        sa.Column("docked_engine", sa.Text(), nullable=False),
        sa.Column("docked_scoring", sa.Text(), nullable=False),
        sa.Column("max_poses", sa.SmallInteger(), nullable=False),
        sa.Column("agreement", postgresql.JSONB(), nullable=True),
        sa.Column("compared_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(agreement IS NULL) = (compared_at IS NULL)", name=op.f("ck_rescorings_compared")),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name=op.f("fk_rescorings_organizations_org_id")),
        sa.ForeignKeyConstraint(
            ["org_id", "job_id"], ["jobs.org_id", "jobs.id"], name=op.f("fk_rescorings_jobs_org_id_job_id")
        ),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_rescorings")),
    )


def _create_rescored_ligands() -> None:
    op.create_table(
        "rescored_ligands",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("ligand_id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("attempt_no", sa.Integer(), nullable=False),
        sa.Column("docked_score_kcal_mol", sa.Double(), nullable=False),
        sa.Column("score_kcal_mol", sa.Double(), nullable=True),
        sa.Column("pose", sa.SmallInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("seconds_cpu", sa.REAL(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(SCORED_OR_REFUSED, name=op.f("ck_rescored_ligands_refused")),
        sa.CheckConstraint("(score_kcal_mol IS NULL) = (pose IS NULL)", name=op.f("ck_rescored_ligands_pose")),
        sa.PrimaryKeyConstraint("job_id", "ligand_id", name=op.f("pk_rescored_ligands")),
        postgresql_partition_by="HASH (job_id)",
    )
    op.create_index(
        "ix_rescored_ligands_score",
        "rescored_ligands",
        ["job_id", "score_kcal_mol", "ligand_id"],
        postgresql_where=sa.text("score_kcal_mol IS NOT NULL"),
    )


def _create_rescored_poses() -> None:
    op.create_table(
        "rescored_poses",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("ligand_id", sa.Uuid(), nullable=False),
        sa.Column("state_no", sa.SmallInteger(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("docked_score_kcal_mol", sa.Double(), nullable=False),
        sa.Column("score_kcal_mol", sa.Double(), nullable=True),
        sa.Column("moved_angstrom", sa.REAL(), nullable=True),
        sa.Column("coordinates_zlib", sa.LargeBinary(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.CheckConstraint(SCORED_OR_REFUSED, name=op.f("ck_rescored_poses_refused")),
        sa.PrimaryKeyConstraint("job_id", "ligand_id", "state_no", "rank", name=op.f("pk_rescored_poses")),
        postgresql_partition_by="HASH (job_id)",
    )
    # Before there are partitions: they take it over. What we have compressed TOAST must not try again.
    op.execute("ALTER TABLE rescored_poses ALTER COLUMN coordinates_zlib SET STORAGE EXTERNAL")

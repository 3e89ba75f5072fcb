"""Analyses of poses: what is found out about each, copies of it that hits are filtered by, and descriptors of ligands.

Only adds. New columns have no default, so old rows are not rewritten; the indexes are built while writers wait, which
takes seconds per million results.

Revision: 20261124_analyses.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261124_analyses"
down_revision = "20261124_validation"
branch_labels = None
depends_on = None

PARTITIONS = 16
SIZE_CORRECTED = "(score_kcal_mol / power(heavy_atoms::double precision, 0.3333333333333333::double precision))"
RESULT_COLUMNS: tuple[tuple[str, sa.types.TypeEngine[Any]], ...] = (
    ("logp", sa.REAL()),
    ("tpsa", sa.REAL()),
    ("h_bond_donors", sa.SmallInteger()),
    ("h_bond_acceptors", sa.SmallInteger()),
    ("rotatable_bonds", sa.SmallInteger()),
    ("rings", sa.SmallInteger()),
    ("fraction_sp3", sa.REAL()),
    ("qed", sa.REAL()),
    ("alerts", sa.ARRAY(sa.Text())),
    ("analysed_at", sa.DateTime(timezone=True)),
    ("analysis_failure", sa.Text()),
    ("valid", sa.Boolean()),
    ("failed_checks", sa.ARRAY(sa.Text())),
    ("strain_kcal_mol", sa.REAL()),
)
# As the first schema has it for every table of an organization.
OWN = "org_id = (SELECT nullif(current_setting('mad.org_id', true), '')::uuid)"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("screen_id", sa.Uuid(), nullable=True))
    op.add_column("jobs", sa.Column("analyse_top", sa.Integer(), nullable=True))
    op.create_index("ix_jobs_screen", "jobs", ["screen_id"], postgresql_where=sa.text("screen_id IS NOT NULL"))
    op.create_index("ix_jobs_to_analyse", "jobs", ["id"], postgresql_where=sa.text("analyse_top IS NOT NULL"))
    for name, kind in RESULT_COLUMNS:
        op.add_column("results", sa.Column(name, kind, nullable=True))
    op.create_index(
        "ix_results_size_corrected",
        "results",
        ["job_id", sa.literal_column(SIZE_CORRECTED), "ligand_id"],
        postgresql_where=sa.text("outcome = 'scored'"),
    )
    op.create_index(
        "ix_results_analysed", "results", ["job_id", "ligand_id"], postgresql_where=sa.text("analysed_at IS NOT NULL")
    )
    op.create_index("ix_interactions_residue", "interactions", ["job_id", "residue", "type", "rank", "ligand_id"])
    _create_pose_analyses()


def downgrade() -> None:
    op.drop_table("pose_analyses")
    op.drop_index("ix_interactions_residue", table_name="interactions")
    op.drop_index("ix_results_analysed", table_name="results")
    op.drop_index("ix_results_size_corrected", table_name="results")
    for name, _ in reversed(RESULT_COLUMNS):
        op.drop_column("results", name)
    op.drop_index("ix_jobs_to_analyse", table_name="jobs")
    op.drop_index("ix_jobs_screen", table_name="jobs")
    op.drop_column("jobs", "analyse_top")
    op.drop_column("jobs", "screen_id")


def _create_pose_analyses() -> None:
    op.create_table(
        "pose_analyses",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("ligand_id", sa.Uuid(), nullable=False),
        sa.Column("state_no", sa.SmallInteger(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("attempt_no", sa.Integer(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("valid", sa.Boolean(), nullable=True),
        sa.Column("checks", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("strain_kcal_mol", sa.REAL(), nullable=True),
        sa.Column("strain_method", sa.Text(), nullable=False),
        sa.Column("rmsd_angstrom", sa.ARRAY(sa.REAL()), nullable=False),
        sa.Column("problems", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("seconds_cpu", sa.REAL(), nullable=False),
        sa.Column("analysed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("job_id", "ligand_id", "state_no", "rank", name=op.f("pk_pose_analyses")),
        postgresql_partition_by="HASH (job_id)",
    )
    for number in range(PARTITIONS):
        op.execute(
            f"CREATE TABLE pose_analyses_p{number:02d} PARTITION OF pose_analyses "
            f"FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {number})"
        )
    op.execute("ALTER TABLE pose_analyses ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY own_organization ON pose_analyses TO mad_tenant USING ({OWN}) WITH CHECK ({OWN})")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON pose_analyses TO mad_tenant")

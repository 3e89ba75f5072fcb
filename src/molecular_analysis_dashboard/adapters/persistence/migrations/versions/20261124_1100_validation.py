"""Redockings with their runs and poses, and validations by actives and decoys.

Only adds tables: code that does not know them goes on working.

Revision: 20261124_validation.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261124_validation"
down_revision = "20261124_engine_parameters"
branch_labels = None
depends_on = None

TABLES = ("redockings", "redocking_runs", "redocking_poses", "validations")


def upgrade() -> None:
    _create_redockings()
    _create_validations()
    # Compressed already by us: TOAST must not try again.
    op.execute("ALTER TABLE redocking_poses ALTER COLUMN coordinates_zlib SET STORAGE EXTERNAL")
    op.execute("ALTER TABLE redocking_runs ALTER COLUMN mol_block_zlib SET STORAGE EXTERNAL")
    # As a subquery it is read once per statement instead of once per row.
    organization = "(SELECT nullif(current_setting('mad.org_id', true), '')::uuid)"
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY own_organization ON {table} TO mad_tenant "
            f"USING (org_id = {organization}) WITH CHECK (org_id = {organization})"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO mad_tenant")


def _create_redockings() -> None:
    op.create_table(
        "redockings",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("native_name", sa.Text(), nullable=False),
        sa.Column("native_selector", sa.Text(), nullable=True),
        sa.Column("native_mol_block", sa.Text(), nullable=True),
        sa.Column("bond_order_source", sa.Text(), nullable=True),
        sa.Column("warnings", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("checks", postgresql.JSONB(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("sentence", sa.Text(), nullable=True),
        sa.Column("rule", sa.Text(), nullable=True),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(verdict IS NULL) = (judged_at IS NULL)", name=op.f("ck_redockings_judged")),
        *_of_organization("redockings", "jobs", "job_id"),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_redockings")),
    )
    op.create_table(
        "redocking_runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("run_no", sa.SmallInteger(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=True),
        sa.Column("attempt_no", sa.Integer(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("state_smiles", sa.Text(), nullable=True),
        sa.Column("mol_block_zlib", sa.LargeBinary(), nullable=True),
        sa.Column("native_in_place_kcal_mol", sa.Double(), nullable=True),
        sa.Column("native_relaxed_kcal_mol", sa.Double(), nullable=True),
        sa.Column("native_relaxed_rmsd_angstrom", sa.Double(), nullable=True),
        sa.Column("native_message", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("seconds_cpu", sa.REAL(), server_default=sa.text("0"), nullable=False),
        sa.Column("provenance", postgresql.JSONB(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "outcome IS NULL OR (outcome = 'rejected') = (reason IS NOT NULL)",
            name=op.f("ck_redocking_runs_rejected"),
        ),
        *_of_organization("redocking_runs", "jobs", "job_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_redocking_runs")),
        sa.UniqueConstraint("job_id", "run_no", name=op.f("uq_redocking_runs_job_id_run_no")),
        sa.UniqueConstraint("org_id", "id", name=op.f("uq_redocking_runs_org_id_id")),
    )
    op.create_table(
        "redocking_poses",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("score_kcal_mol", sa.Double(), nullable=False),
        sa.Column("rmsd_angstrom", sa.Double(), nullable=False),
        sa.Column("coordinates_zlib", sa.LargeBinary(), nullable=False),
        *_of_organization("redocking_poses", "redocking_runs", "run_id"),
        sa.PrimaryKeyConstraint("run_id", "rank", name=op.f("pk_redocking_poses")),
    )


def _create_validations() -> None:
    op.create_table(
        "validations",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("decoy_library_id", sa.Uuid(), nullable=False),
        sa.Column("enrichment", postgresql.JSONB(), nullable=True),
        sa.Column("evaluated_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(enrichment IS NULL) = (evaluated_at IS NULL)", name=op.f("ck_validations_evaluated")),
        *_of_organization("validations", "jobs", "job_id"),
        sa.ForeignKeyConstraint(
            ["org_id", "decoy_library_id"],
            ["libraries.org_id", "libraries.id"],
            name=op.f("fk_validations_libraries_org_id_decoy_library_id"),
        ),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_validations")),
    )
    op.create_index(op.f("ix_validations_decoy_library_id"), "validations", ["decoy_library_id"])


def _of_organization(table: str, target: str, column: str) -> tuple[sa.ForeignKeyConstraint, sa.ForeignKeyConstraint]:
    return (
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name=op.f(f"fk_{table}_organizations_org_id")),
        sa.ForeignKeyConstraint(
            ["org_id", column], [f"{target}.org_id", f"{target}.id"], name=op.f(f"fk_{table}_{target}_org_id_{column}")
        ),
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)

"""The first schema: tenancy, ledger, results.

Every tenant table has row-level security from the start. The unit of work enters the role `mad_tenant` with
the organization in `mad.org_id`; the connecting user itself (often a superuser, for whom row-level security is
silently off) acts only in the system scope.

Revision: 20261123_initial.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import UserDefinedType

revision = "20261123_initial"
down_revision = None
branch_labels = None
depends_on = None

PARTITIONED = ("interactions", "ligand_states", "poses", "results")
PARTITIONS = 16
TENANT_TABLES = (
    "api_tokens",
    "attempts",
    "audit_log",
    "binding_sites",
    "docking_cache",
    "events",
    "interactions",
    "jobs",
    "libraries",
    "ligand_states",
    "ligands",
    "memberships",
    "poses",
    "protocols",
    "receptors",
    "rejections",
    "results",
    "structures",
    "tasks",
)
# Which builds there are and how many slots: no table of the system says more about anybody.
SYSTEM_TABLES_READ_BY_TENANTS = ("workers",)


class Xid8(UserDefinedType[str]):
    """PostgreSQL's 64-bit transaction id, as it was when this migration was written."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """Name of the type in SQL."""
        return "xid8"


def upgrade() -> None:
    _create_tables()
    _create_partitions()
    _create_role()
    _secure_rows()


def _create_partitions() -> None:
    for table in PARTITIONED:
        for number in range(PARTITIONS):
            op.execute(
                f"CREATE TABLE {table}_p{number:02d} PARTITION OF {table} "
                f"FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {number})"
            )
    # Compressed already by us: TOAST must not try again.
    op.execute("ALTER TABLE poses ALTER COLUMN coordinates_zlib SET STORAGE EXTERNAL")
    op.execute("ALTER TABLE ligand_states ALTER COLUMN mol_block_zlib SET STORAGE EXTERNAL")


def _create_role() -> None:
    # Roles belong to the cluster, not to the database: another database may have created it, even just now, or an
    # administrator for a user who may not.
    op.execute(
        """
        DO $$
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mad_tenant') THEN
                CREATE ROLE mad_tenant NOLOGIN NOSUPERUSER NOBYPASSRLS;
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END
        $$
        """
    )
    # Tried, not looked up: since PostgreSQL 16 who creates a role is its member, and yet may not enter it.
    op.execute(
        """
        DO $$
        BEGIN
            PERFORM set_config('role', 'mad_tenant', true), set_config('role', 'none', true);
        EXCEPTION WHEN insufficient_privilege THEN
            EXECUTE format('GRANT mad_tenant TO %I', current_user);
        END
        $$
        """
    )
    op.execute("GRANT USAGE ON SCHEMA public TO mad_tenant")


def _secure_rows() -> None:
    # As a subquery it is read once per statement instead of once per row.
    organization = "(SELECT nullif(current_setting('mad.org_id', true), '')::uuid)"
    for table in TENANT_TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY own_organization ON {table} TO mad_tenant "
            f"USING (org_id = {organization}) WITH CHECK (org_id = {organization})"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO mad_tenant")
    op.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO mad_tenant")
    for table in SYSTEM_TABLES_READ_BY_TENANTS:
        op.execute(f"GRANT SELECT ON {table} TO mad_tenant")


def _create_tables() -> None:
    op.create_table(
        "interactions",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("ligand_id", sa.Uuid(), nullable=False),
        sa.Column("state_no", sa.SmallInteger(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("residue", sa.Text(collation="C"), nullable=False),
        sa.Column("type", sa.Text(collation="C"), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("distance_angstrom", sa.REAL(), nullable=True),
        sa.PrimaryKeyConstraint(
            "job_id", "ligand_id", "state_no", "rank", "residue", "type", name=op.f("pk_interactions")
        ),
        postgresql_partition_by="HASH (job_id)",
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("held_since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    op.create_table(
        "ligand_states",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("ligand_id", sa.Uuid(), nullable=False),
        sa.Column("state_no", sa.SmallInteger(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("smiles", sa.Text(), nullable=False),
        sa.Column("score_kcal_mol", sa.Double(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("mol_block_zlib", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("job_id", "ligand_id", "state_no", name=op.f("pk_ligand_states")),
        postgresql_partition_by="HASH (job_id)",
    )
    op.create_table(
        "organizations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organizations")),
        sa.UniqueConstraint("name", name=op.f("uq_organizations_name")),
    )
    op.create_table(
        "poses",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("ligand_id", sa.Uuid(), nullable=False),
        sa.Column("state_no", sa.SmallInteger(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("score_kcal_mol", sa.Double(), nullable=False),
        sa.Column("coordinates_zlib", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", "ligand_id", "state_no", "rank", name=op.f("pk_poses")),
        postgresql_partition_by="HASH (job_id)",
    )
    op.create_table(
        "results",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("ligand_id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("attempt_no", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("smiles", sa.Text(), nullable=False),
        sa.Column("inchikey", sa.Text(collation="C"), nullable=False),
        sa.Column("heavy_atoms", sa.SmallInteger(), nullable=False),
        sa.Column("molecular_weight", sa.REAL(), nullable=False),
        sa.Column("score_kcal_mol", sa.Double(), nullable=True),
        sa.Column("ligand_efficiency", sa.Double(), nullable=True),
        sa.Column("n_poses", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("state_smiles", sa.Text(), nullable=True),
        sa.Column("seconds_cpu", sa.REAL(), nullable=False),
        sa.Column("provenance", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("(outcome = 'rejected') = (reason IS NOT NULL)", name=op.f("ck_results_rejected")),
        sa.CheckConstraint("(outcome = 'scored') = (score_kcal_mol IS NOT NULL)", name=op.f("ck_results_scored")),
        sa.PrimaryKeyConstraint("job_id", "ligand_id", name=op.f("pk_results")),
        postgresql_partition_by="HASH (job_id)",
    )
    op.create_index(
        "ix_results_efficiency",
        "results",
        ["job_id", "ligand_efficiency", "ligand_id"],
        unique=False,
        postgresql_where=sa.text("outcome = 'scored'"),
    )
    op.create_index(
        "ix_results_name",
        "results",
        ["job_id", "name", "ligand_id"],
        unique=False,
        postgresql_where=sa.text("outcome = 'scored'"),
    )
    op.create_index(
        "ix_results_rejected",
        "results",
        ["job_id", "line", "ligand_id"],
        unique=False,
        postgresql_where=sa.text("outcome = 'rejected'"),
    )
    op.create_index(
        "ix_results_score",
        "results",
        ["job_id", "score_kcal_mol", "ligand_id"],
        unique=False,
        postgresql_where=sa.text("outcome = 'scored'"),
    )
    op.create_index(
        "ix_results_weight",
        "results",
        ["job_id", "molecular_weight", "ligand_id"],
        unique=False,
        postgresql_where=sa.text("outcome = 'scored'"),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(collation="C"), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
    )
    op.create_table(
        "workers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("queues", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("engine_builds", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column(
            "scoring_functions",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("concurrency", sa.Integer(), nullable=False),
        sa.Column("beat_interval_s", sa.Double(), nullable=False),
        sa.Column("software", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workers")),
    )
    op.create_index("ix_workers_live", "workers", ["state"], unique=False, postgresql_where=sa.text("ended_at IS NULL"))
    op.create_table(
        "audit_log",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name=op.f("fk_audit_log_organizations_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
    )
    op.create_index(op.f("ix_audit_log_org_id_at"), "audit_log", ["org_id", "at"], unique=False)
    op.create_table(
        "docking_cache",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("work_key", sa.LargeBinary(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("ligand_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name=op.f("fk_docking_cache_organizations_org_id")),
        sa.PrimaryKeyConstraint("org_id", "work_key", name=op.f("pk_docking_cache")),
    )
    op.create_table(
        "libraries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("n_records", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("n_ligands", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("n_rejected", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("n_noted", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("base_cost_s", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column("error", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_libraries_users_created_by")),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name=op.f("fk_libraries_organizations_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_libraries")),
        sa.UniqueConstraint("org_id", "id", name=op.f("uq_libraries_org_id_id")),
    )
    op.create_table(
        "memberships",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name=op.f("fk_memberships_organizations_org_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_memberships_users_user_id")),
        sa.PrimaryKeyConstraint("org_id", "user_id", name=op.f("pk_memberships")),
    )
    op.create_table(
        "protocols",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_protocols_users_created_by")),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name=op.f("fk_protocols_organizations_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_protocols")),
        sa.UniqueConstraint("org_id", "id", name=op.f("uq_protocols_org_id_id")),
        sa.UniqueConstraint("org_id", "name", "content_hash", name=op.f("uq_protocols_org_id_name_content_hash")),
        sa.UniqueConstraint("org_id", "name", "version", name=op.f("uq_protocols_org_id_name_version")),
    )
    op.create_table(
        "structures",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("summary", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_structures_users_created_by")),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name=op.f("fk_structures_organizations_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_structures")),
        sa.UniqueConstraint("org_id", "id", name=op.f("uq_structures_org_id_id")),
    )
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id", "user_id"],
            ["memberships.org_id", "memberships.user_id"],
            name=op.f("fk_api_tokens_memberships_org_id_user_id"),
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name=op.f("fk_api_tokens_organizations_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_api_tokens_token_sha256")),
    )
    op.create_table(
        "binding_sites",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("structure_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("center", sa.ARRAY(sa.Double()), nullable=False),
        sa.Column("size", sa.ARRAY(sa.Double()), nullable=False),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("native_mol_block", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_binding_sites_users_created_by")),
        sa.ForeignKeyConstraint(
            ["org_id", "structure_id"],
            ["structures.org_id", "structures.id"],
            name=op.f("fk_binding_sites_structures_org_id_structure_id"),
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name=op.f("fk_binding_sites_organizations_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_binding_sites")),
        sa.UniqueConstraint("org_id", "id", name=op.f("uq_binding_sites_org_id_id")),
    )
    op.create_index(
        op.f("ix_binding_sites_org_id_structure_id"), "binding_sites", ["org_id", "structure_id"], unique=False
    )
    op.create_table(
        "ligands",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("library_id", sa.Uuid(), nullable=False),
        sa.Column("record", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("smiles", sa.Text(), nullable=False),
        sa.Column("smiles_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("drawn_smiles", sa.Text(), nullable=True),
        sa.Column("inchikey", sa.Text(collation="C"), nullable=False),
        sa.Column("heavy_atoms", sa.SmallInteger(), nullable=False),
        sa.Column("torsions", sa.SmallInteger(), nullable=False),
        sa.Column("molecular_weight", sa.REAL(), nullable=False),
        sa.Column("base_cost_s", sa.Double(), nullable=False),
        sa.Column("notes", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "library_id"],
            ["libraries.org_id", "libraries.id"],
            name=op.f("fk_ligands_libraries_org_id_library_id"),
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name=op.f("fk_ligands_organizations_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ligands")),
        sa.UniqueConstraint("library_id", "record", name=op.f("uq_ligands_library_id_record")),
        sa.UniqueConstraint("library_id", "smiles_sha256", name=op.f("uq_ligands_library_id_smiles_sha256")),
        sa.UniqueConstraint("org_id", "id", name=op.f("uq_ligands_org_id_id")),
    )
    op.create_index(
        "ix_ligands_planning", "ligands", ["library_id", sa.literal_column("base_cost_s DESC"), "id"], unique=False
    )
    op.create_index(
        "ix_ligands_noted",
        "ligands",
        ["library_id", "record"],
        unique=False,
        postgresql_where=sa.text("notes <> '{}'"),
    )
    op.create_table(
        "receptors",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("structure_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("options", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("pdbqt_sha256", sa.Text(), nullable=True),
        sa.Column("pdb_sha256", sa.Text(), nullable=True),
        sa.Column("content_hash", sa.Text(), nullable=True),
        sa.Column("report", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("error", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_receptors_users_created_by")),
        sa.ForeignKeyConstraint(
            ["org_id", "structure_id"],
            ["structures.org_id", "structures.id"],
            name=op.f("fk_receptors_structures_org_id_structure_id"),
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name=op.f("fk_receptors_organizations_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receptors")),
        sa.UniqueConstraint("org_id", "id", name=op.f("uq_receptors_org_id_id")),
    )
    op.create_index(op.f("ix_receptors_org_id_structure_id"), "receptors", ["org_id", "structure_id"], unique=False)
    op.create_table(
        "rejections",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("library_id", sa.Uuid(), nullable=False),
        sa.Column("record", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("input_text", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("kept_ligand_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id", "library_id"],
            ["libraries.org_id", "libraries.id"],
            name=op.f("fk_rejections_libraries_org_id_library_id"),
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name=op.f("fk_rejections_organizations_org_id")),
        sa.PrimaryKeyConstraint("library_id", "record", name=op.f("pk_rejections")),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("spec", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("structure_id", sa.Uuid(), nullable=True),
        sa.Column("receptor_id", sa.Uuid(), nullable=True),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column("library_id", sa.Uuid(), nullable=True),
        sa.Column("protocol_id", sa.Uuid(), nullable=True),
        sa.Column("engine_build", sa.Text(), nullable=True),
        sa.Column("priority", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("request_hash", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("error", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("n_ligands", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("cost_s", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column("planned_ligands", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("planned_cost_s", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column("planned_to_cost_s", sa.Double(), nullable=True),
        sa.Column("planned_to_ligand", sa.Uuid(), nullable=True),
        sa.Column("planning_complete", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_jobs_users_created_by")),
        sa.ForeignKeyConstraint(
            ["org_id", "library_id"],
            ["libraries.org_id", "libraries.id"],
            name=op.f("fk_jobs_libraries_org_id_library_id"),
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "protocol_id"],
            ["protocols.org_id", "protocols.id"],
            name=op.f("fk_jobs_protocols_org_id_protocol_id"),
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "receptor_id"],
            ["receptors.org_id", "receptors.id"],
            name=op.f("fk_jobs_receptors_org_id_receptor_id"),
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "site_id"],
            ["binding_sites.org_id", "binding_sites.id"],
            name=op.f("fk_jobs_binding_sites_org_id_site_id"),
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "structure_id"],
            ["structures.org_id", "structures.id"],
            name=op.f("fk_jobs_structures_org_id_structure_id"),
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name=op.f("fk_jobs_organizations_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("org_id", "id", name=op.f("uq_jobs_org_id_id")),
        sa.UniqueConstraint("org_id", "idempotency_key", name=op.f("uq_jobs_org_id_idempotency_key")),
    )
    op.create_index(
        "ix_jobs_listing",
        "jobs",
        ["org_id", sa.literal_column("created_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index("ix_jobs_open", "jobs", ["state"], unique=False, postgresql_where=sa.text("finished_at IS NULL"))
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "job_id"], ["jobs.org_id", "jobs.id"], name=op.f("fk_events_jobs_org_id_job_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name=op.f("fk_events_organizations_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_index(op.f("ix_events_job_id_xid_id"), "events", ["job_id", "xid", "id"], unique=False)
    op.create_index(op.f("ix_events_xid_id"), "events", ["xid", "id"], unique=False)
    op.create_table(
        "tasks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("ligand_ids", sa.ARRAY(sa.Uuid()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("cost_s", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column("attempt_no", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=True),
        sa.Column("n_scored", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("n_rejected", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("error", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("n_scored >= 0 AND n_rejected >= 0", name=op.f("ck_tasks_counts")),
        sa.ForeignKeyConstraint(
            ["org_id", "job_id"], ["jobs.org_id", "jobs.id"], name=op.f("fk_tasks_jobs_org_id_job_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name=op.f("fk_tasks_organizations_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
        sa.UniqueConstraint("org_id", "id", name=op.f("uq_tasks_org_id_id")),
    )
    op.create_index(
        "ix_tasks_job",
        "tasks",
        ["job_id", "state"],
        unique=False,
        postgresql_include=["n_scored", "n_rejected"],
    )
    op.create_index(
        "ix_tasks_open",
        "tasks",
        ["queue", "state", "job_id"],
        unique=False,
        postgresql_where=sa.text("state IN ('pending', 'released', 'running')"),
    )
    op.create_index(
        "ix_tasks_pending",
        "tasks",
        ["queue", "job_id", sa.literal_column("cost_s DESC"), "id"],
        unique=False,
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_table(
        "attempts",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("attempt_no", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("slot_pid", sa.Integer(), nullable=False),
        sa.Column("current_ligand_id", sa.Uuid(), nullable=True),
        sa.Column("end_cause", sa.Text(), nullable=True),
        sa.Column("error", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("n_refused_writes", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id", "task_id"], ["tasks.org_id", "tasks.id"], name=op.f("fk_attempts_tasks_org_id_task_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name=op.f("fk_attempts_organizations_org_id")),
        sa.PrimaryKeyConstraint("task_id", "attempt_no", name=op.f("pk_attempts")),
    )
    op.create_index(
        "ix_attempts_losses",
        "attempts",
        ["job_id", "current_ligand_id"],
        unique=False,
        postgresql_where=sa.text("end_cause = 'lost'"),
    )


def downgrade() -> None:
    # The role stays: other databases of the cluster may use it.
    op.drop_table("attempts")
    op.drop_table("tasks")
    op.drop_table("events")
    op.drop_table("jobs")
    op.drop_table("rejections")
    op.drop_table("receptors")
    op.drop_table("ligands")
    op.drop_table("binding_sites")
    op.drop_table("api_tokens")
    op.drop_table("structures")
    op.drop_table("protocols")
    op.drop_table("memberships")
    op.drop_table("libraries")
    op.drop_table("docking_cache")
    op.drop_table("audit_log")
    op.drop_table("workers")
    op.drop_table("users")
    op.drop_table("results")
    op.drop_table("poses")
    op.drop_table("organizations")
    op.drop_table("ligand_states")
    op.drop_table("leases")
    op.drop_table("interactions")
    op.execute("REVOKE USAGE ON SCHEMA public FROM mad_tenant")

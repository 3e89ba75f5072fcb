"""Organizations, users and what they may do."""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from molecular_analysis_dashboard.adapters.persistence.tables.columns import (
    metadata,
    now,
    organization,
    sorted_text,
    time,
)

organizations = Table(
    "organizations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", sorted_text(), nullable=False, unique=True),
    now("created_at"),
)

users = Table(
    "users",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("email", sorted_text(), nullable=False, unique=True),
    Column("display_name", Text, nullable=False),
    Column("is_active", Boolean, nullable=False, server_default=text("true")),
    now("created_at"),
)

memberships = Table(
    "memberships",
    metadata,
    organization(),
    Column("user_id", Uuid, ForeignKey("users.id"), nullable=False),
    Column("role", Text, nullable=False),
    PrimaryKeyConstraint("org_id", "user_id"),
)

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", Uuid, primary_key=True),
    organization(),
    Column("user_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("token_sha256", LargeBinary, nullable=False, unique=True),
    now("created_at"),
    time("expires_at"),
    time("revoked_at"),
    ForeignKeyConstraint(["org_id", "user_id"], ["memberships.org_id", "memberships.user_id"]),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", Uuid, primary_key=True),
    organization(),
    Column("user_id", Uuid),
    Column("action", Text, nullable=False),
    Column("subject_type", Text, nullable=False),
    Column("subject_id", Uuid),
    Column("details", JSONB, nullable=False, server_default=text("'{}'")),
    Column("request_id", Text),
    now("at"),
    Index(None, "org_id", "at"),
)

"""Workers tell which fields of a protocol their engines read.

Only adds a column with a constant default, which PostgreSQL does without writing the table anew.

Revision: 20261124_engine_parameters.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261124_engine_parameters"
down_revision = "20261124_search_summary"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "workers",
        sa.Column(
            "parameter_schemas",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
    )


def downgrade() -> None:
    op.drop_column("workers", "parameter_schemas")

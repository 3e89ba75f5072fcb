"""Jobs remember their place in a trace.

Only adds a column without a default: it takes no time on a large table, and code that does not know it goes on working.

Revision: 20261124_traceparent.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261124_traceparent"
down_revision = "20261123_initial"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("traceparent", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("jobs", "traceparent")

"""Receptors know their pockets.

Only adds a column without a default: it takes no time, and code that does not know it goes on working. Receptors that
are prepared already have none; their pockets are not known.

Revision: 20261124_pockets.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261124_pockets"
down_revision = "20261124_analyses"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("receptors", sa.Column("pockets", postgresql.JSONB(), nullable=True))


def downgrade() -> None:
    op.drop_column("receptors", "pockets")

"""Results say how sure their search was: rounds, convergence, spread of scores.

Only adds columns without a default: it takes no time on a large table, and code that does not know them goes on
working.

Revision: 20261124_search_summary.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261124_search_summary"
down_revision = "20261124_traceparent"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("results", sa.Column("n_rounds", sa.SmallInteger(), nullable=True))
    op.add_column("results", sa.Column("converged", sa.Boolean(), nullable=True))
    op.add_column("results", sa.Column("score_spread_kcal_mol", sa.Double(), nullable=True))


def downgrade() -> None:
    op.drop_column("results", "score_spread_kcal_mol")
    op.drop_column("results", "converged")
    op.drop_column("results", "n_rounds")

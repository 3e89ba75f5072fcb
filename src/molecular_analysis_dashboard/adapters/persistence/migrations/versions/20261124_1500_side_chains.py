"""Side chains that were searched with the ligand, as each pose has them.

Only adds; the columns have no default, so no row is rewritten.

Revision: 20261124_side_chains.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261124_side_chains"
down_revision = "20261124_rescoring"
branch_labels = None
depends_on = None

TABLES = ("poses", "redocking_poses")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("side_chains_zlib", sa.LargeBinary(), nullable=True))
        # Compressed already by us: TOAST must not try again.
        op.execute(f"ALTER TABLE {table} ALTER COLUMN side_chains_zlib SET STORAGE EXTERNAL")


def downgrade() -> None:
    for table in TABLES:
        op.drop_column(table, "side_chains_zlib")

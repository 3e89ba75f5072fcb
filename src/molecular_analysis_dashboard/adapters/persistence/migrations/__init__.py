"""Alembic migrations; one head, dated file names."""

# Two starting instances may migrate at once: the second waits on this advisory lock and finds the work done.
MIGRATION_LOCK = 0x6D_61_64_01

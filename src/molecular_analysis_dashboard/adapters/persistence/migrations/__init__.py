"""Alembic migrations; one head, dated file names."""

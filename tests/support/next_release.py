"""A release to come: the same migrations and one more, as the code of that release would see them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic.config import Config

from molecular_analysis_dashboard.adapters.persistence.migrations import versions
from molecular_analysis_dashboard.infrastructure import migrations

REVISION = "29990101_next"

# What a release may do to the schema of the one before it.
ADDITIVE = """
    op.add_column("jobs", sa.Column("colour", sa.Text()))
    op.add_column("results", sa.Column("verdict", sa.Text(), nullable=False, server_default="none"))
    op.create_table("remarks", sa.Column("id", sa.Uuid(), primary_key=True))
    op.create_index("ix_jobs_colour", "jobs", ["colour"])
    op.execute("GRANT SELECT ON remarks TO mad_tenant")
"""


@contextmanager
def next_release(folder: Path, *, upgrade: str = ADDITIVE) -> Iterator[None]:
    """Let migrations be those of a release to come, whose last one has this body."""
    body = f"import sqlalchemy as sa\nfrom alembic import op\nrevision = {REVISION!r}\n"
    body += f"down_revision = {migrations.head_revision()!r}\n\n\ndef upgrade():{upgrade}\n"
    (folder / "next.py").write_text(body)
    known = Path(str(versions.__file__)).parent
    plain = migrations._config

    def extended() -> Config:
        config = plain()
        config.set_main_option("version_locations", f"{known}:{folder}")
        return config

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "_config", extended)
        yield

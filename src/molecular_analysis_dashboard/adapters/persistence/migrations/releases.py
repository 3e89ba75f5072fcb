"""Which code a schema serves: that of its own release and that of the release before.

Schema first, then code: during an upgrade the processes of the release before work on the new schema. What may change
between two releases is therefore only added, and taken away one release later. The database carries the list, so that
old code can tell a schema that serves it from one that does not.
"""

from alembic.script import ScriptDirectory

# The newest revision of each release, oldest first; a release adds its line.
RELEASES = (("0.1.0", "20261123_initial"),)

# What the database says about its schema, as SQL.
COMMENT = "SELECT obj_description(to_regclass('alembic_version'), 'pg_class')"
_SERVES = "serves code at "


def served_revisions(scripts: ScriptDirectory, revision: str) -> tuple[str, ...]:
    """Revisions whose code works on a schema: back to the release before, newest first."""
    before = [released for _, released in RELEASES if released != revision]
    walk = [script.revision for script in scripts.iterate_revisions(revision, "base")]
    oldest = next((released for released in reversed(before) if released in walk), revision)
    return tuple(walk[: walk.index(oldest) + 1])


def comment(served: tuple[str, ...]) -> str:
    """What the database says about its schema."""
    return _SERVES + ", ".join(served)


def served_in(comment: str | None) -> tuple[str, ...]:
    """Read what the database says; nothing if it says nothing."""
    return tuple((comment or "").removeprefix(_SERVES).split(", ")) if comment else ()

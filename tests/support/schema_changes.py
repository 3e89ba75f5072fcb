"""What a migration takes away from the code of the release before it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text


@dataclass(frozen=True)
class Schema:
    """A schema as code sees it: what it may read and write, and what refuses its rows."""

    columns: dict[tuple[str, str], tuple[Any, ...]]
    restrictions: dict[str, str]
    rights: frozenset[tuple[str, ...]]


_COLUMNS = """
    SELECT table_name, column_name, data_type, collation_name, is_nullable = 'YES' AS nullable,
           column_default IS NOT NULL AS filled
    FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'
"""
# Constraints and unique indexes: whatever may refuse a row that was good before.
_RESTRICTIONS = """
    SELECT conrelid::regclass || ' ' || conname AS name, pg_get_constraintdef(oid) AS what
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
    UNION ALL
    SELECT tablename || ' ' || indexname, indexdef FROM pg_indexes
    WHERE schemaname = 'public' AND indexdef LIKE 'CREATE UNIQUE%'
"""
_RIGHTS = """
    SELECT table_name::text, grantee::text, privilege_type::text FROM information_schema.role_table_grants
    WHERE table_schema = 'public'
"""


def read_schema(connection: Connection) -> Schema:
    """Read the present schema."""
    return Schema(
        {
            (row.table_name, row.column_name): (row.data_type, row.collation_name, row.nullable, row.filled)
            for row in connection.execute(text(_COLUMNS))
        },
        {row.name: row.what for row in connection.execute(text(_RESTRICTIONS))},
        frozenset(tuple(row) for row in connection.execute(text(_RIGHTS))),
    )


def broken_promises(before: Schema, after: Schema) -> list[str]:
    """What code written for `before` can no longer do on `after`."""
    return [*_columns(before, after), *_restrictions(before, after), *_rights(before, after)]


def _columns(before: Schema, after: Schema) -> list[str]:
    problems = []
    tables = {table for table, _ in before.columns}
    for (table, column), (type_, collation, nullable, filled) in after.columns.items():
        old = before.columns.get((table, column))
        if old is None:
            if table in tables and not nullable and not filled:
                problems.append(f"{table}.{column} is required, and old code does not write it")
            continue
        if old[:2] != (type_, collation):
            problems.append(f"{table}.{column} has another type")
        if old[2] and not nullable:
            problems.append(f"{table}.{column} may no longer be empty")
        if old[3] and not filled and not nullable:
            problems.append(f"{table}.{column} has lost its default")
    gone = before.columns.keys() - after.columns.keys()
    return problems + [f"{table}.{column} is gone" for table, column in gone]


def _restrictions(before: Schema, after: Schema) -> list[str]:
    tables = {table for table, _ in before.columns}
    return [
        f"{name} restricts an old table: {what}"
        for name, what in after.restrictions.items()
        if before.restrictions.get(name) != what and name.split()[0] in tables
    ]


def _rights(before: Schema, after: Schema) -> list[str]:
    return [f"{role} may no longer {right} {table}" for table, role, right in before.rights - after.rights]

"""What tables have in common: names of constraints, and columns that many of them hold."""

from sqlalchemy import Column, DateTime, ForeignKey, ForeignKeyConstraint, MetaData, Text, Uuid, func
from sqlalchemy.types import UserDefinedType

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Xid8(UserDefinedType[str]):
    """PostgreSQL's 64-bit transaction id."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """Name of the type in SQL."""
        return "xid8"


def sorted_text() -> Text:
    """Text that is ordered the same whatever the server's locale."""
    return Text(collation="C")


def now(name: str) -> Column[object]:
    """A time that is set when the row is written."""
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())


def time(name: str) -> Column[object]:
    """A time that comes later, or never."""
    return Column(name, DateTime(timezone=True))


def organization() -> Column[object]:
    """The organization that owns the row."""
    return Column("org_id", Uuid, ForeignKey("organizations.id"), nullable=False)


def to(table: str, column: str) -> ForeignKeyConstraint:
    """A key to a row of the same organization."""
    return ForeignKeyConstraint(["org_id", column], [f"{table}.org_id", f"{table}.id"])

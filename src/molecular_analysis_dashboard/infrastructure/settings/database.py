"""The database group: whatever SQLAlchemy calls the driver, psycopg 3 connects."""

from psycopg import pq
from psycopg.conninfo import make_conninfo
from pydantic import Field, SecretStr, field_validator
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from .variables import Group, Port, Text

DRIVER = "postgresql+psycopg"
HIDDEN = "***"

# A silent peer must fail a connection before the worker allowance (12 s) runs out, so that a slot cut off from the
# database knows it no later than the others do. Numbers are seconds, tcp_user_timeout is milliseconds (libpq, 34.1.2).
_NETWORK = {
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 4,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 8000,
}
# Our transactions are short; one that waits or idles longer is stuck and must let go of its locks. A process frozen
# within one must have lost them before the worker allowance (12 s) is over: nobody could take its task otherwise.
_SESSION = "-c lock_timeout=5s -c idle_in_transaction_session_timeout=8s"

_SSL_MODES = frozenset({"disable", "allow", "prefer", "require", "verify-ca", "verify-full"})
_ASYNCPG_SSL_FLAGS = {"true": "require", "1": "require", "false": "disable", "0": "disable"}
_NAMED_BEFORE_THE_QUERY = frozenset({"user", "password", "dbname"})
# libpq marks passwords with * and debugging options, keys among them, with D.
_SECRET_DISPLAY = frozenset({b"*", b"D"})


class Database(Group):
    """Where PostgreSQL is."""

    user: Text = Field("mad", validation_alias="POSTGRES_USER", description="PostgreSQL user.")
    password: SecretStr | None = Field(
        None,
        validation_alias="POSTGRES_PASSWORD",
        description="PostgreSQL password; at least 12 characters in production.",
    )
    name: Text = Field("mad", validation_alias="POSTGRES_DB", description="Database name.")
    host: Text = Field(
        "postgres",
        validation_alias="POSTGRES_HOST",
        description="Host of PostgreSQL, or the folder of its unix socket.",
    )
    port: Port = Field(5432, validation_alias="POSTGRES_PORT", description="Port of PostgreSQL.")
    given_url: SecretStr | None = Field(
        None,
        validation_alias="DATABASE_URL",
        description="Address of the database, with any SQLAlchemy driver; built from `POSTGRES_*` when absent or when "
        "`POSTGRES_PASSWORD_FILE` is set.",
    )

    @field_validator("given_url")
    @classmethod
    def _readable(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            psycopg_url(value.get_secret_value())
        return value

    @property
    def url(self) -> URL:
        """Address of the database; its text form hides the password."""
        if self.given_url is not None:
            return psycopg_url(self.given_url.get_secret_value())
        socket_folder = self.host.startswith("/")
        return URL.create(
            DRIVER,
            username=self.user,
            password=self.password.get_secret_value() if self.password else None,
            host=None if socket_folder else self.host,
            port=None if socket_folder else self.port,
            database=self.name,
            query={"host": self.host, "port": str(self.port)} if socket_folder else {},
        )

    @property
    def sqlalchemy_url(self) -> str:
        """Address for `create_engine`, with the password: never log it."""
        return self.url.render_as_string(hide_password=False)

    @property
    def conninfo(self) -> str:
        """Address for `psycopg.connect`, with the password: never log it."""
        _, parameters = self.url.get_dialect()().create_connect_args(self.url)
        return make_conninfo("", **parameters)

    @property
    def redacted_url(self) -> str:
        """Address for logs, without any secret."""
        secret = {name for name, display in _libpq_options().items() if display in _SECRET_DISPLAY}
        hidden = {name: HIDDEN for name in self.url.query if name in secret}
        return self.url.update_query_dict(hidden).render_as_string(hide_password=True)

    @property
    def connect_args(self) -> dict[str, int | str]:
        """Arguments of every connection (`create_engine(connect_args=...)`, `psycopg.connect(conninfo, **...)`).

        What the address itself says about the network wins.
        """
        network = {name: value for name, value in _NETWORK.items() if name not in self.url.query}
        own = self.url.query.get("options", "")
        return {**network, "options": f"{_SESSION} {own if isinstance(own, str) else ' '.join(own)}".rstrip()}


def psycopg_url(text: str) -> URL:
    """Read an address with any SQLAlchemy driver of PostgreSQL and map it to psycopg 3.

    Raises
    ------
    ValueError
        If it is no PostgreSQL address or has arguments that libpq does not know.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        # The cause would quote a piece of the address, perhaps of the password.
        raise ValueError(
            "must be postgresql://user:password@host:port/database, special characters percent-encoded"
        ) from None
    if url.drivername.partition("+")[0] not in ("postgresql", "postgres"):
        raise ValueError("must begin with postgresql://; no other database is supported")
    if not url.database:
        raise ValueError("must end with the name of the database: postgresql://user:password@host:port/database")
    query = dict(url.query)
    if "ssl" in query:
        query["sslmode"] = _ssl_mode(query.pop("ssl"), query.get("sslmode"))
    unknown = sorted(query.keys() - (_libpq_options().keys() - _NAMED_BEFORE_THE_QUERY))
    if unknown:
        raise ValueError(f"has unknown arguments ({', '.join(unknown)}); libpq's connection parameters are allowed")
    if query.get("sslmode", "prefer") not in _SSL_MODES:
        raise ValueError(f"sslmode must be one of {', '.join(sorted(_SSL_MODES))}")
    return url.set(drivername=DRIVER, query=query)


def _ssl_mode(ssl: str | tuple[str, ...], sslmode: str | tuple[str, ...] | None) -> str:
    """Translate asyncpg's `ssl` argument."""
    mode = _ASYNCPG_SSL_FLAGS.get(str(ssl).lower(), str(ssl))
    if sslmode not in (None, mode):
        raise ValueError("has both ssl= and sslmode=, and they differ")
    return mode


def _libpq_options() -> dict[str, bytes]:
    """The connection parameters of the installed libpq, with how each may be displayed."""
    return {option.keyword.decode(): option.dispchar for option in pq.Conninfo.get_defaults()}

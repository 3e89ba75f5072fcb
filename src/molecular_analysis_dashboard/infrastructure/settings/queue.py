"""The queue group: one Redis, whose address is written in three dialects."""

from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from pydantic import Field, SecretStr, field_validator

from .variables import Count, Group, Port, Text

_TCP_SCHEMES = ("redis", "rediss")
# redis-py and Celery name the same thing differently: the scheme, and the argument for the database's number.
_CLIENT_SOCKET, _CELERY_SOCKET = "unix", "redis+socket"
_DATABASE_ARGUMENT = {_CLIENT_SOCKET: "db", _CELERY_SOCKET: "virtual_host"}


class Queue(Group):
    """Where Redis is, and how Celery workers take tasks."""

    host: Text = Field("redis", validation_alias="REDIS_HOST", description="Host of Redis.")
    port: Port = Field(6379, validation_alias="REDIS_PORT", description="Port of Redis.")
    given_redis_url: SecretStr | None = Field(
        None,
        validation_alias="REDIS_URL",
        description="Address of Redis (`redis://`, `rediss://` or `unix://`); when absent from `REDIS_HOST` and "
        "`REDIS_PORT`, or from `CELERY_BROKER_URL` when only that is set.",
    )
    given_broker_url: SecretStr | None = Field(
        None, validation_alias="CELERY_BROKER_URL", description="Celery's broker; when absent `REDIS_URL`."
    )
    given_result_backend: SecretStr | None = Field(
        None,
        validation_alias="CELERY_RESULT_BACKEND",
        description="Celery's result backend, read by Flower only; when absent `CELERY_BROKER_URL`.",
    )
    worker_concurrency: Count = Field(
        2,
        validation_alias="CELERY_WORKER_CONCURRENCY",
        description="Slots of one worker, one engine process each.",
    )
    prefetch_multiplier: Count = Field(
        1, validation_alias="CELERY_PREFETCH_MULTIPLIER", description="Messages that a worker reserves per slot."
    )
    acks_late: bool = Field(
        True, validation_alias="CELERY_ACKS_LATE", description="Whether a message is acknowledged after its task."
    )

    @field_validator("given_redis_url", "given_broker_url", "given_result_backend")
    @classmethod
    def _readable(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            _read(value.get_secret_value())
        return value

    @property
    def redis_url(self) -> str:
        """Address for redis-py, perhaps with a password: never log it."""
        if self.given_redis_url is not None:
            return client_url(self.given_redis_url.get_secret_value())
        if self.given_broker_url is not None and not self.model_fields_set & {"host", "port"}:
            return client_url(self.given_broker_url.get_secret_value())
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"redis://{host}:{self.port}/0"

    @property
    def broker_url(self) -> str:
        """Celery's broker, perhaps with a password: never log it."""
        given = self.given_broker_url
        return celery_url(given.get_secret_value() if given else self.redis_url)

    @property
    def result_backend(self) -> str:
        """Celery's result backend, perhaps with a password: never log it."""
        given = self.given_result_backend
        return celery_url(given.get_secret_value() if given else self.broker_url)


def client_url(text: str) -> str:
    """Write a Redis address as redis-py reads it."""
    url = _read(text)
    return _with_scheme(url, _CLIENT_SOCKET) if url.scheme == _CELERY_SOCKET else text


def celery_url(text: str) -> str:
    """Write a Redis address as Celery reads it; TLS verifies the server unless the address says otherwise."""
    url = _read(text)
    if url.scheme == _CLIENT_SOCKET:
        return _with_scheme(url, _CELERY_SOCKET)
    arguments = dict(parse_qsl(url.query))
    if url.scheme == "rediss" and "ssl_cert_reqs" not in arguments:
        return url._replace(query=urlencode({**arguments, "ssl_cert_reqs": "required"})).geturl()
    return text


def _read(text: str) -> SplitResult:
    try:
        url = urlsplit(text)
        host = url.hostname, url.port
    except ValueError:
        # The cause would quote a piece of the address, perhaps of the password.
        raise ValueError("must be redis://host:port/number, special characters percent-encoded") from None
    if url.scheme in _TCP_SCHEMES:
        number = url.path.strip("/")
        if not host[0]:
            raise ValueError(f"names no host: {url.scheme}://host:port/number")
    elif url.scheme in _DATABASE_ARGUMENT:
        number = dict(parse_qsl(url.query)).get(_DATABASE_ARGUMENT[url.scheme], "").strip("/")
        if len(url.path) < 2 or host[0]:
            raise ValueError(f"names no socket: {url.scheme}:///folder/redis.sock")
    else:
        raise ValueError("must begin with redis://, rediss://, unix:// or redis+socket://")
    if number and not number.isdecimal():
        raise ValueError("the database of Redis must be a number, such as redis://host:6379/0")
    return url


def _with_scheme(url: SplitResult, scheme: str) -> str:
    """Rewrite a socket address; urlunsplit would drop the slashes of an empty host for schemes it does not know."""
    arguments = dict(parse_qsl(url.query))
    number = arguments.pop(_DATABASE_ARGUMENT[url.scheme], "0").strip("/")
    query = urlencode({**arguments, _DATABASE_ARGUMENT[scheme]: number})
    return f"{scheme}://{url.netloc}{url.path}?{query}"

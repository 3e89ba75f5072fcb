"""What a production installation, and an open bind, may not start with."""

import ipaddress
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from molecular_analysis_dashboard.domain.errors import Misconfigured

from .database import Database
from .model import Settings

# What .env.example carries; nobody's secret.
PLACEHOLDER = "change-me"
SECRET_KEY_CHARACTERS = 32
PASSWORD_CHARACTERS = 12
_SIGNING_IN = ("DATABASE_URL", "POSTGRES_PASSWORD", "POSTGRES_HOST")
_INSTEAD_OF_A_PASSWORD = frozenset({"sslcert", "passfile", "service"})


def is_placeholder(secret: str) -> bool:
    """Whether a secret is the published example."""
    return PLACEHOLDER in secret.lower()


def production_problems(values: Mapping[str, str]) -> list[str]:
    """What ENV=production refuses; whether a static token is needed at all is `check_bind`'s question."""
    problems = _weak("SECRET_KEY", values.get("SECRET_KEY"), SECRET_KEY_CHARACTERS)
    problems += _database_problems(values)
    if "MAD_STATIC_TOKEN" in values:
        problems += _weak("MAD_STATIC_TOKEN", values["MAD_STATIC_TOKEN"], SECRET_KEY_CHARACTERS)
    if "MAD_S3_SECRET_ACCESS_KEY" in values:
        problems += _weak("MAD_S3_SECRET_ACCESS_KEY", values["MAD_S3_SECRET_ACCESS_KEY"], PASSWORD_CHARACTERS)
    for pair in values.get("FLOWER_BASIC_AUTH", "").split(",") if "FLOWER_BASIC_AUTH" in values else ():
        problems += _weak("FLOWER_BASIC_AUTH", pair.partition(":")[2], PASSWORD_CHARACTERS)
    return list(dict.fromkeys(problems))


def _database_problems(values: Mapping[str, str]) -> list[str]:
    relevant: dict[str, Any] = {name: values[name] for name in _SIGNING_IN if name in values}
    try:
        database = Database(**relevant)
    except ValidationError:
        return []  # refused already, with the reason
    url = database.url
    over_socket = url.host is None and str(url.query.get("host", "")).startswith("/")
    if url.password is None and (over_socket or url.query.keys() & _INSTEAD_OF_A_PASSWORD):
        return []
    name = "POSTGRES_PASSWORD" if database.given_url is None else "The password in DATABASE_URL"
    return _weak(name, url.password, PASSWORD_CHARACTERS)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_bind(settings: Settings) -> None:
    """Refuse an API that anybody could use; called where the API starts.

    Raises
    ------
    Misconfigured
        If there is no static token although the bind is not loopback or the installation is in production.
    """
    runtime = settings.runtime
    if settings.auth.static_token is not None or (is_loopback(runtime.host) and runtime.env != "production"):
        return
    raise Misconfigured(
        "MAD_STATIC_TOKEN (or MAD_STATIC_TOKEN_FILE) is not set, but "
        + ("ENV=production" if runtime.env == "production" else f"HOST={runtime.host} can be reached from outside")
        + ". Set a long random token, or bind to 127.0.0.1 in development.",
        code="token_required",
        host=runtime.host,
    )


def _weak(name: str, secret: str | None, characters: int) -> list[str]:
    if not secret:
        return [f"{name} is not set, which ENV=production requires"]
    if is_placeholder(secret):
        return [f"{name} is the published example ({PLACEHOLDER}), which ENV=production refuses"]
    if len(secret) < characters:
        return [f"{name} is shorter than {characters} characters, which ENV=production refuses"]
    return []

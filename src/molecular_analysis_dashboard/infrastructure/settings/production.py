"""What a production installation, and an open bind, may not start with."""

import ipaddress

from pydantic import SecretStr

from molecular_analysis_dashboard.domain.errors import Misconfigured

from .database import Database
from .groups import Auth, Flower, Runtime
from .model import Settings

# What .env.example carries; nobody's secret.
PLACEHOLDER = "change-me"
SECRET_KEY_CHARACTERS = 32
PASSWORD_CHARACTERS = 12


def is_placeholder(secret: SecretStr | str | None) -> bool:
    """Whether a secret is the published example."""
    text = secret.get_secret_value() if isinstance(secret, SecretStr) else secret or ""
    return PLACEHOLDER in text.lower()


def runtime_problems(runtime: Runtime) -> list[str]:
    """What production refuses about the process."""
    return _weak("SECRET_KEY", runtime.secret_key, SECRET_KEY_CHARACTERS)


def database_problems(database: Database) -> list[str]:
    """What production refuses about the database's password."""
    url = database.url
    name = "POSTGRES_PASSWORD" if database.given_url is None else "The password in DATABASE_URL"
    over_socket = url.host is None and str(url.query.get("host", "")).startswith("/")
    if url.password is None and (over_socket or url.query.keys() & {"sslcert", "passfile", "service"}):
        return []
    return _weak(name, url.password, PASSWORD_CHARACTERS)


def auth_problems(auth: Auth) -> list[str]:
    """What production refuses about the static token; whether one is needed at all is `check_bind`'s question."""
    return _weak("MAD_STATIC_TOKEN", auth.static_token, SECRET_KEY_CHARACTERS) if auth.static_token else []


def flower_problems(flower: Flower) -> list[str]:
    """What production refuses about Flower's passwords."""
    pairs = flower.basic_auth.get_secret_value().split(",") if flower.basic_auth else []
    weak = [_weak("FLOWER_BASIC_AUTH", pair.partition(":")[2], PASSWORD_CHARACTERS) for pair in pairs]
    return next((problems for problems in weak if problems), [])


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


def _weak(name: str, secret: SecretStr | str | None, characters: int) -> list[str]:
    text = secret.get_secret_value() if isinstance(secret, SecretStr) else secret or ""
    if not text:
        return [f"{name} is not set, which ENV=production requires"]
    if is_placeholder(text):
        return [f"{name} is the published example ({PLACEHOLDER}), which ENV=production refuses"]
    if len(text) < characters:
        return [f"{name} is shorter than {characters} characters, which ENV=production refuses"]
    return []

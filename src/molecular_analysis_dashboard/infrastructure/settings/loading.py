"""Building the settings once from the environment, with every problem named at once."""

import difflib
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from molecular_analysis_dashboard.domain.errors import Misconfigured

from .database import Database
from .groups import GIB, Limits, Runtime
from .model import Settings
from .production import is_loopback, is_placeholder, production_problems
from .reference import GROUPS, is_known, known_names
from .storage import Storage
from .variables import given_values, problems_in, variables_of

# One CopyObject moves no more (https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html).
_S3_COPY_BYTES = 5 * GIB


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read all settings from `environ`, by default the process's.

    Raises
    ------
    Misconfigured
        If anything is wrong; the message has one line per problem, `details["problems"]` the list.
    """
    given = dict(os.environ if environ is None else environ)
    warnings = _choose_database_address(given)
    problems = unknown_settings(given)
    groups: dict[str, Any] = {}
    all_values: dict[str, str] = {}
    for name, group in GROUPS.items():
        variables = variables_of(name, group)
        values, unreadable = given_values(given, variables)
        problems += unreadable
        all_values |= values
        try:
            groups[name] = group(**values)
        except ValidationError as error:
            problems += problems_in(error, variables)
    problems += _beyond_a_copy(groups.get("storage"), groups.get("limits"))
    if all_values.get("ENV", "").lower() == "production":
        problems += production_problems(all_values)
    if problems:
        raise Misconfigured(
            "The settings cannot be used:\n" + "\n".join(f"- {problem}" for problem in problems),
            code="settings_refused",
            problems=problems,
        )
    settings = Settings(**groups)
    return settings.model_copy(update={"warnings": (*warnings, *_doubts(settings))})


def _choose_database_address(given: dict[str, str]) -> list[str]:
    """Drop DATABASE_URL when the password comes from a file: the address cannot carry it."""
    if not (given.get("POSTGRES_PASSWORD_FILE") and given.get("DATABASE_URL")):
        return []
    dropped = given.pop("DATABASE_URL")
    if "?" not in dropped:
        return []
    return ["The arguments of DATABASE_URL have no effect, because POSTGRES_PASSWORD_FILE is set"]


def unknown_settings(given: Mapping[str, str]) -> list[str]:
    """Say of each variable that looks like a setting and is none what may be meant."""
    unknown = (name for name in sorted(given) if name.startswith("MAD_") and not is_known(name))
    return [f"{name} is not a setting; did you mean {_closest(name)}?" for name in unknown]


def _closest(name: str) -> str:
    return difflib.get_close_matches(name, sorted(known_names()), n=1, cutoff=0)[0]


def _beyond_a_copy(storage: Storage | None, limits: Limits | None) -> list[str]:
    """Refuse uploads that a bucket could receive but not give their name."""
    if storage is None or storage.s3_bucket is None or limits is None or limits.max_upload_bytes <= _S3_COPY_BYTES:
        return []
    return ["MAD_MAX_UPLOAD_BYTES must be at most 5GiB with MAD_S3_BUCKET, because S3 copies no more at once"]


def _doubts(settings: Settings) -> list[str]:
    """What works but is probably not meant."""
    doubts = _workers_differing(settings.runtime)
    differing = _parts_differing(settings.database)
    doubts += [f"DATABASE_URL is used, though {name} differs from it" for name in differing]
    endpoint = settings.storage.s3_endpoint or ""
    if endpoint.startswith("http://") and not is_loopback(urlsplit(endpoint).hostname or ""):
        doubts.append("MAD_S3_ENDPOINT is http://; uploads and results cross the network unencrypted")
    token = settings.auth.static_token
    if token is not None and is_placeholder(token.get_secret_value()):
        doubts.append("MAD_STATIC_TOKEN is the published example; whoever reaches the API can use it")
    return doubts


def _workers_differing(runtime: Runtime) -> list[str]:
    wanted, other = runtime.web_concurrency, runtime.uvicorn_workers
    if wanted is None or other is None or wanted == other:
        return []
    return [f"WEB_CONCURRENCY={wanted} and UVICORN_WORKERS={other} differ; WEB_CONCURRENCY is used"]


def _parts_differing(database: Database) -> list[str]:
    if database.given_url is None:
        return []
    url = database.url
    password = database.password.get_secret_value() if database.password else None
    parts = {
        "user": ("POSTGRES_USER", database.user, url.username),
        "password": ("POSTGRES_PASSWORD", password, url.password),
        "name": ("POSTGRES_DB", database.name, url.database),
    }
    return [
        variable
        for field, (variable, part, in_url) in parts.items()
        if field in database.model_fields_set and part != in_url
    ]

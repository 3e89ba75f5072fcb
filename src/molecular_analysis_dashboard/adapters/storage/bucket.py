"""A bucket of S3, or of a store that speaks its protocol: the connection, and its errors as ours."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from obstore.exceptions import BaseError
from obstore.store import S3Store

from molecular_analysis_dashboard.domain.errors import ResourceLost

if TYPE_CHECKING:
    from obstore.store import S3Config, S3Credential

# A request moves at most one part, or waits for a server-side copy; both are over long before this.
_REQUEST_TIMEOUT = timedelta(seconds=120)
_CONNECT_TIMEOUT = timedelta(seconds=5)
# Every caller tries again in its own way: a task, a probe, a user.
_MAX_RETRIES = 3
_RETRY_TIMEOUT = timedelta(seconds=30)
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(milliseconds=100), timedelta(seconds=2)

# What stores with a quota or a disk of their own answer: Ceph, MinIO, and HTTP itself.
_FULL = frozenset({"QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "507 Insufficient Storage"})
_CODE = re.compile(r"<Code>(\w+)</Code>")
_STATUS = re.compile(r"status code: (\d{3}[ A-Za-z-]*)")
_NO_ANSWER = re.compile(r"error sending request|timed? ?out", re.IGNORECASE)


@dataclass(frozen=True)
class BucketAddress:
    """Where a bucket is and who asks.

    Without `access_key_id` the process's surroundings say who asks: `AWS_*` variables, a web identity token,
    the container's or the machine's role.
    """

    bucket: str
    endpoint: str | None = None
    region: str | None = None
    prefix: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = field(default=None, repr=False)


class Bucket:
    """An open bucket; requests are bounded in time and in tries. To be made after any fork."""

    def __init__(self, address: BucketAddress) -> None:
        self.name = address.bucket
        self.store = S3Store(
            address.bucket,
            prefix=address.prefix,
            config=_config(address),
            client_options={
                "allow_http": (address.endpoint or "").startswith("http://"),
                "timeout": _REQUEST_TIMEOUT,
                "connect_timeout": _CONNECT_TIMEOUT,
            },
            retry_config={
                "max_retries": _MAX_RETRIES,
                "retry_timeout": _RETRY_TIMEOUT,
                "backoff": {"init_backoff": _FIRST_PAUSE, "max_backoff": _LONGEST_PAUSE, "base": 2},
            },
            credential_provider=_credentials(address),
        )

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn the library's errors into ours, naming the bucket."""
        try:
            yield
        except (BaseError, FileNotFoundError) as error:
            raise self._lost(_reason(str(error))) from error

    def _lost(self, reason: str) -> ResourceLost:
        if reason in _FULL:
            return ResourceLost(
                f"The bucket {self.name} is full ({reason}). Free some space or raise its quota, then try again.",
                code="storage_full",
                bucket=self.name,
                reason=reason,
            )
        return ResourceLost(
            f"The bucket {self.name} cannot be used ({reason}). "
            "See that it exists and can be reached, and that the credentials may read and write it, then try again.",
            code="storage_unavailable",
            bucket=self.name,
            reason=reason,
        )


def _config(address: BucketAddress) -> "S3Config":
    # Not every store that speaks S3 knows the deletion of many objects at once.
    config: S3Config = {"disable_bulk_delete": True}
    if address.endpoint is not None:
        # Both, because AWS_ENDPOINT_URL_S3 in the environment would otherwise win over the first.
        config |= {"endpoint": address.endpoint, "aws_endpoint_url_s3": address.endpoint}
    if address.region is not None:
        config["region"] = address.region
    return config


def _credentials(address: BucketAddress) -> "_Static | None":
    if address.access_key_id is None or address.secret_access_key is None:
        return None
    return _Static(address.access_key_id, address.secret_access_key)


class _Static:
    """Credentials of the settings, out of reach of an `AWS_SESSION_TOKEN` that belongs to others."""

    def __init__(self, access_key_id: str, secret_access_key: str) -> None:
        self._credential: S3Credential = {
            "access_key_id": access_key_id,
            "secret_access_key": secret_access_key,
            "token": None,
            "expires_at": None,
        }

    def __call__(self) -> "S3Credential":
        return self._credential


def _reason(text: str) -> str:
    """Say in a few words what went wrong: the library's own text quotes addresses, and so the names of objects."""
    for pattern in (_CODE, _STATUS):
        if (found := pattern.search(text)) is not None:
            return found[1].strip()
    if "redential" in text:
        return "no credentials"
    return "no answer" if _NO_ANSWER.search(text) else "unexpected answer"

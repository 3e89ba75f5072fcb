"""Where files are kept: two local folders, or one bucket."""

import re
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from .variables import Group

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGION = re.compile(r"[A-Za-z0-9-]+")
# Characters that no store and no signature treats in a way of its own.
_PREFIX = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")


class Storage(Group):
    """Where files are kept."""

    results_dir: Path = Field(
        Path("/data/results"),
        validation_alias="RESULTS_DIR",
        description="Folder of results and exports; not used with `MAD_S3_BUCKET`.",
    )
    uploads_dir: Path = Field(
        Path("/data/uploads"),
        validation_alias="UPLOADS_DIR",
        description="Folder of uploaded files; not used with `MAD_S3_BUCKET`.",
    )
    s3_bucket: str | None = Field(
        None,
        validation_alias="MAD_S3_BUCKET",
        description="Bucket that keeps all files, of S3 or a store that speaks its protocol; folders when absent.",
    )
    s3_endpoint: str | None = Field(
        None,
        validation_alias="MAD_S3_ENDPOINT",
        description="Address of the store, such as `https://minio.example.org:9000`; AWS's own when absent. "
        "`http://` is taken at its word: files cross the network unencrypted.",
    )
    s3_region: str | None = Field(
        None,
        validation_alias="MAD_S3_REGION",
        description="Region of the bucket; when absent the one that the `AWS_*` environment names, else `us-east-1`.",
    )
    s3_prefix: str | None = Field(
        None,
        validation_alias="MAD_S3_PREFIX",
        description="What the names of all objects begin with, such as `mad`, when the bucket is shared.",
    )
    s3_access_key_id: str | None = Field(
        None,
        validation_alias="MAD_S3_ACCESS_KEY_ID",
        description="Access key; when absent the process's own role or `AWS_*` credentials are used.",
    )
    s3_secret_access_key: SecretStr | None = Field(
        None,
        validation_alias="MAD_S3_SECRET_ACCESS_KEY",
        description="Secret that belongs to `MAD_S3_ACCESS_KEY_ID`; at least 12 characters in production.",
    )

    @field_validator("s3_bucket")
    @classmethod
    def _bucket_name(cls, value: str | None) -> str | None:
        if value is not None and (not _BUCKET.fullmatch(value) or ".." in value):
            raise ValueError("must be a bucket's name: 3 to 63 lower-case letters, digits, hyphens and dots")
        return value

    @field_validator("s3_endpoint")
    @classmethod
    def _plain_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            url = urlsplit(value)
            plain = url.hostname and url.scheme in ("http", "https") and (url.port is None or url.port > 0)
        except ValueError:
            plain = None
        # User information would be a secret in the wrong place; a path would be taken for the bucket.
        if not plain or "@" in url.netloc or url.path.strip("/") or url.query or url.fragment:
            raise ValueError("must be http:// or https://, a host and perhaps a port, and nothing else")
        return f"{url.scheme}://{url.netloc}"

    @field_validator("s3_region")
    @classmethod
    def _region_name(cls, value: str | None) -> str | None:
        if value is not None and not _REGION.fullmatch(value):
            raise ValueError("must be the name of a region, such as eu-central-1")
        return value

    @field_validator("s3_prefix")
    @classmethod
    def _plain_prefix(cls, value: str | None) -> str | None:
        if value is None:
            return None
        prefix = value.rstrip("/")
        if not _PREFIX.fullmatch(prefix) or len(prefix) > 200:
            raise ValueError(
                "must be at most 200 letters, digits, dots, hyphens and underscores, in parts parted by single slashes"
            )
        return prefix

    @model_validator(mode="after")
    def _whole(self) -> Self:
        problems = []
        given = self.model_fields_set & {"s3_endpoint", "s3_region", "s3_prefix", "s3_access_key_id"}
        if self.s3_bucket is None and (given or self.s3_secret_access_key is not None):
            problems.append("MAD_S3_* is set without MAD_S3_BUCKET; name the bucket, or unset all of them")
        if (self.s3_access_key_id is None) != (self.s3_secret_access_key is None):
            problems.append("MAD_S3_ACCESS_KEY_ID and MAD_S3_SECRET_ACCESS_KEY go together; set both or neither")
        if problems:
            raise ValueError("; ".join(problems))
        return self

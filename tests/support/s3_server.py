"""An S3 server for tests, in a process of its own that ends with them."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import httpx

from molecular_analysis_dashboard.adapters.storage import Bucket, BucketAddress

PROGRAM = Path(__file__).with_name("s3_program.py")
REGION = "eu-central-1"
_CHECK_ALWAYS, _CHECK_NEVER = 0, 10**9


@dataclass(frozen=True)
class S3Server:
    """A running server; its administrator makes buckets and users."""

    url: str

    @cached_property
    def s3(self) -> Any:
        return self._client("s3")

    def _client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="administrator",
            aws_secret_access_key="any",
        )

    def make_bucket(self) -> str:
        """Make a bucket of a name of its own."""
        name = f"laboratory-{uuid4().hex}"
        self.s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        return name

    def open(self, bucket: str, *, key_id: str = "anybody", secret: str = "any secret", prefix: str = "mad") -> Bucket:
        """Open a bucket as the product does; unless access is checked, anybody may."""
        return Bucket(BucketAddress(bucket, self.url, REGION, prefix, key_id, secret))

    def settings(self, bucket: str) -> dict[str, str]:
        """The settings of an installation that keeps its files here."""
        return {
            "MAD_S3_BUCKET": bucket,
            "MAD_S3_ENDPOINT": self.url,
            "MAD_S3_REGION": REGION,
            "MAD_S3_PREFIX": "mad",
            "MAD_S3_ACCESS_KEY_ID": "anybody",
            "MAD_S3_SECRET_ACCESS_KEY": "any secret",
        }

    def keys(self, bucket: str) -> list[str]:
        """The names of all objects of a bucket."""
        return [item["Key"] for item in self.s3.list_objects_v2(Bucket=bucket).get("Contents", [])]

    def unfinished_uploads(self, bucket: str) -> list[str]:
        """The names of uploads in parts that were neither completed nor given up."""
        return [item["Key"] for item in self.s3.list_multipart_uploads(Bucket=bucket).get("Uploads", [])]

    def make_user(self, policy: Mapping[str, object]) -> tuple[str, str]:
        """Make a user who may do what a policy says; return access key and secret."""
        iam, name = self._client("iam"), uuid4().hex
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="policy", PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return key["AccessKeyId"], key["SecretAccessKey"]

    @contextmanager
    def checking_access(self) -> Iterator[None]:
        """Check signatures and policies of every request made meanwhile."""
        self._check_after(_CHECK_ALWAYS)
        try:
            yield
        finally:
            self._check_after(_CHECK_NEVER)

    def _check_after(self, requests: int) -> None:
        httpx.post(f"{self.url}/moto-api/reset-auth", content=str(requests)).raise_for_status()


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """Run a server."""
    command = [sys.executable, str(PROGRAM)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            url = process.stdout.readline().decode().strip()
            assert url, "the S3 server does not start"
            yield S3Server(url)
        finally:
            process.stdin.close()

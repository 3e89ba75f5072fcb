"""Where files are kept: the one place that chooses the store, for the API, the workers and the command line."""

from dataclasses import dataclass

from molecular_analysis_dashboard.adapters.storage import Bucket, BucketAddress, LocalBlobStore, S3BlobStore
from molecular_analysis_dashboard.infrastructure.settings import Settings, Storage
from molecular_analysis_dashboard.ports.blobs import BlobStore

_UPLOADS, _RESULTS = "uploads", "results"


@dataclass(frozen=True)
class Blobs:
    """The two stores of an installation."""

    uploads: BlobStore
    results: BlobStore


def build_blobs(settings: Settings) -> Blobs:
    """Return the stores of uploads and results; nothing is connected to yet. To be called after any fork."""
    storage = settings.storage
    if storage.s3_bucket is None:
        return Blobs(LocalBlobStore(storage.uploads_dir), LocalBlobStore(storage.results_dir))
    bucket = Bucket(_address(storage, storage.s3_bucket))
    return Blobs(S3BlobStore(bucket, _UPLOADS), S3BlobStore(bucket, _RESULTS))


def _address(storage: Storage, bucket: str) -> BucketAddress:
    secret = storage.s3_secret_access_key
    return BucketAddress(
        bucket=bucket,
        endpoint=storage.s3_endpoint,
        region=storage.s3_region,
        prefix=storage.s3_prefix,
        access_key_id=storage.s3_access_key_id,
        secret_access_key=secret.get_secret_value() if secret else None,
    )

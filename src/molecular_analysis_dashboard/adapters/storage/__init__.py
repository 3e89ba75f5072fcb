"""The blob store: uploads and results as content-addressed files, in local folders or in a bucket."""

from .bucket import Bucket, BucketAddress
from .local import LocalBlobStore
from .s3 import S3BlobStore

__all__ = ["Bucket", "BucketAddress", "LocalBlobStore", "S3BlobStore"]

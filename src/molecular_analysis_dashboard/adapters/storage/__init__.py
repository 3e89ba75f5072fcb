"""The blob store: uploads and results as content-addressed files."""

from .local import LocalBlobStore

__all__ = ["LocalBlobStore"]

"""Versions for provenance and for the register of workers."""

from importlib import metadata

DISTRIBUTION = "molecular-analysis-dashboard"


def package_version() -> str:
    """Version of this product, as installed."""
    return metadata.version(DISTRIBUTION)

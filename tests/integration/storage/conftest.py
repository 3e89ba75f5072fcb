from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.s3_server import S3Server

from molecular_analysis_dashboard.adapters.storage import LocalBlobStore, S3BlobStore
from molecular_analysis_dashboard.ports.blobs import BlobStore


def local_store(request: pytest.FixtureRequest) -> BlobStore:
    folder: Path = request.getfixturevalue("tmp_path")
    return LocalBlobStore(folder / "blobs")


def s3_store(request: pytest.FixtureRequest) -> BlobStore:
    server: S3Server = request.getfixturevalue("s3")
    return S3BlobStore(server.open(server.make_bucket()), "uploads")


# Every implementation of the port; the contract runs over all of them.
STORES: dict[str, Callable[[pytest.FixtureRequest], BlobStore]] = {"local": local_store, "s3": s3_store}


@pytest.fixture(params=sorted(STORES))
def store(request: pytest.FixtureRequest) -> BlobStore:
    return STORES[request.param](request)

from collections.abc import Callable
from pathlib import Path

import pytest

from molecular_analysis_dashboard.adapters.storage import LocalBlobStore
from molecular_analysis_dashboard.ports.blobs import BlobStore

# Every implementation of the port; the contract runs over all of them.
STORES: dict[str, Callable[[Path], BlobStore]] = {"local": LocalBlobStore}


@pytest.fixture(params=sorted(STORES))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    return STORES[request.param](tmp_path / "blobs")

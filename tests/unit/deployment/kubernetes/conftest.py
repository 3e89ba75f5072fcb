import pytest
from tests.unit.deployment.kubernetes.overlay import OVERLAYS, Overlay, load


@pytest.fixture(scope="session", params=OVERLAYS)
def overlay(request: pytest.FixtureRequest) -> Overlay:
    """Every overlay in turn."""
    return load(request.param)


@pytest.fixture(scope="session")
def production() -> Overlay:
    return load("production")


@pytest.fixture(scope="session")
def local() -> Overlay:
    return load("local")

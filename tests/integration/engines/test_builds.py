"""A job's build decides which of several copies of an engine its process loads."""

from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.integration.engines.conftest import MakeProcess

from molecular_analysis_dashboard.adapters.engines.native_builds import Processor, module_hash, write_record
from molecular_analysis_dashboard.adapters.engines.registry import load_engine
from molecular_analysis_dashboard.domain.docking import DockingProtocol, EngineBuild
from molecular_analysis_dashboard.domain.errors import EngineFailed
from molecular_analysis_dashboard.domain.sites import SearchBox
from molecular_analysis_dashboard.ports.chemistry_process import SiteSpec

RECEPTOR = "ATOM      1  C   ALA A   1       0.000   0.000   0.000  1.00  0.00    +0.000 C \n"
NATIVE = "vina-1.2.7-native"


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed bindings under the name of another build."""
    spec = find_spec("vina")
    assert spec is not None
    assert spec.origin is not None
    place = tmp_path_factory.mktemp("engines") / NATIVE
    place.mkdir()
    (place / "vina").symlink_to(Path(spec.origin).parent)
    write_record(place, EngineBuild("vina", "1.2.7", NATIVE, ("vina",), module_hash(place)), Processor.NATIVE)
    return place


def site(build: str) -> SiteSpec:
    return SiteSpec("hash", RECEPTOR, SearchBox((0.0, 0.0, 0.0), (4.0, 4.0, 4.0)), DockingProtocol(), build)


def test_each_build_gets_a_process_of_its_own(make_process: MakeProcess, folder: Path) -> None:
    process = make_process(build_folders={NATIVE: folder})
    portable = load_engine("vina").build.build_id

    process.open_site(site(NATIVE))
    tuned = process.pid
    process.open_site(site(NATIVE))
    assert process.pid == tuned
    process.open_site(site(portable))
    assert process.pid != tuned
    process.open_site(site(""))


def test_job_of_a_build_that_is_not_here_is_refused(make_process: MakeProcess) -> None:
    with pytest.raises(EngineFailed) as refused:
        make_process().open_site(site(NATIVE))

    assert refused.value.error_code == "engine_build_missing"
    assert NATIVE in refused.value.message

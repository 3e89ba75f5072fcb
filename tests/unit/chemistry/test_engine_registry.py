from importlib.metadata import EntryPoint, entry_points

import pytest

from molecular_analysis_dashboard.adapters.engines import registry
from molecular_analysis_dashboard.domain.errors import EngineFailed


def test_vina_is_installed_under_its_version() -> None:
    build = registry.load_engine("vina").build

    assert build in registry.installed_builds()
    assert build.build_id == f"vina-{build.version}-portable"
    assert build.scoring_functions == ("vina", "vinardo")


def test_unknown_engine_is_refused_with_the_choices() -> None:
    with pytest.raises(EngineFailed) as caught:
        registry.load_engine("nonesuch")

    assert caught.value.error_code == "engine_not_installed"
    assert "vina" in caught.value.message


def test_engine_that_does_not_import_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = EntryPoint("broken", "no_such_module_anywhere:Engine", registry.ENTRY_POINT_GROUP)
    working = list(entry_points(group=registry.ENTRY_POINT_GROUP, name="vina"))
    monkeypatch.setattr(registry, "entry_points", lambda **_: [broken, *working])

    assert [build.engine for build in registry.installed_builds()] == ["vina"]
    with pytest.raises(EngineFailed) as caught:
        registry.load_engine("broken")
    assert caught.value.error_code == "engine_unusable"

"""When the front end is built, when not, and what a build that cannot be done says."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def hatch_build(tmp_path: Path) -> ModuleType:
    """The build script of a copied source tree, in a path with a space and without installed packages."""
    tree = tmp_path / "source tree"
    shutil.copytree(ROOT / "frontend", tree / "frontend", ignore=shutil.ignore_patterns("node_modules", "dist"))
    script = Path(shutil.copy(ROOT / "hatch_build.py", tree))
    (tree / "src/molecular_analysis_dashboard/presentation/web").mkdir(parents=True)
    spec = importlib.util.spec_from_file_location("copied_hatch_build", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pretend_built(hatch_build: ModuleType) -> None:
    hatch_build.STATIC.mkdir()
    (hatch_build.STATIC / "index.html").write_text("<!doctype html>")
    (hatch_build.STATIC / hatch_build.STAMP).write_text(hatch_build.source_digest())


def run_without_registry(hatch_build: ModuleType, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    nowhere = {"npm_config_registry": "http://127.0.0.1:9/", "npm_config_cache": str(tmp_path / "empty cache")}
    command = [sys.executable, str(hatch_build.ROOT / "hatch_build.py")]
    return subprocess.run(command, env=os.environ | nowhere, capture_output=True, text=True, check=False)


def test_unchanged_sources_are_not_built_again(hatch_build: ModuleType, tmp_path: Path) -> None:
    pretend_built(hatch_build)
    done = run_without_registry(hatch_build, tmp_path)
    assert (done.returncode, done.stderr) == (0, "The front end is up to date.\n")


@pytest.mark.parametrize("name", ["src/App.tsx", "public/favicon.svg", "package-lock.json", "index.html"])
def test_a_changed_source_is_noticed(hatch_build: ModuleType, name: str) -> None:
    before = hatch_build.source_digest()
    with (hatch_build.FRONTEND / name).open("a") as file:
        file.write(" ")
    assert hatch_build.source_digest() != before


def test_what_npm_installs_is_no_source(hatch_build: ModuleType) -> None:
    before = hatch_build.source_digest()
    (hatch_build.FRONTEND / "node_modules").mkdir()
    (hatch_build.FRONTEND / "node_modules" / "index.js").write_text("")
    assert hatch_build.source_digest() == before


@pytest.mark.parametrize("code", ["SELF_SIGNED_CERT_IN_CHAIN", "UNABLE_TO_GET_ISSUER_CERT_LOCALLY"])
def test_a_proxy_that_inspects_tls_is_explained(hatch_build: ModuleType, code: str) -> None:
    npm = f"import sys; sys.stderr.write('npm error code {code}'); sys.exit(1)"
    with pytest.raises(hatch_build.FrontendBuildError) as refused:
        hatch_build._run([sys.executable, "-c", npm], os.environ, "npm could not install.")
    last = str(refused.value).splitlines()[-1]
    assert "NODE_EXTRA_CA_CERTS" in last
    assert "MAD_SKIP_FRONTEND=1" in last


def test_an_unreachable_registry_is_explained_and_the_old_page_stays(hatch_build: ModuleType, tmp_path: Path) -> None:
    pretend_built(hatch_build)
    (hatch_build.FRONTEND / "src" / "new.ts").write_text("export const n = 1;\n")
    done = run_without_registry(hatch_build, tmp_path)
    assert done.returncode == 1
    assert "npm cannot reach its registry" in done.stderr.splitlines()[-1]
    assert (hatch_build.STATIC / "index.html").is_file()

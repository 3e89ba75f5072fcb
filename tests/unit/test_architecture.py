"""The arrows between the layers hold, and the contracts that check them notice when they do not."""

import ast
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PACKAGE = REPOSITORY / "src" / "molecular_analysis_dashboard"
DOMAIN = sorted((PACKAGE / "domain").rglob("*.py"))


def imported_modules(path: Path) -> set[str]:
    modules: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            modules.add(node.module)
    return modules


@pytest.mark.parametrize("path", DOMAIN, ids=lambda path: path.name)
def test_the_domain_imports_the_standard_library_and_itself_only(path: Path) -> None:
    foreign = {
        name
        for name in imported_modules(path)
        if name.partition(".")[0] not in sys.stdlib_module_names
        and not name.startswith("molecular_analysis_dashboard.domain")
    }
    assert foreign == set()


@pytest.fixture
def copied_package(tmp_path: Path) -> Path:
    """The package's folders as empty modules, with the contracts of the repository."""
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    assert settings["contracts"]
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path / "pyproject.toml")
    copy = tmp_path / "molecular_analysis_dashboard"
    for source in PACKAGE.rglob("*.py"):
        target = copy / source.relative_to(PACKAGE)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    for name in ("bootstrap", "database", "logging", "redaction"):
        (copy / "infrastructure" / f"{name}.py").touch()
    return copy


def broken_contracts(copied_package: Path) -> list[str]:
    result = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"],
        cwd=copied_package.parent,
        env={"PYTHONPATH": str(copied_package.parent), "PATH": "/usr/bin:/bin", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "Contracts:" in result.stdout, result.stdout + result.stderr
    return [line.removesuffix(" BROKEN") for line in result.stdout.splitlines() if line.endswith(" BROKEN")]


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("domain/errors.py", "from molecular_analysis_dashboard import ports", "Imports point inwards"),
        ("ports/blobs.py", "import molecular_analysis_dashboard.use_cases", "Imports point inwards"),
        ("use_cases/__init__.py", "import molecular_analysis_dashboard.adapters.storage", "Imports point inwards"),
        ("adapters/storage/local.py", "import molecular_analysis_dashboard.presentation", "Imports point inwards"),
        (
            "use_cases/__init__.py",
            "import molecular_analysis_dashboard.infrastructure.settings",
            "The inside knows no infrastructure, and no library but structlog",
        ),
        ("domain/errors.py", "import pydantic", "The inside knows no infrastructure, and no library but structlog"),
        ("use_cases/__init__.py", "import rdkit", "The inside knows no infrastructure, and no library but structlog"),
        (
            "ports/telemetry.py",
            "import opentelemetry.trace",
            "The inside knows no infrastructure, and no library but structlog",
        ),
        ("domain/errors.py", "import structlog", "The domain and the ports do not log"),
        (
            "presentation/__init__.py",
            "import molecular_analysis_dashboard.adapters.storage",
            "Presentation reaches adapters only through the composition root",
        ),
        (
            "adapters/storage/local.py",
            "import molecular_analysis_dashboard.infrastructure.bootstrap",
            "Adapters take settings and logging from infrastructure, and nothing else",
        ),
        (
            "presentation/__init__.py",
            "import meeko",
            "The API and the command line start without engines, preparation and analysis",
        ),
    ],
)
def test_an_arrow_that_points_the_wrong_way_breaks_its_contract(
    copied_package: Path, module: str, line: str, contract: str
) -> None:
    (copied_package / module).write_text(f"{line}\n")
    assert contract in broken_contracts(copied_package)


def test_an_engine_behind_the_composition_root_breaks_the_contract_of_the_api(copied_package: Path) -> None:
    (copied_package / "presentation" / "__init__.py").write_text(
        "from molecular_analysis_dashboard.infrastructure import bootstrap\n"
    )
    (copied_package / "infrastructure" / "bootstrap.py").write_text(
        "from molecular_analysis_dashboard.adapters import chemistry\n"
    )
    (copied_package / "adapters" / "chemistry" / "__init__.py").write_text("import prolif\n")
    assert broken_contracts(copied_package) == [
        "The API and the command line start without engines, preparation and analysis"
    ]


def test_the_allowed_arrows_break_nothing(copied_package: Path) -> None:
    root = "molecular_analysis_dashboard"
    allowed = {
        "presentation/__init__.py": f"import {root}.infrastructure.bootstrap, {root}.use_cases, {root}.ports.blobs",
        "infrastructure/bootstrap.py": f"import {root}.adapters.storage, {root}.infrastructure.settings",
        "adapters/storage/local.py": f"import {root}.ports.blobs, {root}.use_cases, {root}.infrastructure.settings",
        "use_cases/__init__.py": f"import structlog, {root}.ports.blobs, {root}.domain.errors",
        "ports/blobs.py": f"import {root}.domain.errors",
        "infrastructure/settings/__init__.py": f"import pydantic, {root}.domain.errors",
    }
    for module, line in allowed.items():
        (copied_package / module).write_text(f"{line}\n")
    assert broken_contracts(copied_package) == []

"""The documentation and the example cannot fall behind the code."""

import re
from pathlib import Path

from molecular_analysis_dashboard.infrastructure.settings import (
    OTHER_VARIABLES,
    all_variables,
    check_bind,
    load_settings,
    reference_tables,
)

REPOSITORY = Path(__file__).parents[3]
REFERENCE = (REPOSITORY / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
EXAMPLE = (REPOSITORY / ".env.example").read_text(encoding="utf-8")
NAMES = [variable.name for variable in all_variables()]


def example_values() -> dict[str, str]:
    assigned = (line.partition("=") for line in EXAMPLE.splitlines() if line and not line.startswith("#"))
    return {name: value for name, _, value in assigned}


def test_the_reference_ends_with_the_tables_of_the_code() -> None:
    assert REFERENCE.endswith(reference_tables()), (
        "docs/reference/settings.md is behind: replace its tables by the output of "
        "python -m molecular_analysis_dashboard.infrastructure.settings"
    )


def test_the_reference_names_only_variables_that_exist() -> None:
    named = set(re.findall(r"\b(?:[A-Z][A-Z0-9]*_)+[A-Z0-9]+\b", REFERENCE))
    secret_files = {f"{variable.name}_FILE" for variable in all_variables() if variable.secret}
    assert named <= {*NAMES, *secret_files, *OTHER_VARIABLES}


def test_every_variable_is_described_once() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert all(variable.description.endswith(".") for variable in all_variables())


def test_the_example_has_every_variable_of_the_contract_and_the_token() -> None:
    contract = [name for name in NAMES if not name.startswith(("MAD_", "OTEL_"))]
    assert sorted(example_values()) == sorted([*contract, "MAD_STATIC_TOKEN"])


def test_the_example_works_in_development() -> None:
    settings = load_settings(example_values())
    assert settings.warnings == ("MAD_STATIC_TOKEN is the published example; whoever reaches the API can use it",)
    assert settings.database.sqlalchemy_url == "postgresql+psycopg://mad:change-me@postgres:5432/mad"
    check_bind(settings)

"""What every address of the OpenAPI document promises."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from molecular_analysis_dashboard.presentation.api.main import app
from molecular_analysis_dashboard.presentation.api.reference_page import reference_page

DOCUMENT = app.openapi()


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


PRODUCT = {name: operation for name, operation in operations() if "/api/v1/" in name}


@pytest.mark.parametrize("name", PRODUCT)
def test_every_address_of_the_product_asks_who_is_there(name: str) -> None:
    assert PRODUCT[name]["security"] == [{"HTTPBearer": []}]


@pytest.mark.parametrize("name", PRODUCT)
def test_every_declared_error_has_the_envelope(name: str) -> None:
    declared = {status: answer for status, answer in PRODUCT[name]["responses"].items() if int(status) >= 400}

    assert {"401", "422", "503"} <= declared.keys()
    for answer in declared.values():
        schema = answer["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/ErrorEnvelope"}


@pytest.mark.parametrize("name", [name for name in PRODUCT if "{" in name])
def test_every_address_with_an_id_may_answer_404(name: str) -> None:
    assert "404" in PRODUCT[name]["responses"]


def test_operation_ids_are_unique_and_plain() -> None:
    ids = [operation["operationId"] for _, operation in operations()]

    assert len(ids) == len(set(ids))
    assert all(id_.isidentifier() for id_ in ids)


def test_every_address_is_described() -> None:
    assert [name for name, operation in operations() if not operation.get("description")] == []


def test_the_reference_page_names_every_address_and_loads_nothing() -> None:
    page = reference_page(DOCUMENT)

    for name, operation in operations():
        assert name.partition(" ")[2] in page
        assert f'id="{operation["operationId"]}"' in page
    assert "`" not in page
    assert "<code>{&quot;error&quot;: {&quot;code&quot;" in page
    assert "</code> Submit a screen, redocking or validation.</summary>" in page
    assert "<script" not in page
    assert "src=" not in page
    assert "http://" not in page
    assert "https://" not in page


@pytest.mark.parametrize("name", [name for name, _ in operations()])
def test_every_address_stands_in_the_written_reference(name: str) -> None:
    written = (Path(__file__).parents[3] / "docs" / "reference" / "api.md").read_text(encoding="utf-8")

    assert f"`{name}`" in written

import base64
import json
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from molecular_analysis_dashboard.domain.errors import InvalidInput
from molecular_analysis_dashboard.domain.results import cursor_position
from molecular_analysis_dashboard.presentation.api.cursors import decode, encode

ID = UUID("0190163d-8694-739b-aea5-966c26f8ad91")


@given(st.floats(allow_nan=False, allow_infinity=False), st.uuids())
def test_every_float_survives_the_round_trip(value: float, ligand_id: UUID) -> None:
    assert decode("hits.score", encode("hits.score", value, ligand_id), (float, UUID)) == (value, ligand_id)


@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=200))
def test_every_name_survives_the_round_trip(name: str) -> None:
    assert decode("hits.name", encode("hits.name", name, ID), (str, UUID)) == (name, ID)


def test_a_cursor_belongs_to_its_listing() -> None:
    with pytest.raises(InvalidInput) as caught:
        decode("hits.name", encode("hits.score", -7.5, ID), (float, UUID))

    assert caught.value.error_code == "invalid_cursor"


def forged(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "!",
        "ä",
        "a",
        "x" * 5000,
        forged({"a": 1}),
        forged([]),
        forged(["jobs"]),
        forged(["jobs", "no uuid"]),
        forged(["jobs", 1]),
        forged(["jobs", str(ID), 1]),
        forged(7),
    ],
)
def test_a_forged_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidInput):
        decode("jobs", cursor, (UUID,))


@pytest.mark.parametrize(
    ("type_", "value"),
    [(int, True), (int, 1.5), (int, 2**63), (float, "1"), (float, True), (str, "a\0b"), (str, 1), (float, None)],
)
def test_a_value_of_another_type_is_refused(type_: type, value: object) -> None:
    with pytest.raises(InvalidInput):
        decode("x", forged(["x", value]), (type_,))


def test_infinity_is_refused() -> None:
    text = base64.urlsafe_b64encode(b'["x",1e999]').decode()
    with pytest.raises(InvalidInput):
        decode("x", text, (float,))


def test_event_cursors_compare_as_numbers() -> None:
    assert cursor_position("99-5") < cursor_position("100-1")
    assert cursor_position("") < cursor_position("0-1")


def test_events_after_a_restore_come_behind_all_before_it() -> None:
    assert cursor_position("5000-12") < cursor_position(f"700-{1 << 40}") < cursor_position(f"700-{(1 << 40) + 1}")


@pytest.mark.parametrize("cursor", ["x", "1", "1-", "-1", "1-2-3", "\u0661-\u0662", f"{2**64}-1", f"1-{2**63}", "1-2 "])
def test_a_forged_event_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidInput):
        cursor_position(cursor)

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from molecular_analysis_dashboard.domain.hashing import MAX_SEED, bytes_hash, canonical_json, content_hash, derive_seed
from molecular_analysis_dashboard.domain.identity import Principal, TenantScope, new_id

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
mappings = st.dictionaries(st.text(), json_values, max_size=5)


def test_ids_are_random_uuids_of_version_7() -> None:
    ids = [new_id() for _ in range(2000)]
    assert len(set(ids)) == len(ids)
    assert {(id_.version, id_.variant) for id_ in ids} == {(7, "specified in RFC 4122")}


def test_ids_of_later_milliseconds_sort_later(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = [1_700_000_000_000, 1_700_000_000_001, 1_700_000_000_255, 1_700_000_000_256, 2**48 - 1]
    ids = []
    for moment in moments:
        monkeypatch.setattr(time, "time_ns", lambda moment=moment: moment * 1_000_000)
        ids.append(new_id())
    assert ids == sorted(ids)
    assert [id_.int >> 80 for id_ in ids] == moments


def test_principal_acts_in_its_own_organization_only() -> None:
    org_id = new_id()
    assert Principal(new_id(), org_id).scope == TenantScope(org_id)


@given(st.lists(st.text() | st.integers()))
def test_seed_is_never_zero_and_fits_a_signed_integer(parts: list[object]) -> None:
    assert 1 <= derive_seed(*parts) <= MAX_SEED == 2**31 - 1


def test_seed_stays_the_same_for_ever() -> None:
    # Results are reproduced by it: this number must never change.
    assert derive_seed(42, "CCO", "abc") == 9088439


def test_order_of_the_parts_matters_to_the_seed() -> None:
    assert derive_seed("abc", "CCO", 42) == 931651696
    assert derive_seed("ab", "c") != derive_seed("a", "bc")


@given(mappings)
def test_hash_does_not_depend_on_the_order_of_keys(value: dict[str, object]) -> None:
    assert content_hash(value) == content_hash(dict(reversed(value.items())))


@given(mappings, mappings)
def test_hash_tells_different_mappings_apart(one: dict[str, object], other: dict[str, object]) -> None:
    assert (content_hash(one) == content_hash(other)) is (canonical_json(one) == canonical_json(other))


def test_hash_stays_the_same_for_ever() -> None:
    value = {"b": 1, "a": [1.5, None, "é"]}
    assert content_hash(value) == "4fa79d67d7df922bab81a879e30d0421f91c066c037916879fd0c45fb15ca043"


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_json_number_has_no_hash(number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        content_hash({"ph": number})


def test_bytes_are_hashed_as_they_are() -> None:
    assert bytes_hash(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

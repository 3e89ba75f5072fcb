import pytest

from molecular_analysis_dashboard.domain import errors
from molecular_analysis_dashboard.presentation.api.errors import status_of
from molecular_analysis_dashboard.presentation.api.request_ids import choose_request_id


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.InvalidInput("x"), 422),
        (errors.TooLarge("x"), 413),
        (errors.Unauthenticated("x"), 401),
        (errors.PermissionDenied("x"), 403),
        (errors.NotFound("x"), 404),
        (errors.Conflict("x"), 409),
        (errors.PreparationFailed("x"), 422),
        (errors.ResourceLost("x"), 503),
        (errors.EngineFailed("x"), 500),
        (errors.Superseded("x"), 500),
        (errors.Misconfigured("x"), 500),
        (errors.MadError("x"), 500),
    ],
)
def test_status_follows_the_meaning(error: errors.MadError, status: int) -> None:
    assert status_of(error) == status


def test_every_kind_of_error_has_been_thought_of() -> None:
    direct = set(errors.MadError.__subclasses__())
    mapped = {
        errors.InvalidInput, errors.Unauthenticated, errors.PermissionDenied, errors.NotFound, errors.Conflict,
        errors.PreparationFailed, errors.EngineFailed, errors.ResourceLost, errors.Superseded, errors.Misconfigured,
    }  # fmt: skip
    assert {kind for kind in direct if kind.__module__ == errors.__name__} == mapped


@pytest.mark.parametrize("given", ["a", "abc-123", "0190163d-8694-739b-aea5-966c26f8ad91", "A" * 128])
def test_a_usable_request_id_is_kept(given: str) -> None:
    assert choose_request_id(given) == given


@pytest.mark.parametrize("given", [None, "", " ", "a b", "a\nb", "ä", "-x", "A" * 129, '{"a":1}'])
def test_any_other_request_id_is_replaced(given: str | None) -> None:
    chosen = choose_request_id(given)

    assert chosen != given
    assert len(chosen) == 32

import pytest

from molecular_analysis_dashboard.domain import errors
from molecular_analysis_dashboard.infrastructure.embedded import errors as embedded
from molecular_analysis_dashboard.ports.chemistry_process import ProcessEnded
from molecular_analysis_dashboard.presentation.cli.exit_codes import (
    ExitCode,
    InBackgroundFailed,
    JobNotCompleted,
    exit_code_of,
)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.InvalidInput("x"), ExitCode.INPUT_REFUSED),
        (errors.TooLarge("x"), ExitCode.INPUT_REFUSED),
        (errors.PreparationFailed("x"), ExitCode.INPUT_REFUSED),
        (errors.ResourceLost("x"), ExitCode.NOT_REACHABLE),
        (embedded.ServerFailed("x"), ExitCode.NOT_REACHABLE),
        (JobNotCompleted("x"), ExitCode.JOB_NOT_COMPLETED),
        (errors.Conflict("x"), ExitCode.CONFLICT),
        (embedded.AlreadyRunning("x"), ExitCode.CONFLICT),
        (errors.NotFound("x"), ExitCode.NOT_FOUND),
        (errors.Unauthenticated("x"), ExitCode.NOT_ALLOWED),
        (errors.PermissionDenied("x"), ExitCode.NOT_ALLOWED),
        (errors.Misconfigured("x"), ExitCode.NOT_IN_ORDER),
        (embedded.DataFolderUnusable("x"), ExitCode.NOT_IN_ORDER),
        (errors.EngineFailed("x"), ExitCode.FAILED),
        (errors.MadError("x"), ExitCode.FAILED),
        (InBackgroundFailed("x", code="c", exit_code=6), 6),
    ],
    ids=lambda value: type(value).__name__,
)
def test_kind_of_error_decides_the_exit_status(error: errors.MadError, code: int) -> None:
    assert exit_code_of(error) == code


def test_no_failure_exits_with_zero() -> None:
    def subclasses(kind: type[errors.MadError]) -> set[type[errors.MadError]]:
        return {kind, *(found for child in kind.__subclasses__() for found in subclasses(child))}

    # These two are made of more than a sentence; a process's end never leaves its worker.
    kinds = subclasses(errors.MadError) - {InBackgroundFailed, ProcessEnded}
    assert all(exit_code_of(kind("x")) != ExitCode.OK for kind in kinds)

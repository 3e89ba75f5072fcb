"""What the command's exit status means; 0 is success and nothing else."""

from enum import IntEnum

from molecular_analysis_dashboard.domain.errors import (
    Conflict,
    InvalidInput,
    MadError,
    Misconfigured,
    NotFound,
    PermissionDenied,
    PreparationFailed,
    ResourceLost,
    Unauthenticated,
)


class ExitCode(IntEnum):
    """Exit statuses, documented in `docs/how-to/command-line.md`."""

    OK = 0
    FAILED = 1  # an error of the program or of the server that is none of those below
    USAGE = 2  # the command line itself is wrong
    INPUT_REFUSED = 3  # a file or a value cannot be used
    NOT_REACHABLE = 4  # no server, or a server without its database
    JOB_NOT_COMPLETED = 5  # the job failed, was cancelled or is paused
    CONFLICT = 6  # something is in the way: already running, port taken, state does not allow it
    NOT_FOUND = 7
    NOT_ALLOWED = 8  # token missing, wrong or not sufficient
    NOT_IN_ORDER = 9  # the installation needs attention
    INTERRUPTED = 130  # Ctrl-C or SIGTERM


class JobNotCompleted(MadError):
    """The job that was waited for ended otherwise than completed."""

    code = "job_not_completed"


class InBackgroundFailed(MadError):
    """A command that was started in the background failed; carries its own code, message and exit status."""

    def __init__(self, message: str, *, code: str, exit_code: int, **details: object) -> None:
        super().__init__(message, code=code, **details)
        self.exit_code = exit_code


_BY_KIND: tuple[tuple[type[MadError], ExitCode], ...] = (
    (InvalidInput, ExitCode.INPUT_REFUSED),
    (PreparationFailed, ExitCode.INPUT_REFUSED),
    (ResourceLost, ExitCode.NOT_REACHABLE),
    (JobNotCompleted, ExitCode.JOB_NOT_COMPLETED),
    (Conflict, ExitCode.CONFLICT),
    (NotFound, ExitCode.NOT_FOUND),
    (Unauthenticated, ExitCode.NOT_ALLOWED),
    (PermissionDenied, ExitCode.NOT_ALLOWED),
    (Misconfigured, ExitCode.NOT_IN_ORDER),
)


def exit_code_of(error: MadError) -> int:
    """The exit status for an error, by its kind."""
    if isinstance(error, InBackgroundFailed):
        return error.exit_code
    return next((code for kind, code in _BY_KIND if isinstance(error, kind)), ExitCode.FAILED)

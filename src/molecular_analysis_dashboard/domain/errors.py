"""The one tree of errors, by meaning.

Each error carries a stable code for programs, a sentence for people that says what to do, and details.
Only the API maps it to a status, only the queue adapter to retry or not, only the command line to an exit code.
"""

from typing import ClassVar


class MadError(Exception):
    """Base of every error that is safe to show to a user.

    Parameters
    ----------
    message : str
        One or two sentences: what is wrong and what to do.
    code : str, optional
        A code more exact than the class's own.
    **details : object
        JSON-compatible facts for programs.
    """

    code: ClassVar[str] = "internal_error"

    def __init__(self, message: str, *, code: str | None = None, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.error_code = code or self.code
        self.details = details


class InvalidInput(MadError):
    """What the user gave cannot be used as it is."""

    code = "invalid_input"


class TooLarge(InvalidInput):
    """The input exceeds a stated limit."""

    code = "too_large"


class Unauthenticated(MadError):
    """No valid credentials came with the request."""

    code = "unauthenticated"


class PermissionDenied(MadError):
    """The principal is known but may not do this."""

    code = "permission_denied"


class NotFound(MadError):
    """There is no such thing, or not for this organization."""

    code = "not_found"


class Conflict(MadError):
    """The request contradicts the present state."""

    code = "conflict"


class PreparationFailed(MadError):
    """A structure or a ligand could not be made ready for docking."""

    code = "preparation_failed"


class EngineFailed(MadError):
    """A docking engine could not do its work for a reason that is not one ligand's."""

    code = "engine_failed"


class ResourceLost(MadError):
    """The database, the broker or the storage is out of reach; trying again makes sense."""

    code = "resource_lost"


class Superseded(MadError):
    """The attempt no longer owns its task; its late write was refused."""

    code = "superseded"


class Misconfigured(MadError):
    """The installation cannot work as it is set up."""

    code = "misconfigured"

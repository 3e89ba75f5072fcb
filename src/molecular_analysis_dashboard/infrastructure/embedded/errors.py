"""What can go wrong with the embedded servers, as errors a user can act on."""

from pathlib import Path

from molecular_analysis_dashboard.domain.errors import Conflict, MadError, Misconfigured, ResourceLost


class ServerBinariesMissing(Misconfigured):
    """No PostgreSQL or Redis programs are installed."""

    code = "server_binaries_missing"


class ServerAccountUnusable(Misconfigured):
    """The servers cannot run under the present account, nor under an unprivileged one."""

    code = "server_account_unusable"


class DataFolderUnusable(Misconfigured):
    """The data folder cannot be written to, traversed or read."""

    code = "data_folder_unusable"


class DataFolderIncompatible(Misconfigured):
    """The data folder was written by another major version of PostgreSQL."""

    code = "data_folder_incompatible"


class AlreadyRunning(Conflict):
    """Another process already runs the servers of this data folder."""

    code = "already_running"


class LeftoverProcess(Conflict):
    """A server of an earlier run still uses the data folder and could not be ended."""

    code = "leftover_process"


class ServerFailed(ResourceLost):
    """A server did not start, or does not answer."""

    code = "embedded_server_failed"


class StackFailed(MadError):
    """A supervised process keeps dying or never became healthy, so the stack was stopped."""

    code = "stack_failed"


class StopFailed(MadError):
    """The running stack could not be asked to stop, or did not stop in time."""

    code = "stop_failed"


def unusable(folder: Path, error: OSError) -> DataFolderUnusable:
    """The one-line error for a data folder on which the system refuses an operation."""
    reason = error.strerror or str(error)
    return DataFolderUnusable(
        f"The data folder {folder} cannot be used: {reason}. Free some space, make it writable, "
        "or choose another one with --data-dir or MAD_DATA_DIR.",
        data_dir=str(folder),
        reason=reason,
    )

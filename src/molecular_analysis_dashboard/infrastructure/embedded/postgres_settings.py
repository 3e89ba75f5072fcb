"""How the embedded PostgreSQL is configured."""

import os
from collections.abc import Mapping
from pathlib import Path

_SHARED_MEMORY_FOLDER = Path("/dev/shm")
# Parallel queries share memory in segments of this order; the default of a container is 64 MiB in all.
_ENOUGH_SHARED_MEMORY_BYTES = 256 * 1024 * 1024


def server_settings(*, sockets: Path, logs_folder: Path, durable: bool) -> Mapping[str, str]:
    """Settings given on the command line, so that those of the installed program hold, whatever created the folder.

    Parameters
    ----------
    sockets : Path
        Folder of the socket; its path needs no quoting.
    logs_folder : Path
        Where the server writes its log, a file per weekday, each kept for a week.
    durable : bool
        Whether commits survive a crash of the machine; they survive one of the server in any case.
    """
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(sockets),
        "unix_socket_permissions": "0700",
        "max_connections": "200",
        "shared_buffers": "128MB",
        "dynamic_shared_memory_type": dynamic_shared_memory_type(),
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "logging_collector": "on",
        "log_directory": str(logs_folder),
        "log_filename": "postgresql-%a.log",
        "log_rotation_age": "1d",
        "log_rotation_size": "0",
        "log_truncate_on_rotation": "on",
        "log_line_prefix": "%m [%p] %q%u@%d ",
    }
    if not durable:
        settings |= {"fsync": "off", "full_page_writes": "off"}  # commits still outlive a kill of the server
    return settings


def dynamic_shared_memory_type(*, needed_bytes: int = _ENOUGH_SHARED_MEMORY_BYTES) -> str:
    """``posix`` where /dev/shm has room, else ``mmap``: files in the data folder, slower but never too small."""
    try:
        status = os.statvfs(_SHARED_MEMORY_FOLDER)
    except OSError:
        return "mmap"
    return "posix" if status.f_bavail * status.f_frsize >= needed_bytes else "mmap"

"""TCP ports on this machine."""

import socket

from molecular_analysis_dashboard.domain.errors import Conflict

HOST = "127.0.0.1"
DEFAULT_PORT = 8000
_TRIED = 100


def is_free(port: int) -> bool:
    """Whether a server could listen on the port of 127.0.0.1 now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a port whose last connections still linger is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def choose_port(asked: int | None) -> int:
    """The asked port, else 8000 or the next free one.

    Raises
    ------
    Conflict
        ``port_taken`` when the asked port, or all of the range, is in use.
    """
    if asked is not None:
        if is_free(asked):
            return asked
        raise Conflict(
            f"Port {asked} of {HOST} is in use, or reserved. Choose another one with --port, or leave the choice to "
            "mad up.",
            code="port_taken",
            port=asked,
        )
    candidates = range(DEFAULT_PORT, DEFAULT_PORT + _TRIED)
    for port in candidates:
        if is_free(port):
            return port
    raise Conflict(
        f"Every port from {candidates[0]} to {candidates[-1]} is in use. Choose a free one with --port.",
        code="port_taken",
        port=DEFAULT_PORT,
    )

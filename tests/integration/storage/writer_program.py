"""Stores what comes on standard input in the blob store named by the first argument.

A second argument limits, in bytes, how large any file of this process may become: the nearest thing to a full disk
that needs no privilege.
"""

import resource
import sys
from collections.abc import Iterator
from pathlib import Path

from molecular_analysis_dashboard.adapters.storage import LocalBlobStore
from molecular_analysis_dashboard.domain.errors import ResourceLost


def received() -> Iterator[bytes]:
    while line := sys.stdin.buffer.readline():
        yield line
        # The next line is asked for only after this one was written.
        sys.stdout.write("asking\n")
        sys.stdout.flush()


def main() -> None:
    store = LocalBlobStore(Path(sys.argv[1]))
    if len(sys.argv) > 2:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
    try:
        store.put(received(), max_bytes=10**9)
    except ResourceLost as error:
        sys.stdout.write(f"{error.error_code} {error.details['folder']}\n")


main()

"""Stores and reads back so many megabytes; prints by how many KiB the memory of the process grew at most.

Arguments: address of the S3 server, bucket, megabytes.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from molecular_analysis_dashboard.adapters.storage import Bucket, BucketAddress, S3BlobStore

MEGABYTE = bytes(1_000_000)


def peak_kib() -> int:
    # Not ru_maxrss: that begins with the peak of the process that started this one.
    (kib,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(kib)


def main() -> None:
    url, bucket, megabytes = sys.argv[1:]
    store = S3BlobStore(Bucket(BucketAddress(bucket, url, "eu-central-1", "mad", "key", "secret")), "uploads")

    def content() -> Iterator[bytes]:
        for _ in range(int(megabytes)):
            yield MEGABYTE

    store.check_writable()
    before = peak_kib()
    info = store.put(content(), max_bytes=10**10)
    with store.open(info.sha256) as file:
        while file.read(256 * 1024):
            pass
    sys.stdout.write(f"{peak_kib() - before}\n")


main()

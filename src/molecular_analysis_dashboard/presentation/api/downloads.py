"""Files on their way out."""

import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO
from urllib.parse import quote

from fastapi.responses import StreamingResponse

from molecular_analysis_dashboard.ports.blobs import BlobStore

SDF = "chemical/x-mdl-sdfile"
_CHUNK_BYTES = 256 * 1024
_CHUNK_CHARACTERS = 64 * 1024


def content_disposition(file_name: str) -> dict[str, str]:
    """Return the header that saves an answer under a name (RFC 6266): plain letters, and the full name beside it."""
    plain = re.sub(r"[^A-Za-z0-9._ ()+-]", "_", file_name)
    full = quote(file_name.replace("/", "_"), safe="")
    return {"Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{full}"}


def blob_response(store: BlobStore, sha256: str, file_name: str, media_type: str) -> StreamingResponse:
    """Stream a stored file; NotFound comes before the answer begins."""
    headers = content_disposition(file_name) | {"Content-Length": str(store.size(sha256)), "ETag": f'"{sha256}"'}
    return StreamingResponse(_blocks(store.open(sha256)), media_type=media_type, headers=headers)


def attachment(parts: Iterable[str], file_name: str, media_type: str) -> StreamingResponse:
    """Stream text that is made while it is sent; an error on the way breaks the transfer off, visibly."""
    return StreamingResponse(_gathered(parts), media_type=media_type, headers=content_disposition(file_name))


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    with stream:
        while block := stream.read(_CHUNK_BYTES):
            yield block


def _gathered(parts: Iterable[str]) -> Iterator[bytes]:
    """Join small parts, so that a record does not cost a packet."""
    pending: list[str] = []
    size = 0
    for part in parts:
        pending.append(part)
        size += len(part)
        if size >= _CHUNK_CHARACTERS:
            yield "".join(pending).encode()
            pending.clear()
            size = 0
    if pending:
        yield "".join(pending).encode()

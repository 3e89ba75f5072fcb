"""Reading bytes that users upload: gzip with a bound, and the encodings of the real world."""

import codecs
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from molecular_analysis_dashboard.domain.errors import InvalidInput, TooLarge

GZIP_MAGIC = b"\x1f\x8b"
_PACKED = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook",
    b"\xfd7zXZ\x00": "packed with xz",
    b"BZh": "packed with bzip2",
    b"\x28\xb5\x2f\xfd": "packed with zstd",
    b"7z\xbc\xaf": "a 7z archive",
}
CHUNK_BYTES = 1 << 16
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decompress(data: bytes, *, max_bytes: int) -> bytes:
    """Return the bytes, unpacked when they are gzip.

    Raises
    ------
    InvalidInput
        ``empty_file``, ``truncated_gzip``, ``corrupt_gzip``, ``packed_file`` or ``too_large_decompressed``.
    """
    if not data.strip():
        raise InvalidInput("The file is empty. Give a file with at least one record.", code="empty_file")
    if not data.startswith(GZIP_MAGIC):
        _refuse_packed(data)
        _refuse_beyond(len(data), max_bytes)
        return data
    return b"".join(_once_packed(_gunzip(iter([data]), max_bytes)))


def chunks(stream: BinaryIO, *, max_bytes: int) -> Iterator[bytes]:
    """Yield the stream's bytes piece by piece, unpacked when they are gzip; memory stays constant.

    Raises
    ------
    InvalidInput
        ``truncated_gzip`` or ``corrupt_gzip``, after the pieces that could be unpacked,
        ``packed_file`` and ``too_large_decompressed``.
    """
    first = stream.read(CHUNK_BYTES)
    raw = _raw_chunks(first, stream)
    if first.startswith(GZIP_MAGIC):
        yield from _once_packed(_gunzip(raw, max_bytes))
        return
    _refuse_packed(first)
    total = 0
    for chunk in raw:
        total += len(chunk)
        _refuse_beyond(total, max_bytes)
        yield chunk


def to_utf8(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the same text without byte order mark and, if it was UTF-16 or UTF-32, as UTF-8."""
    first = next(pieces, b"")
    encoding = _encoding_by_mark(first)
    if encoding is None:
        yield first
        yield from pieces
        return
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    yield decoder.decode(first).encode()
    for piece in pieces:
        yield decoder.decode(piece).encode()
    yield decoder.decode(b"", final=True).encode()


def decode(data: bytes) -> str:
    """Return text: by its byte order mark, else UTF-8, else Latin-1, which accepts every byte."""
    encoding = _encoding_by_mark(data)
    if encoding is not None:
        return data.decode(encoding, errors="replace")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def plain_name(file_name: str) -> str:
    """Return the file name in lower case without a trailing ``.gz``."""
    return file_name.strip().lower().removesuffix(".gz")


def _encoding_by_mark(data: bytes) -> str | None:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return encoding
    # UTF-16 without a mark: text of the formats read here is ASCII nearly throughout.
    head = data[:256]
    if len(head) >= 8 and head[1::2].count(0) > 0.8 * len(head[1::2]) and head[0::2].count(0) == 0:
        return "utf-16-le"
    if len(head) >= 8 and head[0::2].count(0) > 0.8 * len(head[0::2]) and head[1::2].count(0) == 0:
        return "utf-16-be"
    return None


def _raw_chunks(first: bytes, stream: BinaryIO) -> Iterator[bytes]:
    chunk = first
    while chunk:
        yield chunk
        chunk = stream.read(CHUNK_BYTES)


def _gunzip(raw: Iterator[bytes], max_bytes: int) -> Iterator[bytes]:
    """Unpack one or several concatenated gzip members in bounded steps."""
    member = zlib.decompressobj(wbits=31)
    total = 0
    for compressed in raw:
        pending = compressed
        while pending:
            if member.eof:
                pending = pending.lstrip(b"\0") if total else pending
                if not pending:
                    break
                member = zlib.decompressobj(wbits=31)
            try:
                piece = member.decompress(pending, CHUNK_BYTES)
            except zlib.error as cause:
                raise InvalidInput(
                    "The gzip file is damaged. Compress it again and upload the new file.", code="corrupt_gzip"
                ) from cause
            total += len(piece)
            _refuse_beyond(total, max_bytes)
            if piece:
                yield piece
            pending = member.unused_data if member.eof else member.unconsumed_tail
    if not member.eof:
        raise InvalidInput(
            "The gzip file ends too early; part of it is missing. Upload the complete file.", code="truncated_gzip"
        )


def _once_packed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Pass on what came out of a gzip file, unless that is packed again."""
    first = next(pieces, b"")
    if first.startswith(GZIP_MAGIC):
        raise InvalidInput("The file is gzipped twice. Unpack it once.", code="packed_file")
    _refuse_packed(first)
    yield first
    yield from pieces


def _refuse_packed(head: bytes) -> None:
    found = next((what for magic, what in _PACKED.items() if head.startswith(magic)), None)
    if found is not None:
        raise InvalidInput(
            f"The file is {found}. Give the file in it, plain or gzipped.",
            code="packed_file",
        )


def _refuse_beyond(total: int, max_bytes: int) -> None:
    if total > max_bytes:
        raise TooLarge(
            f"The file holds more than {max_bytes / 1e6:,.0f} MB once decompressed. Split it into smaller files.",
            code="too_large_decompressed",
            max_bytes=max_bytes,
        )

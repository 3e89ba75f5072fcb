"""Texts that are stored compressed, and mostly are not there at all."""

import zlib


def packed(text: str) -> bytes | None:
    """Return a text as it is stored; None for an empty one."""
    return zlib.compress(text.encode()) if text else None


def unpacked(stored: bytes | None) -> str:
    """Return what was stored; an empty text for None."""
    return "" if stored is None else zlib.decompress(stored).decode()

"""Opaque cursors of listings: a keyset position, tagged with the listing it belongs to."""

import base64
import binascii
import json
import math
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from molecular_analysis_dashboard.domain.errors import InvalidInput

_MAX_CHARACTERS = 2000


def encode(listing: str, *position: str | int | float | UUID) -> str:
    """Write a position; floats keep every digit."""
    values = [str(value) if isinstance(value, UUID) else value for value in position]
    text = json.dumps([listing, *values], separators=(",", ":"), allow_nan=False)
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def decode(listing: str, cursor: str, types: Sequence[type]) -> tuple[Any, ...]:
    """Read a position of this listing with values of these types.

    Raises
    ------
    InvalidInput
        With code ``invalid_cursor`` if this listing did not give it out.
    """
    try:
        if len(cursor) > _MAX_CHARACTERS:
            raise ValueError("too long")
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        name, *values = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if name != listing:
            raise ValueError("of another listing")
        return tuple(_value(type_, value) for type_, value in zip(types, values, strict=True))
    except (ValueError, TypeError, binascii.Error) as error:
        raise InvalidInput(
            "This cursor does not belong to this listing. Leave it out to begin at the top.", code="invalid_cursor"
        ) from error


def _value(type_: type, value: object) -> object:
    if type_ is UUID and isinstance(value, str):
        return UUID(value)
    if type_ is float and isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    if type_ is int and isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
        return value
    if type_ is str and isinstance(value, str) and "\0" not in value:
        return value
    raise ValueError(f"not {type_.__name__}")

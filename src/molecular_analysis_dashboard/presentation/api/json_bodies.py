"""JSON as requests send it: read strictly, so that what a client wrote is what the server takes it for."""

import json
from collections.abc import Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError

# No field needs so many; more would exceed what a float can hold, and beyond 4300 Python refuses to read them.
_MOST_DIGITS = 300


def read_json(body: bytes) -> object:
    """Return the value; a key that stands twice is refused, since only one of its values could count.

    Raises
    ------
    json.JSONDecodeError
        With a sentence on what is wrong, and where it is known the place.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise json.JSONDecodeError("It is not UTF-8 text", "\n", 0) from error
    try:
        return json.loads(text, object_pairs_hook=_object, parse_int=_whole_number)
    except RecursionError as error:
        raise json.JSONDecodeError("It is nested too deeply", text, 0) from error


def malformed(error: json.JSONDecodeError) -> RequestValidationError:
    """Tell a body that is no JSON as the framework does."""
    problem = {"type": "json_invalid", "loc": ("body", error.pos), "msg": "JSON decode error", "input": {}}
    return RequestValidationError([problem | {"ctx": {"error": error.msg}}])


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise json.JSONDecodeError(f"The key “{key[:100]}” stands twice in one object", "", 0)
        found[key] = value
    return found


def _whole_number(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise json.JSONDecodeError(f"A number has more than {_MOST_DIGITS} digits", "", 0)
    return int(digits)

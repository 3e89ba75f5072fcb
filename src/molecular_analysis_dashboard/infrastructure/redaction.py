"""Keeping secrets out of the logs: by the name of a field, and by the form of a text."""

import math
import re
from collections.abc import Mapping

from structlog.typing import EventDict, WrappedLogger

HIDDEN = "***"

_SECRET_NAME = re.compile(
    r"passw(or)?d|passphrase|secret|token|authorization|api_?key|private_?key|cookie|credential|basic_auth",
    re.IGNORECASE,
)
_SECRETS_IN_TEXT = (
    # The user's name and password in an address; greedy, since a careless password may hold an @ of its own.
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^\s/'\"]*@", re.IGNORECASE), rf"\1{HIDDEN}@"),
    (re.compile(r"\b(bearer\s+)[\w.~+/=-]{8,}", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(r"\b(authorization['\"]?\s*[:=]\s*)[^\r\n]+", re.IGNORECASE), rf"\1{HIDDEN}"),
    # libpq's key=value form, query strings, repr() of arguments.
    (
        re.compile(
            r"(\b\w*(?:password|passwd|secret|token|api_?key)['\"]?\s*[=]\s*)('[^']*'|\"[^\"]*\"|[^\s&,)]+)", re.I
        ),
        rf"\1{HIDDEN}",
    ),
)


def redact(_logger: WrappedLogger, _method: str, event_dict: EventDict) -> EventDict:
    """Structlog processor that hides secrets anywhere in a line and makes every value fit for JSON."""
    return {key: _clean(value, name=key) for key, value in event_dict.items()}


def redact_text(text: str) -> str:
    """Hide passwords in addresses, bearer tokens and `password=...` within a text."""
    for pattern, replacement in _SECRETS_IN_TEXT:
        text = pattern.sub(replacement, text)
    return text


def _clean(value: object, *, name: str = "") -> object:
    # A number is a count or a fencing token, not a secret.
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(key): _clean(item, name=str(key)) for key, item in value.items()}
    if _SECRET_NAME.search(name):
        return HIDDEN
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(item) for item in value]
    return redact_text(str(value))

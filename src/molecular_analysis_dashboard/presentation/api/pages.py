"""Cutting pages: one item more than asked tells whether there is a next page."""

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def cut(found: Sequence[T], limit: int, cursor_of: Callable[[T], str]) -> tuple[list[T], str | None]:
    """Return up to `limit` items and the cursor behind the last of them, if there are more."""
    items = list(found[:limit])
    return items, cursor_of(items[-1]) if len(found) > limit else None

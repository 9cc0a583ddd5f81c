"""JSON pointers (RFC 6901) of the places that a validator names."""

from __future__ import annotations

Location = tuple[int | str, ...]
"""Keys and positions from the root of a document, as Pydantic reports them."""


def pointer(location: Location) -> str:
    """Return the pointer of a place; empty for the whole document."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in location)

"""Cursors: an opaque, signed position in one list of one organization, and the walk that uses them."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic_core import to_json
from pynamodb.expressions.condition import Condition

from chalicelib.core.contracts import CursorPage
from chalicelib.core.errors import ActionError, invalid_field
from chalicelib.dal import table
from chalicelib.dal.keys import IndexPartition

R = TypeVar("R")

_SIGNATURE_BYTES = 16

_MAX_PAGE_BYTES = 900_000
"""Size of the rows of a page, below the 1 MB of an answer."""

_QUERIES_A_PAGE = 8
"""A filter that matches little ends a page early instead of reading on without end; the cursor goes on from there."""
_WIDER = 4
"""Each further query of a page looks at so many times as many rows: a filter that matches a hundredth fills a page."""


@dataclass(frozen=True)
class Cursors:
    """Makes and reads the cursors of one list. `secret` is the organization's own; `scope` names list and filters."""

    secret: bytes
    scope: str

    def encode(self, position: str) -> str:
        return base64.urlsafe_b64encode(self._sign(position) + position.encode()).rstrip(b"=").decode()

    def decode(self, cursor: str) -> str:
        """Return the position. VALIDATION_ERROR for a cursor that was not made for this list with these filters."""
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            position = raw[_SIGNATURE_BYTES:].decode()
        except ValueError:
            raise _foreign() from None
        if not hmac.compare_digest(self._sign(position), raw[:_SIGNATURE_BYTES]):
            raise _foreign()
        return position

    def _sign(self, position: str) -> bytes:
        message = f"{self.scope}\0{position}".encode()
        return hmac.digest(self.secret, message, hashlib.sha256)[:_SIGNATURE_BYTES]


def _foreign() -> ActionError:
    return invalid_field("cursor", "is not a cursor of this list with these filters")


def walk(
    partition: str | IndexPartition,
    cursors: Cursors,
    page_type: type[CursorPage[R]],
    read: Callable[[list[dict[str, Any]]], list[R]],
    *,
    attributes: Sequence[str] = (),
    cursor: str | None,
    limit: int,
    forward: bool,
    between: tuple[str, str] | None = None,
    condition: Condition | None = None,
) -> CursorPage[R]:
    """The next `limit` rows of a partition. A page may be shorter than `limit` though `nextCursor` is set.

    `read` turns raw rows, with all or only some `attributes`, into records, one for one.
    """
    position = None if cursor is None else cursors.decode(cursor)
    sort_key = partition.sort_key if isinstance(partition, IndexPartition) else "sk"
    rows: list[dict[str, Any]] = []
    for number in range(_QUERIES_A_PAGE):
        # One row beyond the limit shows whether there is a next page, without an empty last one.
        raw = table.query(
            partition,
            after=position,
            between=between,
            forward=forward,
            limit=limit + 1 - len(rows) if condition is None else (limit + 1) * _WIDER**number,
            condition=condition,
            attributes=attributes,
        )
        rows += raw.items
        position = raw.last
        if position is None or len(rows) > limit:
            break
    items = read(rows[:limit])
    number = _fitting(items)
    if number < len(rows):
        items, position = items[:number], rows[number - 1][sort_key]["S"]
    return page_type(items=items, next_cursor=None if position is None else cursors.encode(position))


def _fitting(items: list[Any]) -> int:
    """Return the number of the first items that a page has room for, at least one of those that there are."""
    if len(to_json(items)) <= _MAX_PAGE_BYTES:
        return len(items)
    room = _MAX_PAGE_BYTES
    for number, item in enumerate(items):
        room -= len(to_json(item))
        if room < 0:
            return max(number, 1)
    return len(items)

"""Due indexes: items of all organizations by the instant when something is to be done with them.

An item is listed while something is due or will be; a schedule reads those that are due now, and nothing else.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from chalicelib.core import clock
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys, table
from chalicelib.dal.keys import IndexPartition

SHARDS = 8
"""Partitions of each index, so that the writes of all organizations do not heat one."""


class DueRow(NamedTuple):
    """`row` is the item's sort key: its name within the organization."""

    organization: OrganizationId
    row: str


class DuePage(NamedTuple):
    rows: list[DueRow]
    last: str | None
    """The place to go on behind; None at the end."""


class DueIndex(NamedTuple):
    name: str
    """Prefix of its partitions."""

    def shard_of(self, organization: OrganizationId, row: str) -> int:
        """Return the shard of a row: by row, so that one large organization does not heat one partition."""
        return zlib.crc32(f"{organization}#{row}".encode()) % SHARDS

    def partition_of(self, organization: OrganizationId, row: str) -> IndexPartition:
        return keys.due(self.name, self.shard_of(organization, row))

    def place(self, organization: OrganizationId, row: str, due_at: datetime) -> str:
        """Return the value of the item's `at`."""
        return f"{clock.to_text(due_at)}#{organization}#{row}"

    def rows(self, shard: int, until: datetime | None = None) -> Iterator[DueRow]:
        """Yield the rows that are due at `until`, all by default; a page of up to 1 MB, some 4,000 rows, a query."""
        after: str | None = None
        while True:
            page = self.page(shard, until, after=after)
            yield from page.rows
            after = page.last
            if after is None:
                return

    def page(
        self, shard: int, until: datetime | None, *, after: str | None = None, limit: int | None = None
    ) -> DuePage:
        """Return the next rows that are due at `until`, the longest overdue first."""
        before = "\uffff" if until is None else f"{clock.to_text(until)}#\uffff"
        page = table.query(keys.due(self.name, shard), between=(" ", before), after=after, limit=limit)
        rows = [DueRow(keys.organization_of(row["pk"]["S"]), row["sk"]["S"]) for row in page.items]
        return DuePage(rows, page.last)

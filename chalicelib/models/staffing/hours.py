"""The hours of all workers in some months, packed, in a few reads however many assignments they are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys, table
from chalicelib.models.staffing import packed_months

MAXIMUM_PAGES = 20
"""Of 1 MB: some 600,000 assignments."""

_MILLISECOND = timedelta(milliseconds=1)


class WorkerMonth(NamedTuple):
    worker: UUID
    start: int
    """When the month begins, in milliseconds since 1970."""
    end: int
    packed: bytes
    """See `models.staffing.packed_months`."""


class TooManyHours(Exception):
    """More than a request can read."""


def between(organization: OrganizationId, start: datetime, end: datetime) -> Iterator[WorkerMonth]:
    """What overlaps [start, end), whole months at a time. Raises `TooManyHours`.

    Eventually consistent, which halves the cost: a report says as of when it is.
    """
    if start >= end:  # a day that the zone skips
        return
    bounds = f"{packed_months.label_of(start)}#", f"{packed_months.label_of(end - _MILLISECOND)}#~"
    after: str | None = None
    for _ in range(MAXIMUM_PAGES):
        page = table.query(keys.roster(organization), between=bounds, after=after, consistent=False)
        for row in page.items:
            month, _, worker = row["sk"]["S"].partition("#")
            yield WorkerMonth(UUID(worker), *packed_months.bounds(month), row["spans"]["B"])
        after = page.last
        if after is None:
            return
    raise TooManyHours

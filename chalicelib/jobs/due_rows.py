"""Pages of rows that are due now, for schedules that go through a due index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chalicelib.core import clock
from chalicelib.dal.due_index import SHARDS, DueIndex, DueRow
from chalicelib.jobs.deadline import Deadline


def pages(index: DueIndex, deadline: Deadline, *, size: int, maximum: int) -> Iterator[Sequence[DueRow]]:
    """Yield pages of due rows, shard by shard, until there are none, enough, or no time is left."""
    now, count = clock.now(), 0
    for shard in range(SHARDS):
        after: str | None = None
        while count < maximum and not deadline.is_over():
            page = index.page(shard, now, after=after, limit=size)
            count += len(page.rows)
            if page.rows:
                yield page.rows
            after = page.last
            if after is None:
                break

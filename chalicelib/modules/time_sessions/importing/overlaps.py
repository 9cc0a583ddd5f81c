"""Overlaps of imported rows: with each other, and with the time that there is."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from uuid import UUID

from chalicelib.core.ids import OrganizationId
from chalicelib.dal import intervals, keys
from chalicelib.dal.intervals import IntervalQuery, LengthClass
from chalicelib.models.time.sessions import TIME_SESSIONS, TimeSession, WriteContext
from chalicelib.models.time.spans import LONGEST, Seconds

MAX_SHOWN = 3
"""Sessions, and rows, in one warning: the answer to 1,000 rows is stored in one item."""
_READ = 100
"""Sessions that a batch of rows looks at for the ids in its warnings."""
_LONGEST = round(LONGEST.total_seconds())


class SpanIndex:
    """Extents of sessions, by start; `label` is the number of a row, or 0."""

    def __init__(self, extents: Iterable[tuple[int, int, int]] = ()) -> None:
        self._extents = sorted(extents)

    @classmethod
    def of(cls, context: WriteContext) -> SpanIndex:
        """Return the index of the sessions that a write has read."""
        months = context.months.values()
        return cls(
            (spans[0][0], spans[-1][1], 0) for month in months for sessions in month.values() for spans in sessions
        )

    def add(self, spans: Seconds, label: int) -> None:
        insort(self._extents, (spans[0][0], spans[-1][1], label))

    def overlapping(self, spans: Seconds) -> list[int]:
        """Return the labels of those that overlap the extent of spans. A session lasts a day at most."""
        low, high = spans[0][0], spans[-1][1]
        first, last = (bisect_left(self._extents, (at,)) for at in (low - _LONGEST, high))
        return [label for _, end, label in self._extents[first:last] if end > low]


def overlapping_sessions(
    organization: OrganizationId, user: UUID, sessions: Iterable[TimeSession], imported: set[UUID]
) -> dict[UUID, list[UUID]]:
    """Return the ids of the user's other sessions that overlap these, some for each, in one look at the index."""
    new = list(sessions)
    if not new:
        return {}
    query = IntervalQuery(
        classes=(LengthClass.DAY,),
        ends_after=min(session.start_at for session in new),
        starts_before=max(session.end_at for session in new),
    )
    partition = keys.timeline(organization, TIME_SESSIONS.kind, "USER", user)
    ids = intervals.read(partition, query, after=None, limit=_READ, forward=True, queries=None).ids
    records = TIME_SESSIONS.get_many(organization, [id_ for id_ in ids if id_ not in imported])
    live = [record for record in records.values() if record.deleted_at is None]
    live.sort(key=lambda record: (record.start_at, record.id))
    return {
        session.id: [
            record.id for record in live if record.start_at < session.end_at and session.start_at < record.end_at
        ]
        for session in new
    }

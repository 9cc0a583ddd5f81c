"""Tracked time of users over a range: from packed months and running timers, in as few reads as there are pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from chalicelib.core.errors import invalid_state
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import table
from chalicelib.models.staffing.attributes import SPANS
from chalicelib.models.time import keys as time_keys
from chalicelib.models.time import packed_months, timers
from chalicelib.models.time.packed_months import Group, GroupSpans
from chalicelib.models.time.spans import Seconds, worked

MAX_PAGES = 20
"""Pages of 1 MB that an analysis over all users may read: some 2,000,000 sessions."""


KnownTimer = tuple[()] | tuple[timers.Timer | None]
"""The user's timer, if the request has read it: it is not read again."""


class Tracked(NamedTuple):
    """The spans of one session, or of a running timer up to now."""

    user: UUID
    group: Group
    spans: Seconds


class TrackedGroup(NamedTuple):
    """The spans of a user's sessions of one month that have their group in common."""

    user: UUID
    spans: GroupSpans

    @property
    def group(self) -> Group:
        return self.spans.group

    @property
    def together(self) -> Seconds:
        """The spans of all sessions."""
        return [*zip(self.spans.starts, self.spans.ends, strict=True)]

    def sessions(self) -> Iterator[Tracked]:
        for spans in self.spans.sessions():
            yield Tracked(self.user, self.spans.group, spans)


def of_user(
    organization: OrganizationId, user: UUID, start: int, end: int, now: datetime, *, timer: KnownTimer = ()
) -> Iterator[TrackedGroup]:
    """Yield the user's time that can overlap [start, end), in seconds since 1970. One read, strongly consistent."""
    yield from of_months(organization, user, labels_of(start, end), now, timer=timer)


def of_months(
    organization: OrganizationId, user: UUID, labels: Iterable[str], now: datetime, *, timer: KnownTimer = ()
) -> Iterator[TrackedGroup]:
    """Yield the user's sessions of some months, and their running timer."""
    months = {packed_months.key(organization, label, user): label for label in labels}
    timer_key = timers.key(organization, user)
    items = table.batch_get([*months, *([] if timer else [timer_key])])
    for key, label in months.items():
        if key in items:
            yield from _groups(user, label, items[key].value(SPANS) or b"")
    yield from _running(timer[0] if timer else timers.of(items.get(timer_key)), now)


def labels_of(start: int, end: int) -> list[str]:
    """Return the months whose sessions can overlap [start, end), in seconds since 1970."""
    return packed_months.labels_of(_instant(start), _instant(end))


def of_packed(
    user: UUID, months: Mapping[str, bytes], timer: timers.Timer | None, now: datetime
) -> Iterator[TrackedGroup]:
    """Yield the sessions of months that were read, and the running timer."""
    for label, packed in months.items():
        yield from _groups(user, label, packed)
    yield from _running(timer, now)


class PackedMonth(NamedTuple):
    label: str
    user: UUID
    version: int
    """The account's version of the month's last change."""
    packed: bytes


def months_of_all(
    organization: OrganizationId, first: str, last: str, *, consistent: bool = False
) -> Iterator[TrackedGroup]:
    """Yield the sessions of all users from one month to another. VALIDATION_ERROR for more than can be read."""
    for month in packed_of_all(organization, first, last, consistent=consistent):
        yield from _groups(month.user, month.label, month.packed)


def packed_of_all(
    organization: OrganizationId, first: str, last: str, *, consistent: bool = False
) -> Iterator[PackedMonth]:
    """Yield the packed months of all users. VALIDATION_ERROR for more than can be read."""
    after: str | None = None
    for _ in range(MAX_PAGES):
        page = table.query(
            time_keys.time_months(organization),
            between=(f"{first}#", f"{last}#~"),
            after=after,
            consistent=consistent,
        )
        for row in page.items:
            label, _, user = row["sk"]["S"].partition("#")
            yield PackedMonth(label, UUID(user), int(row["version"]["N"]), row["spans"]["B"])
        after = page.last
        if after is None:
            break
    else:
        raise invalid_state("there is more time in this range than one analysis can read: choose fewer days or a user")


def sessions_of(groups: Iterable[TrackedGroup]) -> Iterator[Tracked]:
    """Yield the sessions one by one."""
    for group in groups:
        yield from group.sessions()


def _groups(user: UUID, label: str, packed: bytes) -> Iterator[TrackedGroup]:
    for spans in packed_months.groups(label, packed):
        yield TrackedGroup(user, spans)


def _running(timer: timers.Timer | None, now: datetime) -> Iterator[TrackedGroup]:
    if timer is None:
        return
    end = now if timer.paused_at is None else min(now, timer.paused_at)
    if end > timer.start_at:
        group = Group(timer.project_id, timer.task_id, timer.billable, timer.tags)
        spans: Sequence[tuple[int, int]] = worked(timer.start_at, end, timer.pauses)
        if spans:
            starts, ends = zip(*spans, strict=True)
            yield TrackedGroup(timer.user_id, GroupSpans(group, starts, ends, frozenset(range(len(spans) - 1))))


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)

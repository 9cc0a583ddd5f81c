"""Search for assignments: by the entities they refer to, by status, and by the time that they overlap."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic.alias_generators import to_camel

from chalicelib.core import clock
from chalicelib.core.field_types import STORED
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import intervals, keys
from chalicelib.dal.expressions import Condition
from chalicelib.dal.intervals import RUNNING, IntervalQuery, LengthClass, Slice
from chalicelib.dal.item import Item
from chalicelib.dal.keys import IndexPartition
from chalicelib.dal.page_lists import EXACT_LIST_ROWS, TooManyRows
from chalicelib.dal.table import all_of
from chalicelib.models.staffing.assignments import (
    ASSIGNMENTS,
    SCOPES,
    Assignment,
    AssignmentStatus,
    of_index,
    status_of,
)

Row = dict[str, Any]
"""An assignment as the API shows it."""

CURSOR_LIST = "getAssignments with `limit` and `cursor`"
"""The list to use where page lists end."""


@dataclass(frozen=True)
class AssignmentFilter:
    """Criteria that must all match; `since` and `until` match an overlap with that time."""

    worker_id: UUID | None = None
    position_id: UUID | None = None
    work_location_id: UUID | None = None
    client_id: UUID | None = None
    status: AssignmentStatus | None = None
    since: datetime | None = None
    until: datetime | None = None
    named: AbstractSet[UUID] | None = None
    """Workers, positions, work locations and clients, of which an assignment refers to at least one."""

    @property
    def is_lasting(self) -> bool:
        """Return True if only a delete takes a match away: no passing of time, no change of the assignment."""
        # The position may change, and with it the work location and the client; the worker never does.
        changing = (self.position_id, self.work_location_id, self.client_id, self.status, self.since, self.until)
        return self.named is None and all(value is None for value in changing)

    def matches(self, row: Mapping[str, Any], now: datetime) -> bool:
        """`row`: an assignment as the API shows it. Its instants are texts that sort as they do."""
        named = {field: row[to_camel(field)] for field in SCOPES}
        end, is_cancelled = row["endAt"], row["cancelledAt"] is not None
        status = status_of(row["startAt"], end, clock.to_text(now), is_cancelled=is_cancelled)
        return (
            all(getattr(self, field) in {None, UUID(identifier)} for field, identifier in named.items())
            and self.status in {None, status}
            and (self.until is None or row["startAt"] < clock.to_text(self.until))
            and (self.since is None or end is None or end > clock.to_text(self.since))
            and (self.named is None or any(UUID(identifier) in self.named for identifier in named.values()))
        )


def find(
    organization: OrganizationId,
    criteria: AssignmentFilter,
    now: datetime,
    *,
    after: str | None = None,
    limit: int,
    forward: bool,
    exhaustive: bool = False,
    held: range | None = None,
) -> Slice:
    """The next ones by start, on the narrowest timeline. `exhaustive`: however many reads it takes."""
    partition, others = _narrowest(organization, criteria)
    spans = _interval_query(criteria, now, _matching(others))
    if (identifiers := criteria.named) is not None:
        texts = {str(identifier) for identifier in identifiers}
        spans = replace(spans, accepts=lambda facets: any(facets[field] in texts for field in SCOPES))
    return intervals.read(
        partition,
        spans,
        after=after,
        limit=limit,
        forward=forward,
        queries=None if exhaustive else intervals.QUERIES_A_PAGE,
        held=held,
    )


def find_page(
    organization: OrganizationId, criteria: AssignmentFilter, now: datetime, *, forward: bool, page: range
) -> tuple[Slice, int]:
    """Return those of a page, by their numbers, and the number of all. VALIDATION_ERROR for more than lists count."""
    matching = find(organization, criteria, now, limit=EXACT_LIST_ROWS, forward=forward, exhaustive=True, held=page)
    if matching.last is not None:
        raise TooManyRows(CURSOR_LIST)
    return Slice(matching.positions[page.start : page.stop], None, matching.rows), len(matching.positions)


def shown(organization: OrganizationId, following: Slice, criteria: AssignmentFilter, now: datetime) -> list[Row]:
    """Return the assignments of a slice as the API shows them: those that the index holds need no further read."""
    rows = [of_index(row) for row in following.rows]
    if None not in rows:
        return [row for row in rows if row is not None]
    ids = following.ids
    missing = [id_ for id_, row in zip(ids, rows, strict=True) if row is None]
    rest = {row["id"]: row for row in read(organization, missing, criteria, now)}
    complete = (row or rest.get(str(id_)) for id_, row in zip(ids, rows, strict=True))
    return [row for row in complete if row is not None]


def read(
    organization: OrganizationId, identifiers: Sequence[UUID], criteria: AssignmentFilter, now: datetime
) -> list[Row]:
    """Return assignments as the API shows them, in the given order.

    An index trails the table, so matches are checked again.
    """
    items = ASSIGNMENTS.rows_shown(organization, identifiers, attributes=("data", "version"))
    rows = [
        Assignment.json_of(item["data"]["M"], item["sk"]["S"], int(item["version"]["N"]))
        for identifier in identifiers
        if (item := items.get(identifier)) is not None
    ]
    return [row for row in rows if criteria.matches(row, now)]


def in_the_way(
    organization: OrganizationId,
    criteria: AssignmentFilter,
    now: datetime,
    *,
    classes: Iterable[LengthClass] = RUNNING,
    maximum: int,
) -> list[Assignment]:
    """Return matches that are not cancelled, by start. `classes`: length classes that can hold them."""
    partition, others = _narrowest(organization, criteria)
    spans = replace(
        _interval_query(criteria, now, _matching(others)),
        classes=[length_class for length_class in RUNNING if length_class in {*classes}],
    )
    matching = intervals.read(partition, spans, after=None, limit=maximum, forward=True, queries=None)
    rows = shown(organization, matching, criteria, now)
    return [Assignment.model_validate(row, context=STORED) for row in rows if row["cancelledAt"] is None]


def of_status(
    organization: OrganizationId, criteria: AssignmentFilter, now: datetime, *, maximum: int
) -> list[Assignment]:
    """Return matches by start, of any status."""
    following = find(organization, criteria, now, limit=maximum, forward=True, exhaustive=True)
    return [Assignment.model_validate(row, context=STORED) for row in shown(organization, following, criteria, now)]


def latest(organization: OrganizationId, now: datetime, number: int) -> list[Row]:
    """Return the assignments that start last, latest first."""
    everything = AssignmentFilter()
    following = find(organization, everything, now, limit=number, forward=False, exhaustive=True)
    return shown(organization, following, everything, now)


def _matching(others: Iterable[tuple[str, UUID]]) -> Condition | None:
    return all_of(Item.facets[field] == str(value) for field, value in others)


def _narrowest(
    organization: OrganizationId, criteria: AssignmentFilter
) -> tuple[IndexPartition, list[tuple[str, UUID]]]:
    """The timeline that holds the fewest others, and the fields that are left to filter."""
    named = [(field, value) for field in SCOPES if (value := getattr(criteria, field)) is not None]
    if not named:
        return keys.timeline(organization, ASSIGNMENTS.kind), []
    field, value = named[0]
    return keys.timeline(organization, ASSIGNMENTS.kind, SCOPES[field], value), named[1:]


def _interval_query(criteria: AssignmentFilter, now: datetime, condition: Condition | None) -> IntervalQuery:
    """Return the query of a status: its length classes, starts and ends."""
    classes: Sequence[LengthClass] = (*RUNNING, LengthClass.CANCELLED)
    starts_after, starts_until, ends_after, ends_until = None, None, criteria.since, None
    match criteria.status:
        case AssignmentStatus.SCHEDULED:
            classes, starts_after = RUNNING, now
        case AssignmentStatus.ACTIVE:
            classes, starts_until = RUNNING, now
            ends_after = now if criteria.since is None else max(now, criteria.since)
        case AssignmentStatus.COMPLETED:
            classes, starts_until, ends_until = RUNNING, now, now
        case AssignmentStatus.CANCELLED:
            classes = (LengthClass.CANCELLED,)
    return IntervalQuery(classes, starts_after, starts_until, criteria.until, ends_after, ends_until, condition)

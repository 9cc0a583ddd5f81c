"""An assignment with the entities it refers to, its hours and their amounts.

Rows of lists are made as JSON, from what is stored: a hundred of them name four hundred entities. One assignment, and
the few of an answer that shows more, are the same rows, validated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import cached_property
from typing import Any

from chalicelib.action.context import Context
from chalicelib.core import hours
from chalicelib.core.clock import milliseconds, to_text
from chalicelib.core.field_types import STORED
from chalicelib.core.money import Money, Priced
from chalicelib.core.pricing import RateTimeline, amount_of
from chalicelib.dal import keys, table
from chalicelib.dal.collection import Collection
from chalicelib.dal.keys import Key
from chalicelib.dal.records import Record
from chalicelib.models.organizations import StoredOrganization
from chalicelib.models.staffing.assignment_search import Row
from chalicelib.models.staffing.assignments import Assignment, WriteContext, status_of
from chalicelib.models.staffing.clients import CLIENTS
from chalicelib.models.staffing.positions import POSITIONS
from chalicelib.models.staffing.work_locations import WORK_LOCATIONS
from chalicelib.models.staffing.workers import WORKERS
from chalicelib.models.users import USERS
from chalicelib.modules.assignments.contracts import AssignmentDetails

_PERSON = ("firstName", "lastName")
_NAMED: Mapping[str, tuple[Collection[Any], Sequence[str]]] = {
    "workerId": (WORKERS, (*_PERSON, "phone")),
    "positionId": (POSITIONS, ("name",)),
    "workLocationId": (WORK_LOCATIONS, ("name",)),
    "clientId": (CLIENTS, ("name",)),
    "createdById": (USERS, _PERSON),
    "endedById": (USERS, _PERSON),
    "cancelledById": (USERS, _PERSON),
}
"""Fields that name an entity, with the fields of it that are shown."""
_READ = (*(f"data.{name}" for name in dict.fromkeys(name for _, names in _NAMED.values() for name in names)), "rates")


def detail(ctx: Context, assignment: Assignment, context: WriteContext | None = None) -> AssignmentDetails:
    """Return an assignment with details. `context`: the data that its write has read, which is not read again."""
    return details(ctx, [assignment], [] if context is None else [context.worker, *context.positions.values()])[0]


def details(ctx: Context, assignments: Iterable[Assignment], known: Iterable[Record] = ()) -> list[AssignmentDetails]:
    rows = detailed(ctx, [assignment.model_dump(mode="json") for assignment in assignments], known)
    return [AssignmentDetails.model_validate(row, context=STORED) for row in rows]


def detailed(ctx: Context, rows: Sequence[Row], known: Iterable[Record] = ()) -> list[Row]:
    """Add the details to assignments as JSON: one read for all that they name, deleted things too.

    `known`: entities that the request has read before, which are not read again.
    """
    if not rows:
        return []
    named = _read(ctx, rows, [ctx.user, *known])
    shown: list[Row] = []
    now, present, sees_money = to_text(ctx.now), milliseconds(ctx.now), ctx.principal.sees_money
    for row in rows:
        is_cancelled = row["cancelledAt"] is not None
        start, now_or_end, end = _times(row, present, is_cancelled=is_cancelled)
        worker, position = named[row["workerId"]], named[row["positionId"]]
        client = named[row["clientId"]].shown
        details: Row = {
            "status": status_of(row["startAt"], row["endAt"], now, is_cancelled=is_cancelled).value,
            "totalHours": hours.hours(hours.seconds(now_or_end - start)),
            "scheduledHours": hours.hours(hours.seconds(end - now_or_end)),
            "worker": worker.shown,
            "position": {
                **position.shown,
                "workLocation": {**named[row["workLocationId"]].shown, "client": client},
            },
            "createdBy": named[row["createdById"]].shown,
            "endedBy": None if row["endedById"] is None else named[row["endedById"]].shown,
            "cancelledBy": None if row["cancelledById"] is None else named[row["cancelledById"]].shown,
        }
        if sees_money and start != now_or_end:
            details |= _amounts(ctx, worker, position, start, now_or_end)
        shown.append(row | details)
    return shown


class _Named:
    """An entity that assignments name: the fields that are shown, and its rates."""

    def __init__(self, organization: StoredOrganization, shown: Mapping[str, Any], rates: Mapping[str, Any]) -> None:
        """`rates`: as stored, by day."""
        self.shown = shown
        self._organization = organization
        self._rates = rates

    @cached_property
    def prices(self) -> RateTimeline:
        rates = {date.fromisoformat(day): Money.model_construct(**rate) for day, rate in self._rates.items()}
        return RateTimeline(rates, zone=self._organization.timezone, currency=self._organization.currency)


def _read(ctx: Context, rows: Sequence[Row], known: Iterable[Record]) -> dict[str, _Named]:
    """Return what the rows name, by id."""
    organization = ctx.principal.organization
    known_by_id = {str(record.id): record for record in known}
    requested: dict[str, Key] = {}
    fields: dict[str, Sequence[str]] = {}
    for name, (collection, shown_fields) in _NAMED.items():
        partition = keys.partition(ctx.organization, collection.kind)
        for identifier in {row[name] for row in rows} - {None}:
            requested[identifier] = Key(partition, identifier)
            fields[identifier] = shown_fields
    named: dict[str, _Named] = {}
    for identifier in known_by_id.keys() & requested.keys():
        del requested[identifier]
        stored = known_by_id[identifier].model_dump(mode="json")
        shown = {"id": identifier, **{name: stored[name] for name in fields[identifier]}}
        named[identifier] = _Named(organization, shown, stored.get("rates", {}))
    for key, item in table.raw_batch_shown(requested.values(), _READ).items():
        data = item["data"]["M"]
        shown = {"id": key.sk, **{name: data[name]["S"] for name in fields[key.sk]}}
        named[key.sk] = _Named(organization, shown, table.plain(item, "rates"))
    return named


def _times(row: Row, present: int, *, is_cancelled: bool) -> tuple[int, int, int]:
    """Return the start, the end of the time worked, and the end, in milliseconds since 1970.

    Nothing of a cancelled one is worked or ahead; one without an end has nothing ahead.
    """
    start = milliseconds(datetime.fromisoformat(row["startAt"]))
    if is_cancelled:
        return start, start, start
    end = max(start, present if row["endAt"] is None else milliseconds(datetime.fromisoformat(row["endAt"])))
    return start, max(start, min(present, end)), end


def _amounts(ctx: Context, worker: _Named, position: _Named, start: int, end: int) -> dict[str, Any]:
    billed, paid = (
        None if price is None else amount_of(price)
        for price in (entity.prices.price(start, end) for entity in (position, worker))
    )
    amounts = Priced.amounts(billed, paid, ctx.principal.organization.currency)
    return {name: amount.model_dump(mode="json") for name, amount in amounts.items()}

"""An assignment with the entities it refers to, its hours and their amounts.

Rows of lists are made as JSON, from what is stored: a hundred of them name four hundred entities. One assignment, and
the few of an answer that shows more, are the same rows, validated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
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
    shown_of = named.shown
    now, present, sees_money = to_text(ctx.now), milliseconds(ctx.now), ctx.principal.sees_money
    for row in rows:
        is_cancelled = row["cancelledAt"] is not None
        start, now_or_end, end = _times(row, present, is_cancelled=is_cancelled)
        location = {**shown_of[row["workLocationId"]], "client": shown_of[row["clientId"]]}
        details: Row = {
            "status": status_of(row["startAt"], row["endAt"], now, is_cancelled=is_cancelled).value,
            "totalHours": hours.hours(hours.seconds(now_or_end - start)),
            "scheduledHours": hours.hours(hours.seconds(end - now_or_end)),
            "worker": shown_of[row["workerId"]],
            "position": {**shown_of[row["positionId"]], "workLocation": location},
            "createdBy": shown_of[row["createdById"]],
            "endedBy": None if row["endedById"] is None else shown_of[row["endedById"]],
            "cancelledBy": None if row["cancelledById"] is None else shown_of[row["cancelledById"]],
        }
        if sees_money and start != now_or_end:
            details |= _amounts(ctx, named, row, start, now_or_end)
        shown.append(row | details)
    return shown


class _Named:
    """The entities that assignments name, by id: the fields that are shown, and their rates."""

    def __init__(self, organization: StoredOrganization) -> None:
        self._organization = organization
        self._prices: dict[str, RateTimeline] = {}
        self.shown: dict[str, dict[str, Any]] = {}
        self.rates: dict[str, Mapping[str, Any]] = {}
        """As stored, by day."""

    def prices(self, identifier: str) -> RateTimeline:
        if identifier not in self._prices:
            stored, organization = self.rates.get(identifier, {}), self._organization
            rates = {date.fromisoformat(day): Money.model_construct(**rate) for day, rate in stored.items()}
            self._prices[identifier] = RateTimeline(rates, zone=organization.timezone, currency=organization.currency)
        return self._prices[identifier]


def _read(ctx: Context, rows: Sequence[Row], known: Iterable[Record]) -> _Named:
    """Return what the rows name."""
    known_by_id = {str(record.id): record for record in known}
    requested: dict[str, Key] = {}
    fields: dict[str, Sequence[str]] = {}
    for name, (collection, shown_fields) in _NAMED.items():
        partition = keys.partition(ctx.organization, collection.kind)
        for identifier in {row[name] for row in rows} - {None}:
            requested[identifier] = Key(partition, identifier)
            fields[identifier] = shown_fields
    named = _Named(ctx.principal.organization)
    for identifier in known_by_id.keys() & requested.keys():
        del requested[identifier]
        stored = known_by_id[identifier].model_dump(mode="json")
        named.shown[identifier] = {"id": identifier, **{name: stored[name] for name in fields[identifier]}}
        named.rates[identifier] = stored.get("rates", {})
    for (_, identifier), item in table.raw_batch_shown(requested.values(), _READ).items():
        data = item["data"]["M"]
        named.shown[identifier] = {"id": identifier, **{name: data[name]["S"] for name in fields[identifier]}}
        if "rates" in item and item["rates"]["M"]:
            named.rates[identifier] = table.plain(item, "rates")
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


def _amounts(ctx: Context, named: _Named, row: Row, start: int, end: int) -> dict[str, Any]:
    billed, paid = (
        None if price is None else amount_of(price)
        for price in (named.prices(row[name]).price(start, end) for name in ("positionId", "workerId"))
    )
    amounts = Priced.amounts(billed, paid, ctx.principal.organization.currency)
    return {name: amount.model_dump(mode="json") for name, amount in amounts.items()}

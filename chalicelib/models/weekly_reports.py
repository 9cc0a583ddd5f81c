"""Weekly reports: for each user who wants one, the Monday of the next, in an index of what is due.

The row exists while the user is active and wants the report, and is written in the transactions that change that. It
knows no time zone: the schedule that reads it does, so a change of zone only makes it due, to be looked at.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from uuid import UUID

from chalicelib.core import clock
from chalicelib.core.contracts import Contract
from chalicelib.core.days import Day, day_of, instant_at
from chalicelib.core.field_types import Instant
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys, table
from chalicelib.dal.due_index import DueIndex
from chalicelib.dal.expressions import Action, Condition
from chalicelib.dal.item import Item
from chalicelib.dal.keys import Key
from chalicelib.dal.table import all_of
from chalicelib.dal.unit_of_work import UnitOfWork, stale

DUE = DueIndex("REPORTDUE")
HOUR = time(7)
"""The local time of the report: with the first hour of a working day."""
EARLIEST_ZONE = "Etc/GMT-14"
"""The zone in which every day begins first, 14 hours ahead of UTC."""


class WeeklyReport(Contract):
    user: UUID
    since: Instant
    """When the user last began to want it: the first report is that of the first Monday morning after."""
    monday: Day | None = None
    """The day of the next report; None until the schedule has looked at the row."""
    at: str
    """The place in the index."""

    @property
    def unchanged(self) -> Condition | None:
        return all_of([Item.at == self.at, Item.data["since"] == clock.to_text(self.since)])


def key(organization: OrganizationId, user: UUID) -> Key:
    return keys.weekly_report(organization, user)


def of(item: Item | None) -> WeeklyReport | None:
    if item is None:
        return None
    return WeeklyReport.model_validate({**(item.data or {}), "user": item.sk, "at": item.at}, extra="ignore")


# -- with the user ---------------------------------------------------------------------------------------------------


def follow(unit: UnitOfWork, user: UUID, before: str | None, after: str | None) -> None:
    """Write the row after a change of its user: the zone in which the report is wanted, None where it is not."""
    if before == after:
        return
    now, row = clock.now(), key(unit.organization, user)
    if after is None:
        unit.delete(row, None, stale)
    elif before is None:
        item = Item(*row, data={"since": clock.to_text(now)}, derived=1)
        item.enter(DUE.partition_of(unit.organization, row.sk))
        item.at = DUE.place(unit.organization, row.sk, now)
        unit.put(item, None, stale)
    else:
        unit.update(row, [Item.at.set(DUE.place(unit.organization, row.sk, now))], Item.pk.exists(), stale)


# -- with the schedule -----------------------------------------------------------------------------------------------


def first_monday(zone: str, after: datetime) -> date:
    """Return the first Monday whose morning, at HOUR, is after an instant."""
    today = day_of(after, zone)
    monday = today - timedelta(days=today.weekday())
    return monday if morning_of(monday, zone) > after else monday + timedelta(days=7)


def morning_of(monday: date, zone: str) -> datetime:
    return instant_at(datetime.combine(monday, HOUR), zone)


def waiting(organization: OrganizationId, report: WeeklyReport, monday: date, until: datetime) -> list[Action]:
    """Return the actions that make the report due at an instant, for a Monday."""
    return [
        table.assign("monday", monday.isoformat()),
        Item.at.set(DUE.place(organization, str(report.user), until)),
    ]


def wait(organization: OrganizationId, report: WeeklyReport, monday: date, until: datetime) -> None:
    """Make an unchanged report due later."""
    table.update(key(organization, report.user), waiting(organization, report, monday, until), report.unchanged)


def unlist(organization: OrganizationId, report: WeeklyReport) -> None:
    """Take an unchanged report that nobody wants any more out of the index; to be wanted again puts it back."""
    shard = DUE.partition_of(organization, str(report.user))
    table.update(key(organization, report.user), [table.entry(shard).remove()], report.unchanged)

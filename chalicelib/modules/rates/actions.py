"""Hourly rates: bill rates of positions and pay rates of workers, each from a day on."""

from __future__ import annotations

from uuid import UUID

from chalicelib.action.context import Context
from chalicelib.action.registry import action
from chalicelib.auth.permissions import Permission
from chalicelib.core.days import Day
from chalicelib.core.money import HourlyRate
from chalicelib.dal.collection import Collection
from chalicelib.models.audit import AuditEvent
from chalicelib.models.staffing.positions import POSITIONS
from chalicelib.models.staffing.rates import Rate, Rated, delete_rate, in_order, set_rate
from chalicelib.models.staffing.workers import WORKERS
from chalicelib.modules.rates.contracts import Rates, require_currency


@action("getPositionRates", "GET /positions/{id}/rates", permission=Permission.RATES_MANAGE, entity=POSITIONS)
def get_position_rates(ctx: Context, id_: UUID) -> Rates:
    """The bill rates of a position, by the day from which they hold, earliest first."""
    return Rates(rates=in_order(POSITIONS.get(ctx.organization, id_).rates))


@action(
    "setPositionRate",
    "PUT /positions/{id}/rates/{effectiveFrom}",
    permission=Permission.RATES_MANAGE,
    entity=POSITIONS,
    audit=AuditEvent.POSITION_RATE_SET,
)
def set_position_rate(ctx: Context, id_: UUID, effective_from: Day, data: HourlyRate) -> Rate:
    """Sets the bill rate of a position from a day on; earlier hours keep the rate of their day."""
    return _set(ctx, POSITIONS, id_, effective_from, data)


@action(
    "deletePositionRate",
    "DELETE /positions/{id}/rates/{effectiveFrom}",
    permission=Permission.RATES_MANAGE,
    entity=POSITIONS,
    audit=AuditEvent.POSITION_RATE_DELETED,
)
def delete_position_rate(ctx: Context, id_: UUID, effective_from: Day) -> Rate:
    """Deletes the rate that takes effect on a day; the one before it holds on."""
    return delete_rate(ctx.unit, POSITIONS, POSITIONS.get(ctx.organization, id_), effective_from)


@action("getWorkerRates", "GET /workers/{id}/rates", permission=Permission.RATES_MANAGE, entity=WORKERS)
def get_worker_rates(ctx: Context, id_: UUID) -> Rates:
    """The pay rates of a worker, by the day from which they hold, earliest first."""
    return Rates(rates=in_order(WORKERS.get(ctx.organization, id_).rates))


@action(
    "setWorkerRate",
    "PUT /workers/{id}/rates/{effectiveFrom}",
    permission=Permission.RATES_MANAGE,
    entity=WORKERS,
    audit=AuditEvent.WORKER_RATE_SET,
)
def set_worker_rate(ctx: Context, id_: UUID, effective_from: Day, data: HourlyRate) -> Rate:
    """Sets the pay rate of a worker from a day on; earlier hours keep the rate of their day."""
    return _set(ctx, WORKERS, id_, effective_from, data)


@action(
    "deleteWorkerRate",
    "DELETE /workers/{id}/rates/{effectiveFrom}",
    permission=Permission.RATES_MANAGE,
    entity=WORKERS,
    audit=AuditEvent.WORKER_RATE_DELETED,
)
def delete_worker_rate(ctx: Context, id_: UUID, effective_from: Day) -> Rate:
    """Deletes the rate that takes effect on a day; the one before it holds on."""
    return delete_rate(ctx.unit, WORKERS, WORKERS.get(ctx.organization, id_), effective_from)


def _set(ctx: Context, collection: Collection[Rated], identifier: UUID, day: Day, rate: HourlyRate) -> Rate:
    require_currency(ctx, rate)
    return set_rate(ctx.unit, collection, collection.get(ctx.organization, identifier), day, rate)

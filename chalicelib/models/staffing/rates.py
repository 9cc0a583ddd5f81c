"""Hourly rates by the day they take effect: bill rates of a position, pay rates of a worker.

`models.time.rates` stores the rates of tracked time with the same parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, TypeVar

from chalicelib.core.days import Day
from chalicelib.core.errors import invalid_state, not_found
from chalicelib.core.money import Money
from chalicelib.dal import table
from chalicelib.dal.collection import Collection
from chalicelib.dal.expressions import Action
from chalicelib.dal.unit_of_work import UnitOfWork
from chalicelib.models.organizations import count_rate
from chalicelib.models.staffing.attributes import RATES
from chalicelib.models.staffing.positions import StoredPosition
from chalicelib.models.staffing.workers import StoredWorker

Rated = TypeVar("Rated", StoredPosition, StoredWorker)

MAX_RATES = 366
"""Rates of one entity: a year of daily changes, a small part of the 400 KB that an item may have."""


class Rate(Money):
    """The price of an hour from the beginning of a day on, until the next rate takes effect."""

    effective_from: Day


def in_order(rates: Mapping[date, Money]) -> list[Rate]:
    """Return rates by their days, earliest first."""
    return [rate_from(day, rates[day]) for day in sorted(rates)]


def set_rate(unit: UnitOfWork, collection: Collection[Rated], entity: Rated, day: date, money: Money) -> Rate:
    """Set the rate of a day, in the place of the one it has. VALIDATION_ERROR for one rate too many."""
    require_room(collection.entity, entity.rates, day)
    _move(unit, collection, entity, day, Money(amount=money.amount, currency=money.currency))
    return rate_from(day, money)


def delete_rate(unit: UnitOfWork, collection: Collection[Rated], entity: Rated, day: date) -> Rate:
    """The rate that was; NOT_FOUND for a day on which none takes effect."""
    money = require_rate(entity.rates, day)
    _move(unit, collection, entity, day, None)
    return rate_from(day, money)


def require_room(entity: str, rates: Mapping[date, Money], day: date) -> None:
    if day not in rates and len(rates) >= MAX_RATES:
        raise invalid_state(f"a {entity} has at most {MAX_RATES} rates: delete one that is not needed")


def require_rate(rates: Mapping[date, Money], day: date) -> Money:
    """Return the rate of a day. NOT_FOUND for a day on which none takes effect."""
    if day not in rates:
        raise not_found("rate")
    return rates[day]


def rate_from(day: date, money: Money) -> Rate:
    return Rate(effective_from=day, amount=money.amount, currency=money.currency)


def _move(unit: UnitOfWork, collection: Collection[Rated], entity: Rated, day: date, money: Money | None) -> None:
    """Write the day's own path, and move the entity's version: a rate set meanwhile makes this run again."""
    before = entity.rates.get(day)
    unit.require_version(entity.version, entity.updated_at)
    unit.audit_target(
        collection.entity, entity.id, audited(day, before), audited(day, money), name=collection.name_of(entity)
    )
    collection.update(unit, entity, {}, actions=[assignment_of(day, money)])
    count_rate(unit, before, money)


def assignment_of(day: date, money: Money | None) -> Action:
    """Return the update of a day's own path; None removes its rate."""
    path = RATES[day.isoformat()]
    return path.remove() if money is None else path.set(table.encoded(money.model_dump(mode="json")))


def audited(day: date, money: Money | None, prefix: str = "") -> dict[str, Any]:
    """Return the fields for the audit log; nothing where there is no rate."""
    return {} if money is None else {f"{prefix}rates.{day.isoformat()}": money.model_dump(mode="json")}

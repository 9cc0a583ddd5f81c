"""Hourly rates: bill rates of a position, pay rates of a worker, by the day they take effect."""

from __future__ import annotations

from datetime import date
from typing import Any, TypeVar

from chalicelib.core.days import Day
from chalicelib.core.errors import invalid_state, not_found
from chalicelib.core.money import Money
from chalicelib.dal import table
from chalicelib.dal.collection import Collection
from chalicelib.dal.unit_of_work import UnitOfWork
from chalicelib.models.staffing.attributes import RATES
from chalicelib.models.staffing.positions import StoredPosition
from chalicelib.models.staffing.workers import StoredWorker

Rated = TypeVar("Rated", StoredPosition, StoredWorker)

MAX_RATES = 366
"""Rates of one entity: a year of daily changes, a small part of the 400 KB that an item may have."""


class Rate(Money):
    """The price of an hour from the beginning of a day on, until the next rate takes effect."""

    effective_from: Day


def rates_of(entity: StoredPosition | StoredWorker) -> list[Rate]:
    """Return rates by their days, earliest first."""
    return [_rate(day, entity.rates[day]) for day in sorted(entity.rates)]


def set_rate(unit: UnitOfWork, collection: Collection[Rated], entity: Rated, day: date, money: Money) -> Rate:
    """In the place of the day's rate, if it has one. VALIDATION_ERROR for one rate too many."""
    if day not in entity.rates and len(entity.rates) >= MAX_RATES:
        raise invalid_state(f"a {collection.entity} has at most {MAX_RATES} rates: delete one that is not needed")
    _move(unit, collection, entity, day, Money(amount=money.amount, currency=money.currency))
    return _rate(day, money)


def delete_rate(unit: UnitOfWork, collection: Collection[Rated], entity: Rated, day: date) -> Rate:
    """The rate that was; NOT_FOUND for a day on which none takes effect."""
    if day not in entity.rates:
        raise not_found("rate")
    _move(unit, collection, entity, day, None)
    return _rate(day, entity.rates[day])


def _rate(day: date, money: Money) -> Rate:
    return Rate(effective_from=day, amount=money.amount, currency=money.currency)


def _move(unit: UnitOfWork, collection: Collection[Rated], entity: Rated, day: date, money: Money | None) -> None:
    """Only the day's own path is written, and the entity's version moves: a rate set meanwhile makes this run again."""
    path = RATES[day.isoformat()]
    unit.require_version(entity.version)
    unit.changes(collection.entity, entity.id, _told(day, entity.rates.get(day)), _told(day, money))
    stored = path.remove() if money is None else path.set(table.encoded(money.model_dump(mode="json")))
    collection.update(unit, entity, {}, actions=[stored])


def _told(day: date, money: Money | None) -> dict[str, Any]:
    """Return the fields for the audit log; nothing where there is no rate."""
    return {} if money is None else {f"rates.{day.isoformat()}": money.model_dump(mode="json")}

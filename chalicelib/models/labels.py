"""Versions of the names and rates that analyses show: they move in each transaction that changes one.

A cached figure made of names or rates is stored with the versions that were read before them, and is valid while they
are the same. One item an organization, since names and rates change seldom.
"""

from __future__ import annotations

from typing import NamedTuple

from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys
from chalicelib.dal.item import Count, Item, attribute
from chalicelib.dal.keys import Key
from chalicelib.dal.unit_of_work import UnitOfWork

_RATES = attribute("ratesVersion", Count())
_NAMES = attribute("namesVersion", Count())


class Labels(NamedTuple):
    """0: none has ever changed."""

    rates: int
    """Hourly rates of tracked time, of any level."""
    names: int
    """Names of users, clients, projects and tasks, and the clients of projects."""


def key(organization: OrganizationId) -> Key:
    return keys.tag(organization, "LABELS")


def of(item: Item | None) -> Labels:
    if item is None:
        return Labels(0, 0)
    return Labels(int(item.value(_RATES) or 0), int(item.value(_NAMES) or 0))


def move_rates(unit: UnitOfWork) -> None:
    unit.upsert(key(unit.organization), [_RATES.add(1), Item.derived.set(1)])


def move_names(unit: UnitOfWork) -> None:
    unit.upsert(key(unit.organization), [_NAMES.add(1), Item.derived.set(1)])

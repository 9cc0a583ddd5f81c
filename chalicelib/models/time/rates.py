"""Hourly rates of tracked time, at four levels: organization, user, project, and user in a project.

A level's rates are one item, apart from its entity, so that requests which read the entity do not pay for them. The
entity's version moves with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from chalicelib.core.errors import not_found
from chalicelib.core.ids import OrganizationId
from chalicelib.core.money import Money
from chalicelib.dal import keys, table
from chalicelib.dal.collection import Collection, is_deleted
from chalicelib.dal.item import Item
from chalicelib.dal.keys import Key
from chalicelib.dal.records import Record
from chalicelib.dal.unit_of_work import UnitOfWork, stale
from chalicelib.models import labels
from chalicelib.models.organizations import ORGANIZATIONS, count_rate, rate_moves
from chalicelib.models.staffing.attributes import RATES
from chalicelib.models.staffing.rates import (
    Rate,
    assignment_of,
    audited,
    rate_from,
    require_rate,
    require_room,
)
from chalicelib.models.time import keys as time_keys
from chalicelib.models.time import members
from chalicelib.models.time.projects import PROJECTS
from chalicelib.models.users import USERS


@dataclass(frozen=True)
class Level:
    """The organization, a user, a project, or a user in a project. The entity is the audit target of its changes."""

    name: str
    """Sort key of its rates."""
    collection: Collection[Any]
    entity_id: UUID
    member: UUID | None = None
    """The user of a project's member level, who must be its member."""

    def key(self, organization: OrganizationId) -> Key:
        return Key(time_keys.time_rates(organization), self.name)


class Scope(NamedTuple):
    """The time of one user, on one project, or both; None for all of them."""

    user_id: UUID | None = None
    project_id: UUID | None = None


@dataclass(frozen=True)
class LevelRates:
    """A level with its entity and rates, as read."""

    level: Level
    entity: Any
    rates: Mapping[date, Money]
    is_stored: bool
    """It has an item: there was a rate before."""


def of_organization(organization: OrganizationId) -> Level:
    return Level("ORGANIZATION", ORGANIZATIONS, organization)


def of_user(user: UUID) -> Level:
    return Level(f"USER#{user}", USERS, user)


def of_project(project: UUID) -> Level:
    return Level(f"PROJECT#{project}", PROJECTS, project)


def of_member(project: UUID, user: UUID) -> Level:
    return Level(f"MEMBER#{project}#{user}", PROJECTS, project, user)


def read(organization: OrganizationId, level: Level, known: Iterable[Record] = ()) -> LevelRates:
    """Read a level with its entity, at once. NOT_FOUND for an entity that is not live, and for a user who is no member.

    `known`: entities that the request has read before, which are not read again.
    """
    entity_key, rates_key = level.collection.key(organization, level.entity_id), level.key(organization)
    entity = next((record for record in known if record.id == level.entity_id), None)
    requested = [rates_key] if entity is not None else [rates_key, entity_key]
    member_key = None if level.member is None else members.key(organization, level.entity_id, level.member)
    items = table.batch_get([*requested, *([] if member_key is None else [member_key])])
    entity = entity or level.collection.record.of(items.get(entity_key), level.collection.entity)
    if is_deleted(entity):
        raise not_found(level.collection.entity)
    if member_key is not None and member_key not in items:
        raise not_found("member")
    return LevelRates(level, entity, _rates(items.get(rates_key)), rates_key in items)


def organization_of(key: Key) -> OrganizationId | None:
    """Return the organization of a level's rates; None for other keys."""
    return keys.organization_of(key.pk) if time_keys.is_time_rates(key.pk) else None


def scope_of(name: str) -> Scope:
    """Return whose time the rates of a level can price."""
    kind, *identifiers = name.split("#")
    ids = [UUID(identifier) for identifier in identifiers]
    match kind:
        case "USER":
            return Scope(user_id=ids[0])
        case "PROJECT":
            return Scope(project_id=ids[0])
        case "MEMBER":
            return Scope(user_id=ids[1], project_id=ids[0])
    return Scope()


def read_all(organization: OrganizationId, *, consistent: bool = False) -> dict[str, Mapping[date, Money]]:
    """Return the rates of all levels by their names. One query."""
    rows = table.query_all(time_keys.time_rates(organization), consistent=consistent)
    return {item.sk: _rates(item) for item in map(table.item_from_raw, rows)}


def rates_in(organization: OrganizationId, items: Mapping[Key, Item]) -> dict[str, Mapping[date, Money]]:
    """Return the rates by the names of their levels, of those among items that were read."""
    partition = time_keys.time_rates(organization)
    return {key.sk: _rates(item) for key, item in items.items() if key.pk == partition}


def set_rate(unit: UnitOfWork, stored: LevelRates, day: date, money: Money) -> Rate:
    """Set the rate of a day, in the place of the one it has. VALIDATION_ERROR for one rate too many."""
    require_room(stored.level.collection.entity, stored.rates, day)
    _write(unit, stored, day, Money(amount=money.amount, currency=money.currency))
    return rate_from(day, money)


def delete_rate(unit: UnitOfWork, stored: LevelRates, day: date) -> Rate:
    """The rate that was; NOT_FOUND for a day on which none takes effect."""
    money = require_rate(stored.rates, day)
    _write(unit, stored, day, None)
    return rate_from(day, money)


def _rates(item: Item | None) -> dict[date, Money]:
    stored = None if item is None else item.value(RATES)
    return {date.fromisoformat(day): Money(**money) for day, money in (stored or {}).items()}


def _write(unit: UnitOfWork, stored: LevelRates, day: date, money: Money | None) -> None:
    """Write the day's rate and move the entity's version: a rate that is set meanwhile makes the request run again."""
    level, before = stored.level, stored.rates.get(day)
    prefix = "" if level.member is None else f"members.{level.member}."
    unit.require_version(stored.entity.version, stored.entity.updated_at)
    unit.audit_target(
        level.collection.entity,
        level.entity_id,
        audited(day, before, prefix),
        audited(day, money, prefix),
        user=level.member,
        name=level.collection.name_of(stored.entity),
    )
    if level.collection is ORGANIZATIONS:
        ORGANIZATIONS.update(unit, stored.entity, {}, actions=rate_moves(before, money))
    else:
        level.collection.update(unit, stored.entity, {})
        count_rate(unit, before, money)
    labels.move_rates(unit)
    key = level.key(unit.organization)
    if stored.is_stored:
        unit.update(key, [assignment_of(day, money)], None, stale)
    else:
        item = Item(*key)
        item.set({RATES.attr_name: {} if money is None else {day.isoformat(): money.model_dump(mode="json")}})
        unit.put_new(item, stale)

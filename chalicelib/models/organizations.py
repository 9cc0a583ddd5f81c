"""Organizations: the tenants."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from chalicelib.core.contracts import Contract
from chalicelib.core.errors import ActionError, invalid_field
from chalicelib.core.field_types import CountryCode, CurrencyCode, Instant, MailedLine, Timezone
from chalicelib.core.ids import OrganizationId
from chalicelib.core.money import Money
from chalicelib.dal import table
from chalicelib.dal.collection import Collection, has_dependencies
from chalicelib.dal.expressions import Action, Condition, size
from chalicelib.dal.item import Item, TextSet, attribute
from chalicelib.dal.records import ATTRIBUTE, INTERNAL, Record, Stored
from chalicelib.dal.unit_of_work import UnitOfWork

OrganizationName = Annotated[MailedLine, Field(max_length=255)]

USER_COUNT = "user"
ACTIVE_USER_COUNT = "activeUser"
ACTIVE_OWNER_COUNT = "activeOwner"
"""Counters on the organization, moved by `models.users`."""

MAX_ERASURES = 100
"""Users that an organization may delete between two nights: each request reads their ids with the organization."""

_ERASING = attribute("erasing", TextSet())

RATE_COUNT = "rate"
"""Counter of the hourly rates of every entity. All are in the organization's currency, which they bind."""


class WeekDay(StrEnum):
    MONDAY = "MONDAY"
    TUESDAY = "TUESDAY"
    WEDNESDAY = "WEDNESDAY"
    THURSDAY = "THURSDAY"
    FRIDAY = "FRIDAY"
    SATURDAY = "SATURDAY"
    SUNDAY = "SUNDAY"


class LoanRole(StrEnum):
    NONE = "NONE"
    BORROWER = "BORROWER"
    LENDER = "LENDER"
    BOTH = "BOTH"


class SubscriptionTier(StrEnum):
    FREE = "FREE"
    PRO = "PRO"
    ENTERPRISE = "ENTERPRISE"


class Organization(Record):
    name: Annotated[OrganizationName, Field(examples=["Berg Staffing"])]
    timezone: Timezone = "UTC"
    currency: CurrencyCode = "EUR"
    week_start: WeekDay = WeekDay.MONDAY
    region: CountryCode | None = None
    loan_role: LoanRole = LoanRole.NONE
    subscription_tier: SubscriptionTier = SubscriptionTier.FREE
    user_count: Annotated[int, Stored(counter=USER_COUNT), Field(examples=[14])] = 0
    active_user_count: Annotated[int, Stored(counter=ACTIVE_USER_COUNT), Field(examples=[12])] = 0


class Sleep(Contract):
    """One sleep of an organization, from when it fell asleep until all its metrics are due again."""

    id: UUID
    """The instant at which it fell asleep."""
    is_waking: bool = False
    """A request has come; a worker brings its metrics back."""


class StoredOrganization(Organization):
    cursor_secret: Annotated[str, INTERNAL]
    """Signs the cursors of this organization's lists: no key to deploy, and a foreign cursor cannot verify."""
    rate_count: Annotated[int, Stored(counter=RATE_COUNT)] = 0
    active_owner_count: Annotated[int, Stored(counter=ACTIVE_OWNER_COUNT)] = 0
    sleep: Annotated[Sleep | None, INTERNAL] = None
    """Written by `models.sleep` alone; None: awake."""
    erasing: Annotated[frozenset[UUID], ATTRIBUTE] = frozenset()
    """Users who were deleted and whose names may still be stored somewhere: they are masked when it is read."""
    long_lists: Annotated[Mapping[str, Instant], ATTRIBUTE] = {}
    """Written by `models.long_lists` alone: until when it is known of which lists that they are too long."""

    @property
    def tenant(self) -> OrganizationId:
        return OrganizationId(self.id)


def new_organization(**fields: Any) -> StoredOrganization:
    return StoredOrganization.new(cursor_secret=secrets.token_hex(32), **fields)


ORGANIZATIONS = Collection(
    entity="organization", record=StoredOrganization, called=lambda organization: organization.name
)


def create(unit: UnitOfWork, organization: StoredOrganization, counts: Mapping[str, int]) -> StoredOrganization:
    """Add an organization. `counts`: the counters that its first user gives it."""
    ORGANIZATIONS.create(unit, organization, counts=counts)
    return organization.model_copy(
        update={
            name: counts.get(mark.counter, 0) for name, mark in organization.stored_fields().items() if mark.counter
        }
    )


def update(unit: UnitOfWork, organization: StoredOrganization, changes: Mapping[str, Any]) -> StoredOrganization:
    """Change the settings. HAS_DEPENDENCIES for another currency while there are rates: amounts of past time need them.

    A rate that is set at the same time moves the counter, and one of the two requests is refused.
    """
    if changes.get("currency", organization.currency) == organization.currency:
        return ORGANIZATIONS.update(unit, organization, changes)
    counter = Item.children[RATE_COUNT]
    return ORGANIZATIONS.update(
        unit,
        organization,
        changes,
        condition=counter.does_not_exist() | (counter == 0),
        on_failed_condition=lambda item: has_dependencies(
            ORGANIZATIONS.entity, {RATE_COUNT: ((item and item.children) or {}).get(RATE_COUNT, 0)}
        ),
    )


def erasure_of(user: UUID) -> tuple[Action, Condition]:
    """Return the update that begins the erasure of a user's data, and its condition: that there is room for it."""
    return _ERASING.add({str(user)}), _ERASING.does_not_exist() | (size(_ERASING) < MAX_ERASURES)


def too_many_erasures(item: Item | None) -> bool:
    """Return True for an organization, as it is stored, that has no room for another erasure."""
    erasing = None if item is None else item.value(_ERASING)
    return erasing is not None and len(erasing) >= MAX_ERASURES


def end_erasure(organization: OrganizationId, user: UUID) -> None:
    """Note that nothing of a deleted user's data is stored any more. Twice is as good as once."""
    table.update(ORGANIZATIONS.key(organization, organization), [_ERASING.delete({str(user)})], Item.pk.exists())


def count_rate(unit: UnitOfWork, before: Money | None, after: Money | None) -> None:
    """Count a rate that a day of another entity than the organization itself gains or loses.

    VALIDATION_ERROR for a rate that is not in the organization's currency, which may have changed since it was read.
    """
    if actions := rate_moves(before, after):
        unit.update(
            ORGANIZATIONS.key(unit.organization, unit.organization),
            actions,
            None if after is None else Item.data["currency"] == after.currency,
            lambda item: other_currency(((item and item.data) or {}).get("currency", "")),
        )


def rate_moves(before: Money | None, after: Money | None) -> list[Action]:
    """Return the update of the organization's count of rates, of a day that had one rate and has another then."""
    by = (after is not None) - (before is not None)
    return [table.increment(Item.children[RATE_COUNT], by)] if by else []


def other_currency(currency: str, field: str = "currency") -> ActionError:
    """Return the error of money in another currency than the organization's."""
    return invalid_field(field, f"must be the organization's, {currency}")

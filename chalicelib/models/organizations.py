"""Organizations: the tenants."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from chalicelib.core.contracts import Contract
from chalicelib.core.field_types import CountryCode, CurrencyCode, MailedLine, Timezone
from chalicelib.core.ids import OrganizationId
from chalicelib.dal.collection import Collection
from chalicelib.dal.records import INTERNAL, Record, Stored
from chalicelib.dal.unit_of_work import UnitOfWork

OrganizationName = Annotated[MailedLine, Field(max_length=255)]

USER_COUNT = "user"
ACTIVE_USER_COUNT = "activeUser"
ACTIVE_OWNER_COUNT = "activeOwner"
"""Counters on the organization, moved by `models.users`."""


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
    active_owner_count: Annotated[int, Stored(counter=ACTIVE_OWNER_COUNT)] = 0
    sleep: Annotated[Sleep | None, INTERNAL] = None
    """Written by `models.sleep` alone; None: awake."""

    @property
    def tenant(self) -> OrganizationId:
        return OrganizationId(self.id)


def new_organization(**fields: Any) -> StoredOrganization:
    return StoredOrganization.new(cursor_secret=secrets.token_hex(32), **fields)


ORGANIZATIONS = Collection(entity="organization", record=StoredOrganization)


def create(unit: UnitOfWork, organization: StoredOrganization, counts: Mapping[str, int]) -> StoredOrganization:
    """Add an organization. `counts`: the counters that its first user gives it."""
    ORGANIZATIONS.create(unit, organization, counts=counts)
    return organization.model_copy(
        update={name: counts[mark.counter] for name, mark in organization.stored_fields().items() if mark.counter}
    )

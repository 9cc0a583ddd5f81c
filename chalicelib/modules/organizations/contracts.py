"""Contracts of changing an organization."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from chalicelib.core.contracts import Patch, optional
from chalicelib.core.field_types import CountryCode, CurrencyCode, Timezone
from chalicelib.models.organizations import LoanRole, OrganizationName, WeekDay


class UpdateOrganization(Patch):
    name: Annotated[OrganizationName, Field(examples=["Berg Staffing GmbH"])] = optional()
    timezone: Timezone = optional()
    currency: CurrencyCode = optional()
    week_start: WeekDay = optional()
    region: CountryCode | None = optional()
    loan_role: LoanRole = optional()

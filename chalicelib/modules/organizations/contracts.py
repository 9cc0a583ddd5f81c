"""What changing an organization takes."""

from __future__ import annotations

from chalicelib.core.contracts import CountryCode, CurrencyCode, Name, Patch, Timezone, optional
from chalicelib.dal.organizations import LoanRole, WeekDay


class UpdateOrganization(Patch):
    name: Name = optional()
    timezone: Timezone = optional()
    currency: CurrencyCode = optional()
    week_start: WeekDay = optional()
    region: CountryCode | None = optional()
    loan_role: LoanRole = optional()

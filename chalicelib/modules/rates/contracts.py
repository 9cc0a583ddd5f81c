"""The rates of one position, worker, or level of tracked time."""

from __future__ import annotations

from chalicelib.action.context import Context
from chalicelib.core.contracts import Contract
from chalicelib.core.money import Money
from chalicelib.models.organizations import other_currency
from chalicelib.models.staffing.rates import Rate


class Rates(Contract):
    rates: list[Rate]
    """Rates by the day they take effect, earliest first."""


def require_currency(ctx: Context, money: Money, field: str = "currency") -> None:
    """Refuse money in another currency than the organization's: VALIDATION_ERROR."""
    currency = ctx.principal.organization.currency
    if money.currency != currency:
        raise other_currency(currency, field)

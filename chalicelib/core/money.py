"""Money: whole minor units of one currency."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from chalicelib.core.contracts import Body, Contract, CurrencyCode
from chalicelib.core.iso_codes import MINOR_DIGITS

MinorUnits = Annotated[int, Field(description="In minor units: cents of a euro, whole yen.", examples=[12500])]


class Money(Contract):
    amount: MinorUnits
    currency: CurrencyCode


class HourlyRate(Money, Body):
    """What an hour is billed or paid at."""

    amount: Annotated[MinorUnits, Field(ge=0, le=100_000_000)]


def minor_digits(currency: str) -> int:
    """How many decimal places the major unit has: 2 for EUR, 0 for JPY, 3 for BHD."""
    return MINOR_DIGITS.get(currency, 2)


def major_units(money: Money) -> Decimal:
    """The amount as people write it, with every place of its currency: 125.00 for 12500 cents. Exact."""
    sign, digits, _ = Decimal(money.amount).as_tuple()
    return Decimal((sign, digits, -minor_digits(money.currency)))

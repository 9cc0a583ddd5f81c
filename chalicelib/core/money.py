"""Money: whole minor units of one currency."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from chalicelib.core.contracts import Body, Contract
from chalicelib.core.field_types import CurrencyCode
from chalicelib.core.iso_codes import MINOR_DIGITS

MinorUnits = Annotated[int, Field(description="In minor units: cents of a euro, whole yen.", examples=[12500])]


class Money(Contract):
    amount: MinorUnits
    currency: CurrencyCode


class HourlyRate(Money, Body):
    """The price of an hour, billed or paid."""

    amount: Annotated[MinorUnits, Field(ge=0, le=100_000_000)]


Shown = Annotated[Money | None, Field(exclude_if=lambda money: money is None)]
"""An amount that is not there at all where it is not known, rather than 0."""


class Priced(Contract):
    """Amounts billed and paid, as far as there are rates."""

    billed: Shown = None
    paid: Shown = None
    margin: Annotated[Shown, Field(description="Billed less paid, of the hours that have both rates.")] = None

    @classmethod
    def amounts(cls, billed: int | None, paid: int | None, currency: str) -> dict[str, Money]:
        """The fields from amounts in minor units; None for those that are not known."""
        margin = None if billed is None or paid is None else billed - paid
        known = {"billed": billed, "paid": paid, "margin": margin}
        return {name: Money(amount=value, currency=currency) for name, value in known.items() if value is not None}


def minor_digits(currency: str) -> int:
    """Return the decimal places of the major unit: 2 for EUR, 0 for JPY, 3 for BHD."""
    return MINOR_DIGITS.get(currency, 2)


def major_units(money: Money) -> Decimal:
    """The amount as people write it, with every place of its currency: 125.00 for 12500 cents. Exact."""
    sign, digits, _ = Decimal(money.amount).as_tuple()
    return Decimal((sign, digits, -minor_digits(money.currency)))


def rounded_half_up(numerator: int, denominator: int) -> int:
    """Return the whole number nearest to a ratio, which is not negative; of a half, the greater."""
    return (2 * numerator + denominator) // (2 * denominator)

"""Figures: numbers that people compare measurements with. JSON numbers, in the table too."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, Field

_PLACES = 6
_GREATEST = 1_000_000_000_000


def _rounded(number: float) -> float:
    return round(number, _PLACES) + 0.0  # no -0.0


Figure = Annotated[
    float,
    Field(ge=-_GREATEST, le=_GREATEST, description="Stored to six decimal places.", examples=[12.5]),
    AfterValidator(_rounded),
]
"""The range that a binary fraction holds exactly to six places, and that DynamoDB holds at all."""


def exactly(figure: float) -> Decimal:
    """The decimal number that was written."""
    return Decimal(str(figure))


def shown(value: Decimal) -> float:
    """A value that was calculated, to as many places as a figure has."""
    return _rounded(float(value))

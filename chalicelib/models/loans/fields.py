"""Types of the fields of loans, with their rules and schemas."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from chalicelib.core.days import Day
from chalicelib.core.field_types import Lines
from chalicelib.models.loans.terms import MAX_INSTALLMENTS, MAX_INTEREST_RATE_BPS, MAX_PRINCIPAL

_RATE_PLACES = Decimal("0.01")


def _decimal(value: Any) -> Decimal:
    """Read a JSON number exactly as it is written."""
    if isinstance(value, Decimal):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PydanticCustomError("number", "must be a number")
    return Decimal(str(value))


def _two_places(rate: Decimal) -> Decimal:
    if rate != rate.quantize(_RATE_PLACES):
        raise PydanticCustomError("rate_places", "must have at most 2 decimal places")
    return rate


InterestRate = Annotated[
    Decimal,
    Field(ge=0, le=MAX_INTEREST_RATE_BPS, strict=False),
    BeforeValidator(_decimal),
    AfterValidator(_two_places),
    PlainSerializer(lambda rate: int(rate) if rate == int(rate) else float(rate), return_type=float, when_used="json"),
    WithJsonSchema(
        {
            "type": "number",
            "minimum": 0,
            "maximum": MAX_INTEREST_RATE_BPS,
            "description": "Hundredths of a percent a year, with up to two decimal places: 612.5 is 6.125 %.",
            "examples": [612.5],
        }
    ),
]
Principal = Annotated[
    int, Field(ge=1, le=MAX_PRINCIPAL, description="In minor units of the loan's currency.", examples=[12000000])
]
Amount = Annotated[int, Field(description="In minor units of the loan's currency.", examples=[1250000])]
Installments = Annotated[int, Field(ge=1, le=MAX_INSTALLMENTS, examples=[24])]
GraceInstallments = Annotated[
    int, Field(ge=0, le=MAX_INSTALLMENTS, description="The first installments, which pay interest only.", examples=[2])
]
StartDate = Annotated[Day, Field(examples=["2026-02-01"])]
MaturityDate = Annotated[Day, Field(examples=["2028-02-01"])]
Note = Annotated[Lines, Field(max_length=2000, examples=["Zweite Linie, Bürgschaft liegt vor."])]
Reason = Annotated[Lines, Field(max_length=1000, examples=["Insolvenzverfahren eröffnet."])]

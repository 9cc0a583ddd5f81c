"""Money is whole minor units, and each currency has its own number of them to a major unit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from chalicelib.core.iso_codes import CURRENCIES, MINOR_DIGITS
from chalicelib.core.money import HourlyRate, Money, major_units, minor_digits
from tests.support.hypothesis_profile import law


@pytest.mark.parametrize(
    ("currency", "digits"), [("EUR", 2), ("USD", 2), ("MGA", 2), ("JPY", 0), ("KRW", 0), ("BHD", 3)]
)
def test_minor_digits(currency: str, digits: int) -> None:
    assert minor_digits(currency) == digits


def test_only_known_currencies_have_their_own_digits() -> None:
    assert MINOR_DIGITS.keys() <= CURRENCIES
    assert set(MINOR_DIGITS.values()) == {0, 3}


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (12500, "EUR", "125.00"),
        (5, "EUR", "0.05"),
        (-5, "EUR", "-0.05"),
        (0, "EUR", "0.00"),
        (12500, "JPY", "12500"),
        (12500, "KWD", "12.500"),
        (10**40 + 1, "EUR", f"1{'0' * 38}.01"),
    ],
)
def test_major_units_show_every_place(amount: int, currency: str, text: str) -> None:
    assert str(major_units(Money(amount=amount, currency=currency))) == text


@law()
@given(st.integers(), st.sampled_from(sorted(CURRENCIES)))
def test_major_units_are_the_same_money(amount: int, currency: str) -> None:
    whole = major_units(Money(amount=amount, currency=currency)).as_integer_ratio()
    assert whole[0] * 10 ** minor_digits(currency) == amount * whole[1]


@pytest.mark.parametrize("amount", [0, 4500, 100_000_000])
def test_what_is_an_hourly_rate(amount: int) -> None:
    rate = HourlyRate.model_validate_json(f'{{"amount": {amount}, "currency": "EUR"}}')
    assert rate.model_dump() == Money(amount=amount, currency="EUR").model_dump()


@pytest.mark.parametrize(
    "body",
    [
        *(
            f'{{"amount": {amount}, "currency": "EUR"}}'
            for amount in (-1, 100_000_001, 45.5, 45.0, '"45"', "true", "null")
        ),
        '{"amount": 4500, "currency": "eur"}',
        '{"amount": 4500}',
        '{"currency": "EUR"}',
        '{"amount": 4500, "currency": "EUR", "unit": "day"}',
    ],
)
def test_what_is_no_hourly_rate(body: str) -> None:
    with pytest.raises(ValidationError):
        HourlyRate.model_validate_json(body)


def test_the_schema_shows_an_example() -> None:
    fields = Money.model_json_schema()["properties"]
    assert {name: field["examples"] for name, field in fields.items()} == {"amount": [12500], "currency": ["EUR"]}

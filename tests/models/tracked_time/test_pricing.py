"""Prices of tracked time: the most specific level with a rate on the local day, held against a walk by seconds."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core import ids
from chalicelib.core.money import Money
from chalicelib.models.organizations import new_organization
from chalicelib.models.time.pricing import Pricer, levels_of
from tests.support.hypothesis_profile import law

pytestmark = pytest.mark.storeless

ZONES = ["UTC", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe"]
USER, PROJECT = ids.new_id(), ids.new_id()
FIRST = date(2026, 3, 26)
"""Three days before Berlin's clocks go forward."""

days = st.integers(0, 6).map(lambda number: FIRST + timedelta(days=number))
rates = st.dictionaries(days, st.integers(0, 10).map(lambda cents: Money(amount=cents, currency="EUR")), max_size=3)


@law(100)
@given(
    st.sampled_from(ZONES),
    st.lists(rates, min_size=4, max_size=4),
    st.integers(0, 6 * 24 * 4),
    st.integers(1, 24 * 4),
    st.sampled_from([None, PROJECT]),
)
def test_each_quarter_of_an_hour_has_the_rate_of_its_day(
    zone: str, by_level: list[dict[date, Money]], start: int, quarters: int, project: object
) -> None:
    """Given rates of all levels, then a price is the sum over quarters of hours, each by the rule of its local day."""
    organization = new_organization(name="Berg", timezone=zone)
    names = [level.name for level in levels_of(organization.tenant, USER, PROJECT)]
    stored = dict(zip(names, by_level, strict=True))
    levels = levels_of(organization.tenant, USER, PROJECT if project else None)
    first = int(datetime(2026, 3, 26, tzinfo=UTC).timestamp()) + start * 900

    product, unpriced = Pricer(organization, stored).price(
        USER, PROJECT if project else None, [(first, first + quarters * 900)]
    )

    expected, missing = 0, 0
    for quarter in range(quarters):
        instant = datetime.fromtimestamp(first + quarter * 900, ZoneInfo(zone))
        amounts = [
            max((day, money.amount) for day, money in stored[level.name].items() if day <= instant.date())[1]
            for level in levels
            if any(day <= instant.date() for day in stored[level.name])
        ]
        if amounts:
            expected += amounts[0] * 900_000
        else:
            missing += 900
    assert (product, unpriced) == (expected, missing)


def test_a_rate_of_another_currency_is_none() -> None:
    organization = new_organization(name="Berg")
    levels = levels_of(organization.tenant, USER, None)
    stored = {
        levels[0].name: {date(2026, 1, 1): Money(amount=9, currency="USD")},
        levels[1].name: {date(2026, 1, 1): Money(amount=5, currency="EUR")},
    }
    at = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp())
    assert Pricer(organization, stored).price(USER, None, [(at, at + 3600)]) == (5 * 3_600_000, 0)

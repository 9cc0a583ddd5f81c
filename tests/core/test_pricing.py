"""Each minute is priced at the rate of its local day, in the organization's currency, to the last minor unit."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.clock import milliseconds
from chalicelib.core.money import Money
from chalicelib.core.pricing import RateTimeline, amount_of
from tests.support.hypothesis_profile import law
from tests.support.oracle import YEARS, Stretch, days_about, rate_on, stretches

MONEY = st.builds(
    Money, amount=st.integers(0, 3) | st.integers(0, 10**8), currency=st.sampled_from(["EUR"] * 4 + ["USD"])
)
HOUR = 3_600_000


def _rates_about(stretch: Stretch) -> st.SearchStrategy[dict[date, Money]]:
    long_before = st.just(date(1900, 1, 1))
    return st.dictionaries(long_before | days_about(stretch), MONEY, max_size=5)


def _timeline(rates: dict[date, Money], zone: str = "Europe/Berlin") -> RateTimeline:
    return RateTimeline(rates, zone=zone, currency="EUR")


@pytest.mark.parametrize(("zone", "year"), YEARS)
@law(15)
@given(st.data())
def test_a_price_is_the_sum_of_its_minutes(zone: str, year: int, data: st.DataObject) -> None:
    stretch = data.draw(stretches(zone, year))
    rates = data.draw(_rates_about(stretch))
    priced = _timeline(rates, zone).price(stretch.start * 60_000, stretch.end * 60_000)
    parts = [(rate_on(day, rates), minutes) for day, minutes in Counter(stretch.days()).items()]
    if any(rate is None for rate, _ in parts):
        assert priced is None
    else:
        assert priced == sum((rate or 0) * minutes * 60_000 for rate, minutes in parts)


@pytest.mark.parametrize(("zone", "year"), YEARS)
@law(15)
@given(st.data())
def test_a_stretch_has_one_rate_when_all_its_minutes_have_it(zone: str, year: int, data: st.DataObject) -> None:
    stretch = data.draw(stretches(zone, year).filter(lambda drawn: drawn.start < drawn.end))
    rates = data.draw(_rates_about(stretch))
    of_minutes = {rate_on(day, rates) for day in set(stretch.days())}
    one = of_minutes.pop() if len(of_minutes) == 1 else None
    assert _timeline(rates, zone).rate_throughout(stretch.start * 60_000, stretch.end * 60_000) == one


@law(200)
@given(st.sampled_from(YEARS).flatmap(lambda value: stretches(*value)), st.data())
def test_parts_add_up_to_the_millisecond(stretch: Stretch, data: st.DataObject) -> None:
    timeline = _timeline(data.draw(_rates_about(stretch)), stretch.zone)
    start, end = stretch.start * 60_000, stretch.end * 60_000
    cut = data.draw(st.integers(start, end))
    parts = timeline.price(start, cut), timeline.price(cut, end)
    if None in parts:
        assert timeline.price(start, end) is None
    else:
        assert timeline.price(start, end) == sum(part or 0 for part in parts)


CHANGES = {
    date(2026, 3, 1): Money(amount=4000, currency="EUR"),
    date(2026, 4, 1): Money(amount=5000, currency="USD"),
    date(2026, 5, 1): Money(amount=6000, currency="EUR"),
}


def _at(day: date, hour: int = 0) -> int:
    """In Berlin's summer time."""
    return milliseconds(datetime(day.year, day.month, day.day, tzinfo=UTC)) + (hour - 2) * HOUR


@pytest.mark.parametrize(
    ("start", "end", "product"),
    [
        (_at(date(2026, 1, 1)), _at(date(2026, 1, 2)), None),  # before the first
        (_at(date(2026, 3, 30)), _at(date(2026, 3, 31)), 4000 * 24 * HOUR),
        (_at(date(2026, 3, 31), 22), _at(date(2026, 4, 1)), 4000 * 2 * HOUR),  # until the other currency
        (_at(date(2026, 3, 31), 22), _at(date(2026, 4, 1)) + 1, None),
        (_at(date(2026, 4, 10)), _at(date(2026, 4, 11)), None),
        (_at(date(2026, 4, 30), 23), _at(date(2026, 5, 1), 1), None),
        (_at(date(2026, 5, 1)), _at(date(2026, 5, 1)) + 1, 6000),
        (_at(date(2026, 4, 10)), _at(date(2026, 4, 10)), 0),  # empty
        (_at(date(2026, 4, 11)), _at(date(2026, 4, 10)), 0),
    ],
)
def test_what_a_stretch_costs(start: int, end: int, product: int | None) -> None:
    assert _timeline(CHANGES).price(start, end) == product


def test_without_rates_only_nothing_has_a_price() -> None:
    assert _timeline({}).price(0, 1) is None
    assert _timeline({}).price(1, 1) == 0
    assert _timeline({}).rate_throughout(0, 1) is None


def test_of_a_skipped_day_and_the_next_the_later_rate_holds() -> None:
    """They begin together, and the skipped one's missing rate takes no part."""
    rates = {
        date(2011, 12, 31): Money(amount=2, currency="EUR"),
        date(2011, 12, 30): Money(amount=1, currency="USD"),
        date(2011, 12, 1): Money(amount=3, currency="EUR"),
    }
    midnight = milliseconds(datetime(2011, 12, 30, 10, tzinfo=UTC))
    assert _timeline(rates, "Pacific/Apia").price(midnight - HOUR, midnight + HOUR) == (3 + 2) * HOUR


def test_a_rate_set_anew_to_the_same_amount_is_one_rate() -> None:
    rates = {day: Money(amount=4000, currency="EUR") for day in CHANGES}
    assert _timeline(rates).rate_throughout(_at(date(2026, 3, 30)), _at(date(2026, 6, 1))) == 4000


def test_a_rate_holds_until_the_next_begins_and_not_a_millisecond_longer() -> None:
    start, end = _at(date(2026, 3, 30)), _at(date(2026, 4, 1))
    assert _timeline(CHANGES).rate_throughout(start, end) == 4000
    assert _timeline(CHANGES).rate_throughout(start, end + 1) is None


@law(300)
@given(st.integers(0, 10**20) | st.integers(0, 10**12).map(lambda halves: halves * HOUR // 2))
def test_minor_units_are_rounded_half_up(product: int) -> None:
    assert amount_of(product) == (Decimal(product) / HOUR).to_integral_value(ROUND_HALF_UP)

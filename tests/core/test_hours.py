"""Hours are rounded half up as people do it on paper."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.hours import hours, seconds
from tests.support.hypothesis_profile import law


@law(300)
@given(st.integers(0, 10**10) | st.integers(0, 10**8).map(lambda halves: halves * 18))
def test_hours_have_two_places(whole_seconds: int) -> None:
    exact = (Decimal(whole_seconds) / 3600).quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert Decimal(repr(hours(whole_seconds))) == exact


@law(300)
@given(st.integers(0, 10**13) | st.integers(0, 10**10).map(lambda halves: halves * 500))
def test_seconds_are_whole(milliseconds: int) -> None:
    assert seconds(milliseconds) == (Decimal(milliseconds) / 1000).to_integral_value(ROUND_HALF_UP)


@pytest.mark.parametrize(
    ("whole_seconds", "decimal"),
    [(0, 0.0), (17, 0.0), (18, 0.01), (3618, 1.01), (4500, 1.25), (86_400, 24.0), (10**10, 2_777_777.78)],
)
def test_examples(whole_seconds: int, decimal: float) -> None:
    assert hours(whole_seconds) == decimal

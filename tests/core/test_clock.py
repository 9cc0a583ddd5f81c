"""Instants and milliseconds since 1970 are two ways to say the same."""

from __future__ import annotations

from calendar import timegm
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core import clock
from tests.support.hypothesis_profile import law


@law(300)
@given(st.datetimes(timezones=st.just(UTC)))
def test_milliseconds_are_whole_and_exact(instant: datetime) -> None:
    since_1970 = clock.milliseconds(instant)
    assert since_1970 == timegm(instant.timetuple()) * 1000 + instant.microsecond // 1000
    assert clock.to_text(clock.from_milliseconds(since_1970)) == clock.to_text(instant)
    assert clock.from_milliseconds(since_1970).tzinfo is UTC


def test_milliseconds_are_those_of_the_instant_whatever_its_offset() -> None:
    assert clock.milliseconds(datetime(1970, 1, 1, 2, tzinfo=timezone(timedelta(hours=1)))) == 3_600_000


@pytest.mark.parametrize("since_1970", [-(10**15), 10**15])
def test_there_are_instants_for_the_years_1_to_9999_only(since_1970: int) -> None:
    with pytest.raises(OverflowError):
        clock.from_milliseconds(since_1970)

"""Ids always sort by creation, and contain its time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import RFC_4122

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core import clock, ids
from tests.support.hypothesis_profile import law

INSTANTS = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)).map(  # noqa: DTZ001  the strategy adds the zone
    lambda instant: instant.replace(microsecond=instant.microsecond // 1000 * 1000)
)


def test_every_id_is_greater_than_the_last_though_many_share_a_millisecond() -> None:
    made = [ids.new_id() for _ in range(20_000)]
    assert all(earlier < later for earlier, later in pairwise(made))
    assert [str(value) for value in made] == sorted(str(value) for value in made)


def test_an_id_is_a_uuid_of_version_7_with_the_time_in_it() -> None:
    before = clock.now()
    made = ids.new_id()
    assert (made.version, made.variant) == (7, RFC_4122)
    assert before <= ids.created_at(made) <= clock.now() + timedelta(seconds=1)


def test_a_clock_that_falls_back_a_little_does_not_turn_the_order() -> None:
    first = ids.new_id()
    with clock.shifted(timedelta(milliseconds=-500)):
        assert ids.new_id() > first


@law(300)
@given(INSTANTS)
def test_the_bounds_of_an_instant_are_exact_to_the_millisecond(instant: datetime) -> None:
    first, last = ids.first_id_at(instant), ids.last_id_at(instant)
    assert first < last
    assert ids.created_at(first) == ids.created_at(last) == instant
    assert last < ids.first_id_at(instant + timedelta(milliseconds=1))


@pytest.mark.parametrize("year", [1, 1969])
def test_before_1970_there_are_no_ids_and_the_beginning_bounds_them(year: int) -> None:
    assert ids.first_id_at(datetime(year, 1, 1, tzinfo=UTC)) == ids.first_id_at(datetime(1970, 1, 1, tzinfo=UTC))


def test_the_end_of_time_is_a_bound_too() -> None:
    assert ids.last_id_at(datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)) > ids.new_id()


@law()
@given(st.integers(min_value=-10_000, max_value=10_000))
def test_an_id_made_at_an_instant_lies_between_its_bounds(shift: int) -> None:
    with clock.shifted(timedelta(days=shift % 3650)):
        made = ids.new_id()
    at = ids.created_at(made)
    assert ids.first_id_at(at) <= made <= ids.last_id_at(at)

"""Packed months: the pieces of a span add up to the span, and packing is reversible."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.core import clock
from chalicelib.models.staffing import packed_months
from tests.support.hypothesis_profile import law

pytestmark = pytest.mark.storeless

FIRST = datetime.min.replace(tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC, microsecond=999_000)
MILLISECOND = timedelta(milliseconds=1)
MONTH = 31 * 86_400_000
"""The longest month."""


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


INSTANTS = st.integers(clock.milliseconds(FIRST), clock.milliseconds(LAST)).map(clock.from_milliseconds)
LENGTHS = st.integers(0, 400 * 86_400_000).map(lambda length: timedelta(milliseconds=length))


# -- a span by month -------------------------------------------------------------------------------------------------


@law()
@given(start=INSTANTS, length=LENGTHS)
@example(start=FIRST, length=MILLISECOND)
@example(start=FIRST, length=timedelta(days=184))
@example(start=LAST - timedelta(days=184), length=timedelta(days=184))
@example(start=LAST - MILLISECOND, length=MILLISECOND)
@example(start=at("2027-12-31T23:59:59.999"), length=2 * MILLISECOND)
@example(start=at("2028-02-29"), length=timedelta(days=1))
@example(start=at("1969-12-31T12:00"), length=timedelta(days=1))
def test_the_pieces_of_a_span_are_the_span(start: datetime, length: timedelta) -> None:
    end = min(start, LAST - length) + length
    start = end - length
    pieces = packed_months.split(start, end)
    absolute = [
        (packed_months.bounds(month)[0] + low, packed_months.bounds(month)[0] + high) for month, low, high in pieces
    ]
    # The pieces cover the span without a gap.
    edges = [absolute[0][0], absolute[-1][1]] if absolute else []
    assert edges == ([clock.milliseconds(start), clock.milliseconds(end)] if start < end else [])
    assert all(before[1] == after[0] for before, after in pairwise(absolute))
    # No piece is empty or leaves its month, and a month has one piece.
    for month, low, high in pieces:
        first, beyond = packed_months.bounds(month)
        assert 0 <= low < high <= beyond - first <= MONTH
    names = [piece.month for piece in pieces]
    assert names == sorted(set(names))


@law()
@given(INSTANTS)
@example(FIRST)
@example(LAST)
@example(at("2028-02-29T23:59:59.999"))
@example(at("2028-03-01"))
def test_an_instant_is_in_the_month_of_its_label(instant: datetime) -> None:
    first, beyond = packed_months.bounds(packed_months.label_of(instant))
    assert first <= clock.milliseconds(instant) < beyond


@pytest.mark.parametrize(
    ("start", "end", "pieces"),
    [
        ("2026-03-02T08:00", "2026-03-02T16:30", [("2026-03", 115_200_000, 145_800_000)]),
        (
            "2026-03-31T22:00",
            "2026-04-01T06:00",
            [("2026-03", 2_671_200_000, 2_678_400_000), ("2026-04", 0, 21_600_000)],
        ),
        ("2026-03-01", "2026-04-01", [("2026-03", 0, MONTH)]),
        ("2028-02-01", "2028-03-01", [("2028-02", 0, 29 * 86_400_000)]),
        ("2027-02-01", "2027-03-01", [("2027-02", 0, 28 * 86_400_000)]),
        (
            "2026-12-31T23:00",
            "2027-01-01T01:00",
            [("2026-12", 2_674_800_000, 2_678_400_000), ("2027-01", 0, 3_600_000)],
        ),
        ("2026-03-01", "2026-03-01", []),
    ],
)
def test_pieces_by_the_calendar(start: str, end: str, pieces: list[tuple[str, int, int]]) -> None:
    assert packed_months.split(at(start), at(end)) == pieces


# -- as bytes --------------------------------------------------------------------------------------------------------

EDGES = st.tuples(st.integers(0, MONTH), st.integers(0, MONTH))
GROUPS = st.dictionaries(st.uuids(), st.lists(EDGES, max_size=5), max_size=4)


@law()
@given(GROUPS)
def test_unpacking_reverses_packing(groups: dict[UUID, list[tuple[int, int]]]) -> None:
    packed = packed_months.pack(groups)
    assert packed_months.unpack(packed) == {position: sorted(spans) for position, spans in groups.items() if spans}
    assert len(packed) == sum(18 + 8 * len(spans) for spans in groups.values() if spans)


@law(30)
@given(GROUPS, st.randoms(use_true_random=False))
def test_packing_does_not_depend_on_order(groups: dict[UUID, list[tuple[int, int]]], random: Random) -> None:
    shuffled = [(position, random.sample(spans, len(spans))) for position, spans in groups.items()]
    random.shuffle(shuffled)
    assert packed_months.pack(dict(shuffled)) == packed_months.pack(groups)


def test_nothing_is_no_bytes() -> None:
    assert packed_months.pack({UUID(int=1): []}) == b""
    assert packed_months.unpack(b"") == {}

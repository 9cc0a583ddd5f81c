"""The interval index: for any query, pages yield exactly its intervals, once, in order of start."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.core import clock, ids
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import intervals
from chalicelib.dal.intervals import RUNNING, IntervalQuery, LengthClass, length_class_of
from chalicelib.dal.item import Item
from chalicelib.dal.keys import GSI9, IndexPartition
from tests.support.hypothesis_profile import law

FIRST = datetime.min.replace(tzinfo=UTC)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CLASSES = (*RUNNING, LengthClass.CANCELLED)
MILLISECOND = timedelta(milliseconds=1)
LIMITS = (timedelta(days=1), timedelta(days=14), timedelta(days=184))
"""Longest interval of the first length classes."""


@dataclass(frozen=True)
class Span:
    id: UUID
    start: datetime
    end: datetime | None
    color: str
    cancelled: bool = False

    @property
    def order(self) -> tuple[datetime, str]:
        return self.start, str(self.id)

    def item(self, partition: str) -> Item:
        item = Item(partition, str(self.id), facets={"color": self.color})
        if self.end is not None:
            item.facets["endAt"] = clock.to_text(self.end)
        item.at = intervals.place(length_class_of(self.start, self.end, cancelled=self.cancelled), self.start, self.id)
        item.gsi9pk = partition
        return item


class Shelf:
    def __init__(self, spans: list[Span]) -> None:
        self.partition = f"ORG#{OrganizationId(ids.new_id())}#SPAN"
        self.spans = spans
        for span in spans:
            span.item(self.partition).save()

    def pages(self, query: IntervalQuery, **options: Any) -> list[list[UUID]]:
        """Return all pages; assert that every page gets further than the one before."""
        pages, positions = [], []
        after: str | None = None
        for _ in range(1000):
            page = intervals.read(IndexPartition(GSI9, self.partition), query, after=after, **options)
            assert [row["at"]["S"][2:] for row in page.rows] == page.positions
            pages.append(page.ids)
            after = page.last
            if after is None:
                assert all((a < b) is options["forward"] and a != b for a, b in pairwise(positions)), positions
                return pages
            positions.append(after)
        raise AssertionError("the walk does not end")


def reference(spans: list[Span], query: IntervalQuery, color: str | None, *, forward: bool) -> list[UUID]:
    """Evaluate the query over a list."""
    matching = [
        span
        for span in spans
        if length_class_of(span.start, span.end, cancelled=span.cancelled) in query.classes
        and (query.starts_after is None or span.start > query.starts_after)
        and (query.starts_until is None or span.start <= query.starts_until)
        and (query.starts_before is None or span.start < query.starts_before)
        and (query.ends_after is None or span.end is None or span.end > query.ends_after)
        and (query.ends_until is None or (span.end is not None and span.end <= query.ends_until))
        and color in {None, span.color}
    ]
    return [span.id for span in sorted(matching, key=lambda span: span.order, reverse=not forward)]


# -- length classes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("longest", "length_class", "next_class"), list(zip(LIMITS, RUNNING[:3], RUNNING[1:], strict=True))
)
def test_the_longest_interval_of_a_length_class(
    longest: timedelta, length_class: LengthClass, next_class: LengthClass
) -> None:
    assert length_class_of(NOON, NOON + longest) is length_class
    assert length_class_of(NOON, NOON + longest + MILLISECOND) is next_class
    assert length_class_of(NOON, NOON + longest, cancelled=True) is LengthClass.CANCELLED


def test_intervals_without_an_end_are_in_the_longest_class() -> None:
    assert length_class_of(NOON, None) is LengthClass.LONGER
    assert length_class_of(NOON, None, cancelled=True) is LengthClass.CANCELLED


# -- results ---------------------------------------------------------------------------------------------------------

# Few instants, at the limits of the length classes, so that ties and boundaries are frequent.
STEPS = (
    timedelta(),
    MILLISECOND,
    timedelta(hours=8),
    *(limit + by for limit in LIMITS for by in (-MILLISECOND, timedelta(), MILLISECOND)),
)
INSTANTS = st.builds(lambda step, sign: NOON + sign * step, st.sampled_from(STEPS), st.sampled_from((-1, 1)))
LENGTHS = st.none() | st.sampled_from(STEPS[1:])
SPANS = st.builds(
    lambda identifier, start, length, color, cancelled: Span(
        identifier, start, None if length is None else start + length, color, cancelled
    ),
    st.integers(0, 2**128 - 1).map(lambda number: UUID(int=number)),
    INSTANTS,
    LENGTHS,
    st.sampled_from(("red", "blue")),
    st.booleans(),
)
MAYBE = st.none() | INSTANTS


def status_of(name: str, since: datetime | None) -> dict[str, Any]:
    """Return the conditions of a status of assignments."""
    later = NOON if since is None else max(NOON, since)
    return {
        "any": {"ends_after": since},
        "scheduled": {"classes": RUNNING, "starts_after": NOON, "ends_after": since},
        "active": {"classes": RUNNING, "starts_until": NOON, "ends_after": later},
        "completed": {"classes": RUNNING, "starts_until": NOON, "ends_until": NOON, "ends_after": since},
        "cancelled": {"classes": (LengthClass.CANCELLED,), "ends_after": since},
    }[name]


def many(count: int) -> list[Span]:
    """Return overlapping intervals of all length classes, four for every start."""
    lengths = (*(limit + by for limit in LIMITS for by in (timedelta(), MILLISECOND)), None)
    spans = []
    for number in range(count):
        start, length = NOON + timedelta(hours=number // 4 - count // 8), lengths[number % len(lengths)]
        color = "red" if number % 5 == 0 else "blue"
        spans.append(Span(ids.new_id(), start, length and start + length, color, cancelled=number % 11 == 0))
    return spans


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    return Shelf(many(33))


@law(25)
@given(
    status=st.sampled_from(("any", "scheduled", "active", "completed", "cancelled")),
    since=MAYBE,
    until=MAYBE,
    color=st.sampled_from((None, "red", "blue", "green")),
    limit=st.sampled_from((2, 5, 13, 33, 100)),
    queries=st.sampled_from((None, 1, 5, 16)),
    forward=st.booleans(),
)
def test_pages_yield_matching_intervals_once_in_order(
    shelf: Shelf,
    status: str,
    since: datetime | None,
    until: datetime | None,
    color: str | None,
    limit: int,
    queries: int | None,
    *,
    forward: bool,
) -> None:
    condition = None if color is None else Item.facets["color"] == color
    query = IntervalQuery(**status_of(status, since), starts_before=until, condition=condition)
    pages = shelf.pages(query, limit=limit, forward=forward, queries=queries)

    assert [interval for page in pages for interval in page] == reference(shelf.spans, query, color, forward=forward)
    assert all(len(page) <= limit for page in pages)
    # Without a limit of queries, only the last page is short; it is empty only if the result is
    assert queries is not None or all(len(page) == limit for page in pages[:-1])
    assert queries is not None or pages[-1] or len(pages) == 1


@law(30)
@given(
    spans=st.lists(SPANS, max_size=6, unique_by=lambda span: span.id),
    starts_after=MAYBE,
    starts_until=MAYBE,
    starts_before=MAYBE,
    ends_after=MAYBE,
    ends_until=MAYBE,
    classes=st.sets(st.sampled_from(CLASSES)).map(sorted),
    limit=st.integers(1, 7),
    forward=st.booleans(),
)
@example([Span(UUID(int=1), FIRST, FIRST + MILLISECOND, "red")], None, None, None, FIRST, None, [*CLASSES], 1, True)
def test_each_condition_is_exact_for_any_spans(
    spans: list[Span],
    starts_after: datetime | None,
    starts_until: datetime | None,
    starts_before: datetime | None,
    ends_after: datetime | None,
    ends_until: datetime | None,
    classes: list[LengthClass],
    limit: int,
    forward: bool,  # noqa: FBT001  an example has no names
) -> None:
    shelf = Shelf(spans)
    query = IntervalQuery(classes, starts_after, starts_until, starts_before, ends_after, ends_until)

    pages = shelf.pages(query, limit=limit, forward=forward, queries=16)

    assert [interval for page in pages for interval in page] == reference(spans, query, None, forward=forward)


# -- costs -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("forward", [True, False])
def test_a_page_that_took_its_queries_ends_early_and_the_next_goes_on(
    monkeypatch: pytest.MonkeyPatch, shelf: Shelf, *, forward: bool
) -> None:
    # Given a filter that nothing matches, and queries that see three rows
    monkeypatch.setattr(intervals, "_ROWS_A_FILTERED_QUERY", 3)
    query = IntervalQuery(condition=Item.facets["color"] == "green")
    # When a list of one row is walked, with one query of each length class on each page
    pages = shelf.pages(query, limit=1, forward=forward, queries=1)
    # Then it takes many pages, and ends
    assert len(pages) > 3
    assert not any(pages)


@pytest.mark.parametrize("forward", [True, False])
@pytest.mark.parametrize("queries", [1, 7])
def test_rare_rows_take_many_short_pages(
    monkeypatch: pytest.MonkeyPatch, shelf: Shelf, queries: int, *, forward: bool
) -> None:
    monkeypatch.setattr(intervals, "_ROWS_A_FILTERED_QUERY", 2)
    query = IntervalQuery(condition=Item.facets["color"] == "red")

    pages = shelf.pages(query, limit=1, forward=forward, queries=queries)

    assert [interval for page in pages for interval in page] == reference(shelf.spans, query, "red", forward=forward)


def test_past_intervals_of_short_classes_are_not_read() -> None:
    """The price of a query for current intervals depends on them, not on past ones."""
    query = IntervalQuery(RUNNING, starts_until=NOON, ends_after=NOON)
    for length_class, longest in zip(RUNNING[:3], LIMITS, strict=True):
        low, high = query.bounds(length_class)
        before = intervals.place(length_class, NOON - longest, UUID(int=2**128 - 1))
        assert before < low < intervals.place(length_class, NOON - longest + MILLISECOND, UUID(int=0)) < high
        assert high > intervals.place(length_class, NOON, UUID(int=2**128 - 1))

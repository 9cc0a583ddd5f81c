"""Cursors: a walk yields every row once, in spite of concurrent writes; a cursor is valid in its own list only."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core import ids
from chalicelib.core.contracts import CursorPage
from chalicelib.core.errors import ActionError
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import cursors, keys, table
from chalicelib.dal.cursors import Cursors, walk
from chalicelib.dal.item import Item
from chalicelib.dal.keys import GSI1, IndexPartition
from tests.support.client_hooks import recorded
from tests.support.hypothesis_profile import law

SECRET = b"s" * 32
MINE = Cursors(SECRET, "list?{}")
POSITIONS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=80)


# -- the text --------------------------------------------------------------------------------------------------------


@law(200)
@given(POSITIONS)
def test_a_cursor_is_read_as_it_was_written(position: str) -> None:
    cursor = MINE.encode(position)
    assert MINE.decode(cursor) == position
    assert cursor.isascii()
    assert not set("+/=") & set(cursor)


@law(200)
@given(POSITIONS, st.data())
def test_a_flipped_bit_is_noticed(position: str, data: st.DataObject) -> None:
    raw = bytearray(_raw(MINE.encode(position)))
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[bit // 8] ^= 1 << bit % 8
    _is_refused(MINE, base64.urlsafe_b64encode(raw).decode())


@law(200)
@given(POSITIONS, st.data())
def test_a_cut_or_lengthened_cursor_is_noticed(position: str, data: st.DataObject) -> None:
    raw = _raw(MINE.encode(position))
    cut = data.draw(st.integers(0, len(raw) - 1))
    for forged in (raw[:cut], raw + b"\x00", raw[1:], raw + raw):
        _is_refused(MINE, base64.urlsafe_b64encode(forged).decode())


@law(200)
@given(st.text(max_size=200))
def test_no_other_text_is_a_cursor(text: str) -> None:
    _is_refused(MINE, text)


@law()
@given(POSITIONS, st.sampled_from([Cursors(b"t" * 32, "list?{}"), Cursors(SECRET, "list?{x}"), Cursors(SECRET, "l")]))
def test_a_cursor_of_another_organization_or_list_is_refused(position: str, other: Cursors) -> None:
    _is_refused(other, MINE.encode(position))


def _raw(cursor: str) -> bytes:
    return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))


def _is_refused(mine: Cursors, cursor: str) -> None:
    with pytest.raises(ActionError) as refused:
        mine.decode(cursor)
    assert refused.value.code == "VALIDATION_ERROR"
    assert refused.value.details is not None
    assert list(refused.value.details["fieldErrors"]) == ["cursor"]


# -- the walk --------------------------------------------------------------------------------------------------------


class Shelf:
    """A partition with numbered rows; every third one has the facet `odd`."""

    def __init__(self, tenant: OrganizationId, rows: int) -> None:
        self.pk = keys.partition(tenant, "SHELF")
        self.numbers = list(range(rows))
        for number in self.numbers:
            item = Item(self.pk, f"{number:04}", facets={"odd": number % 3 == 0, "number": number})
            item.gsi1pk = f"{self.pk}#INDEX"
            item.save()

    def page(self, cursor: str | None, limit: int, **options: Any) -> tuple[list[int], str | None]:
        page = walk(
            options.pop("partition", self.pk),
            MINE,
            CursorPage[int],
            lambda rows: [int(row["sk"]["S"]) for row in rows],
            cursor=cursor,
            limit=limit,
            **{"forward": True, **options},
        )
        return page.items, page.next_cursor

    def all(self, limits: list[int], **options: Any) -> list[int]:
        seen: list[int] = []
        cursor: str | None = None
        for step in range(1000):
            items, cursor = self.page(cursor, limits[step % len(limits)], **options)
            seen += items
            if cursor is None:
                return seen
        raise AssertionError("the walk does not end")

    def remove(self, number: int) -> None:
        Item(self.pk, f"{number:04}").delete()
        self.numbers.remove(number)


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    return Shelf(OrganizationId(ids.new_id()), 23)


@law(30)
@given(limits=st.lists(st.integers(1, 30), min_size=1, max_size=4), forward=st.booleans())
def test_any_limits_yield_every_row_once_in_order(shelf: Shelf, limits: list[int], *, forward: bool) -> None:
    expected = shelf.numbers if forward else shelf.numbers[::-1]
    assert shelf.all(limits, forward=forward) == expected


@law(15)
@given(limit=st.integers(1, 12), forward=st.booleans())
def test_a_filter_loses_no_rows(shelf: Shelf, limit: int, *, forward: bool) -> None:
    expected = [number for number in shelf.numbers if number % 3 == 0]
    rows = shelf.all([limit], forward=forward, condition=Item.facets["odd"] == True)  # noqa: E712  an expression
    assert rows == (expected if forward else expected[::-1])


@law(15)
@given(limit=st.integers(1, 12), low=st.integers(0, 22), span=st.integers(0, 22), forward=st.booleans())
def test_bounds_apply_to_every_page(shelf: Shelf, limit: int, low: int, span: int, *, forward: bool) -> None:
    expected = [number for number in shelf.numbers if low <= number <= low + span]
    rows = shelf.all([limit], forward=forward, between=(f"{low:04}", f"{low + span:04}"))
    assert rows == (expected if forward else expected[::-1])


@law(10)
@given(limit=st.integers(1, 12))
def test_an_index_is_walked_alike(shelf: Shelf, limit: int) -> None:
    assert shelf.all([limit], partition=IndexPartition(GSI1, f"{shelf.pk}#INDEX")) == shelf.numbers


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_the_last_page_has_no_cursor_and_is_not_empty(tenant: OrganizationId, rows: int, limit: int) -> None:
    shelf = Shelf(tenant, rows)
    cursor: str | None = None
    sizes = []
    while True:
        items, cursor = shelf.page(cursor, limit)
        sizes.append(len(items))
        if cursor is None:
            break
    assert sizes == [limit] * (rows // limit) + [rows % limit] * (rows % limit > 0) or (rows, sizes) == (0, [0])


@law(8)
@given(
    limit=st.integers(1, 5),
    forward=st.booleans(),
    removed=st.lists(st.integers(0, 11), min_size=1, max_size=6, unique=True),
)
def test_rows_removed_during_a_walk_hide_no_others(limit: int, removed: list[int], *, forward: bool) -> None:
    shelf = Shelf(OrganizationId(ids.new_id()), 12)
    seen: list[int] = []
    cursor: str | None = None
    waiting = list(removed)
    while True:
        items, cursor = shelf.page(cursor, limit, forward=forward)
        seen += items
        if waiting:  # also the row at the cursor
            shelf.remove(waiting.pop())
        if cursor is None:
            break
    assert len(seen) == len(set(seen))
    assert seen == sorted(seen, reverse=not forward)
    assert set(range(12)) - set(removed) <= set(seen)


def test_a_filter_with_few_matches_ends_pages_early_and_loses_none(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cursors, "_QUERIES_A_PAGE", 2)
    monkeypatch.setattr(cursors, "_WIDER", 1)
    condition = Item.facets["odd"] == True  # noqa: E712  an expression
    pages = 0
    seen: list[int] = []
    cursor: str | None = None
    while True:
        items, cursor = shelf.page(cursor, 2, condition=condition)
        pages, seen = pages + 1, seen + items
        if cursor is None:
            break
    assert seen == [0, 3, 6, 9, 12, 15, 18, 21]
    assert pages > 3


def test_a_filter_with_few_matches_widens_its_queries(shelf: Shelf) -> None:
    with recorded() as recording:
        assert shelf.page(None, 1, condition=Item.facets["number"] == 22) == ([22], None)
    # Of 2, 8 and 32 rows
    assert recording.operations == ["Query"] * 3


# -- one query -------------------------------------------------------------------------------------------------------


def test_a_query_names_its_partition_and_stays_in_it(shelf: Shelf) -> None:
    assert len(table.query(shelf.pk).items) == 23
    assert table.query(f"{shelf.pk}X").items == []
    assert table.query(shelf.pk[:-1]).items == []
    page = table.query(shelf.pk, limit=5, after="0004")
    assert [item["sk"]["S"] for item in page.items] == ["0005", "0006", "0007", "0008", "0009"]
    assert table.query(shelf.pk, after="0022").items == []
    assert [item["sk"]["S"] for item in table.query(shelf.pk, after="0001", forward=False).items] == ["0000"]

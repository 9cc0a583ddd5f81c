"""Requests to the table: their results, and their numbers of round trips."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core import ids
from chalicelib.core.errors import ActionError
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys, table
from chalicelib.dal.item import Item
from chalicelib.dal.keys import GSI1, IndexPartition, Key
from tests.support import client_hooks
from tests.support.client_hooks import Fault
from tests.support.hypothesis_profile import law

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text(st.characters(codec="utf-8"), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abcdeSNM", min_size=1, max_size=3), inner),
    max_leaves=8,
)


def _key(tenant: OrganizationId, name: str = "row") -> Key:
    return Key(keys.partition(tenant, "SHELF"), name)


@law(25)
@given(data=st.dictionaries(st.text("abcSNM", min_size=1, max_size=4), JSON, max_size=4))
def test_a_document_comes_back_as_it_was(data: dict[str, Any]) -> None:
    key = _key(OrganizationId(ids.new_id()))
    Item(*key, data=data).save()
    item = table.get(key)
    assert item is not None
    assert item.data == data


@law(15)
@given(value=st.dictionaries(st.sampled_from(["S", "N", "M", "x"]), st.text("ab", max_size=3), min_size=1))
def test_a_field_that_looks_like_the_wire_format_is_no_wire_format(value: dict[str, str]) -> None:
    key = _key(OrganizationId(ids.new_id()))
    Item(*key, data={"old": 1}).save()
    updated = table.update(key, [table.assign("field", value), table.assign("old", None)])
    assert updated is not None
    item = table.get(key)
    assert item is not None
    assert item.data == updated.data == {"field": value}


def test_a_failed_condition_is_an_answer_and_changes_nothing(tenant: OrganizationId) -> None:
    key = _key(tenant)
    assert table.update(key, [Item.version.set(1)], Item.pk.exists()) is None
    assert table.get(key) is None
    assert table.update(key, [Item.version.set(1)], Item.pk.does_not_exist()) is not None
    assert table.update(key, [Item.version.set(2)], Item.version == 7) is None
    item = table.get(key)
    assert item is not None
    assert item.version == 1


@pytest.mark.parametrize(("count", "round_trips"), [(0, 0), (1, 1), (100, 1), (101, 2)])
def test_a_batch_takes_a_round_trip_for_each_hundred(tenant: OrganizationId, count: int, round_trips: int) -> None:
    stored = {_key(tenant, f"{number:03}") for number in range(0, 101, 10)}
    for key in stored:
        Item(*key).save()
    requested = [_key(tenant, f"{number:03}") for number in range(count)]
    with table.counted() as traffic:
        items = table.batch_get([*requested, *requested])
    assert set(items) == stored & set(requested)
    assert traffic.round_trips == round_trips


def test_slim_rows_are_all_there_in_order_and_stop_above_the_maximum(tenant: OrganizationId) -> None:
    for number in range(5):
        item = Item(
            *_key(tenant, f"{number}"), search="x" if number else None, facets={"n": number} if number else None
        )
        item.gsi1pk = f"{item.pk}#ROWS"
        item.save()
    pk = f"{keys.partition(tenant, 'SHELF')}#ROWS"
    rows = table.query_slim(IndexPartition(GSI1, pk), maximum=100)
    assert [row.sk for row in rows] == list("01234")
    assert [row.search for row in rows] == ["", "x", "x", "x", "x"]
    assert [row.facets for row in rows] == [{}, {"n": 1}, {"n": 2}, {"n": 3}, {"n": 4}]
    assert len(table.query_slim(IndexPartition(GSI1, pk), maximum=2)) > 2


def _shelf(tenant: OrganizationId, rows: int, size: int = 300_000) -> str:
    """Write rows 0, 1, …, all of them in gsi1, every other one with a version; return their partition."""
    for number in range(rows):
        item = Item(*_key(tenant, f"{number}"), version=number if number % 2 else None, search="x" * size)
        item.gsi1pk = f"{item.pk}#ROWS"
        item.save()
    return _key(tenant).pk


def test_rows_behind_another_are_counted_over_any_number_of_pages(tenant: OrganizationId) -> None:
    # Given rows of which a page of 1 MB holds three
    pk = _shelf(tenant, 8)
    with table.counted() as traffic:
        assert table.count(pk, behind=" ") == (8, True)
    assert traffic.round_trips == 3
    assert table.count(pk, behind="2") == (5, True)
    assert table.count(pk, behind="25") == (5, True)
    assert table.count(pk, behind="7") == (0, True)
    assert table.count(pk, behind=" ", condition=Item.version.exists()) == (4, True)
    assert table.count(IndexPartition(GSI1, f"{pk}#ROWS"), behind="0") == (7, True)
    assert table.count(IndexPartition(GSI1, f"{pk}#NONE"), behind=" ") == (0, True)


@pytest.mark.parametrize("maximum", [1, 3, 5, 7, 9])
def test_counting_looks_at_so_many_rows_at_most(tenant: OrganizationId, maximum: int) -> None:
    pk = _shelf(tenant, 8, size=1)
    with table.counted() as traffic:
        assert table.count(pk, behind=" ", maximum=maximum) == (min(maximum, 8), maximum > 8)
    assert traffic.round_trips == 1
    odd = table.count(pk, behind=" ", maximum=maximum, condition=Item.version.exists())
    assert odd == (min(maximum, 8) // 2, maximum > 8)


def test_put_new_replaces_nothing(tenant: OrganizationId) -> None:
    assert table.put_new(Item(*_key(tenant), version=1)) is True
    assert table.put_new(Item(*_key(tenant), version=2)) is False
    item = table.get(_key(tenant))
    assert item is not None
    assert item.version == 1


@pytest.mark.parametrize("kind", ["request lost", "response lost"])
def test_a_store_that_does_not_answer_is_a_database_error(tenant: OrganizationId, kind: str) -> None:
    calls = [
        lambda: table.get(_key(tenant)),
        lambda: table.batch_get([_key(tenant)]),
        lambda: table.query(_key(tenant).pk),
        lambda: table.count(_key(tenant).pk, behind=" "),
        lambda: table.update(_key(tenant), [Item.version.set(1)]),
        lambda: table.put_new(Item(*_key(tenant))),
    ]
    for call in calls:
        with client_hooks.without_waiting(), client_hooks.broken(Fault(1, kind)), pytest.raises(ActionError) as failed:
            call()
        assert (failed.value.code, failed.value.retry_after_seconds) == ("DATABASE_ERROR", 1)

"""Items as they are read from the wire: the same as PynamoDB reads them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pynamodb.exceptions import AttributeDeserializationError
from pynamodb.models import Model

from chalicelib.dal.item import RAW_MAP, Item, plain_map
from tests.support.hypothesis_profile import law

pytestmark = pytest.mark.storeless

_NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.text() | _NUMBERS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1), inner, max_size=4),
    max_leaves=12,
)
_MAPS = st.dictionaries(st.text(min_size=1), _VALUES, max_size=6)


@law()
@given(values=_MAPS)
def test_a_map_is_read_as_it_was_written(values: dict[str, Any]) -> None:
    wire = RAW_MAP.serialize(values)
    assert plain_map(wire) == values
    assert repr(plain_map(wire)) == repr(RAW_MAP.deserialize(wire))


@pytest.mark.parametrize("number", ["0", "-7", "12.50", "-0.1", "1E+2", "1e-7", "123456789012345678901234567890"])
def test_numbers_are_read_in_every_form_of_the_store(number: str) -> None:
    wire = {"number": {"N": number}}
    assert repr(plain_map(wire)) == repr(RAW_MAP.deserialize(wire))


@law()
@given(data=_MAPS, version=st.integers(min_value=1))
def test_an_item_is_read_as_pynamodb_reads_it(data: dict[str, Any], version: int) -> None:
    wire = Item("ORG#1", "CLIENT#1", data=data, version=version, search="a").serialize()
    wire |= {"ttl": {"NULL": True}, "of_a_newer_version": {"S": "x"}}
    ours, theirs = Item.from_raw_data(wire), Model.from_raw_data.__func__(Item, wire)
    assert ours.attribute_values == theirs.attribute_values
    assert (ours.ttl, ours.facets, ours.version) == (None, None, version)


def test_an_attribute_of_another_type_is_refused() -> None:
    with pytest.raises(AttributeDeserializationError):
        Item.from_raw_data({"pk": {"S": "ORG#1"}, "sk": {"S": "CLIENT#1"}, "version": {"S": "1"}})

"""Activities in the table: read back unchanged from every index."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core import ids
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys, table
from chalicelib.dal.unit_of_work import StaleRead, UnitOfWork
from chalicelib.models.activities import activities
from chalicelib.models.activities.activities import ACTIVITIES, ActivityType, Severity, StoredActivity
from chalicelib.models.activities.audience import EVERYONE
from chalicelib.models.audit import Actor
from tests.support.hypothesis_profile import law

NAMES = st.text(max_size=4) | st.text(" aS", max_size=2)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


def _activity(metadata: dict[str, Any] | None = None, identifier: UUID | None = None) -> StoredActivity:
    fields = {
        "title": "Margin is critical",
        "type": ActivityType.SYSTEM_EVENT,
        "severity": Severity.CRITICAL,
        "entity_type": "metric",
        "entity_id": "1",
        "action": "METRIC_CRITICAL",
        "actor": Actor(name="Workledger"),
        "readers": EVERYONE,
    }
    return StoredActivity.happened(identifier or ids.new_id(), metadata=metadata or {}, **fields)


@law(20)
@given(metadata=st.dictionaries(NAMES, JSON, max_size=4))
def test_any_metadata_is_read_back_unchanged(metadata: dict[str, Any]) -> None:
    tenant = OrganizationId(ids.new_id())
    activity = _activity(metadata)
    assert activities.record_once(tenant, activity)
    assert ACTIVITIES.get(tenant, activity.id) == activity


def test_every_index_holds_it_whole_or_only_counts_it(tenant: OrganizationId) -> None:
    activity = _activity({"value": 1})
    activities.record_once(tenant, activity)
    for partition in (
        keys.activities_of_type(tenant, "SYSTEM_EVENT"),
        keys.activities_of_entity(tenant, "metric", "1"),
    ):
        assert [StoredActivity.of(table.item_from_raw(row)) for row in table.query(partition).items] == [activity]
    (row,) = table.query(keys.activity_feed(tenant)).items
    assert {*row} == {"pk", "sk", "gsi1pk", "facets"}


def test_recorded_in_a_unit_it_is_there_with_the_rest_or_not_at_all(tenant: OrganizationId) -> None:
    activity = _activity()
    unit = UnitOfWork(tenant)
    activities.record(unit, activity)
    assert unit.change is None, "an activity is never the audit target"
    unit.commit()
    # When one with the same id is recorded together with another write
    again = UnitOfWork(tenant)
    activities.record(again, _activity(identifier=activity.id))
    other = _activity()
    activities.record(again, other)
    # Then neither is written
    with pytest.raises(StaleRead):
        again.commit()
    assert activities.newest(tenant) == activity.id


def test_once_is_once(tenant: OrganizationId) -> None:
    activity = _activity()
    assert activities.newest(tenant) is None
    assert activities.record_once(tenant, activity) is True
    assert activities.record_once(tenant, activity.model_copy(update={"title": "Other words"})) is False
    assert ACTIVITIES.get(tenant, activity.id) == activity

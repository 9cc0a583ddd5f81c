"""Metric states: listed from their due time on, written once, with a history in order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from chalicelib.core import clock, ids
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys, table
from chalicelib.dal.cursors import Cursors
from chalicelib.dal.due_index import SHARDS, DueRow
from chalicelib.dal.unit_of_work import StaleRead, UnitOfWork, stale
from chalicelib.models.dashboards import metric_states
from chalicelib.models.dashboards.metric_states import SYSTEM, LastResult, MetricState

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CURSORS = Cursors(b"secret", "points")


def _due(organization: OrganizationId, now: datetime) -> set[str]:
    rows = [row for shard in range(SHARDS) for row in metric_states.due(shard, now)]
    return {row.row for row in rows if row.organization == organization}


def _added(tenant: OrganizationId, due_at: datetime = NOW) -> UUID:
    metric, unit = ids.new_id(), UnitOfWork(tenant)
    metric_states.add(unit, metric, refresh_rate=60, due_at=due_at)
    unit.commit()
    return metric


def _state(tenant: OrganizationId, metric: UUID) -> MetricState:
    return metric_states.read(tenant, [str(metric)])[str(metric)]


def _record(tenant: OrganizationId, state: MetricState, *, at: datetime = NOW, **fields: object) -> None:
    unit = UnitOfWork(tenant)
    result = LastResult.model_validate({"as_of": at, **fields})
    metric = UUID(state.row) if state.row != SYSTEM else ids.new_id()
    metric_states.record(unit, state, {metric: result}, as_of=at, due_at=at + MINUTE, on_failed_condition=stale)
    unit.commit()


def _points(tenant: OrganizationId, metric: UUID, **options: Any) -> list[tuple[datetime, float | None]]:
    arguments: dict[str, Any] = {"since": None, "until": None, "cursor": None, "limit": 100, "forward": True, **options}
    page = metric_states.history(tenant, CURSORS, str(metric), metric, names=lambda _: {}, **arguments)
    return [(point.as_of, point.value) for point in page.items]


def test_a_metric_is_due_from_its_instant_on(tenant: OrganizationId) -> None:
    metric = _added(tenant)

    assert _due(tenant, NOW - timedelta(milliseconds=1)) == set()
    assert _due(tenant, NOW) == {str(metric)}
    assert _due(tenant, NOW + timedelta(days=400)) == {str(metric)}


def test_a_calculated_metric_is_due_later(tenant: OrganizationId) -> None:
    metric = _added(tenant)

    _record(tenant, _state(tenant, metric), value=37.5, previous=0.1, unit="hours", status="normal")

    assert _due(tenant, NOW) == set()
    assert _due(tenant, NOW + MINUTE) == {str(metric)}
    state = _state(tenant, metric)
    assert state.results[metric] == LastResult(as_of=NOW, value=37.5, previous=0.1, unit="hours", status="normal")
    assert (state.refresh_rate, state.due_at, state.version) == (60, NOW + MINUTE, 2)


def test_a_changed_definition_is_due_at_once_and_keeps_or_drops_its_result(tenant: OrganizationId) -> None:
    metric = _added(tenant)
    _record(tenant, _state(tenant, metric), value=1)
    for forget in (False, True):
        unit = UnitOfWork(tenant)
        metric_states.redefine(unit, metric, refresh_rate=90, due_at=NOW, forget=forget)
        unit.commit()

        assert _due(tenant, NOW) == {str(metric)}
        state = _state(tenant, metric)
        assert (state.refresh_rate, bool(state.results)) == (90, not forget)


def test_a_calculation_does_not_overwrite_a_concurrent_change(tenant: OrganizationId) -> None:
    metric = _added(tenant)
    read = _state(tenant, metric)
    unit = UnitOfWork(tenant)
    metric_states.redefine(unit, metric, refresh_rate=60, due_at=NOW, forget=True)
    unit.commit()

    with pytest.raises(StaleRead):
        _record(tenant, read, value=1)

    assert _state(tenant, metric).results == {}
    assert _points(tenant, metric) == []


def test_a_calculation_of_a_removed_metric_is_not_written(tenant: OrganizationId) -> None:
    metric = _added(tenant)
    read = _state(tenant, metric)
    unit = UnitOfWork(tenant)
    metric_states.remove(unit, metric)
    unit.commit()

    with pytest.raises(StaleRead):
        _record(tenant, read, value=1)

    assert metric_states.read_all(tenant) == {}
    assert _due(tenant, NOW) == set()


def test_the_row_of_the_system_is_made_once(tenant: OrganizationId) -> None:
    metric_states.create_system_row(tenant, NOW)
    metric_states.create_system_row(tenant, NOW + MINUTE)

    (state,) = metric_states.read_all(tenant).values()
    assert (state.row, state.due_at, state.version) == (SYSTEM, NOW, 1)


def test_the_row_of_the_system_joins_with_its_first_calculation(tenant: OrganizationId) -> None:
    absent = MetricState.of_system(NOW)

    _record(tenant, absent, value=2)

    with pytest.raises(StaleRead):
        _record(tenant, absent, value=3)
    (state,) = metric_states.read_all(tenant).values()
    assert [result.value for result in state.results.values()] == [2]
    assert _due(tenant, NOW + MINUTE) == {SYSTEM}


def test_organizations_are_found_by_their_system_rows(tenant: OrganizationId) -> None:
    _added(tenant)
    other = OrganizationId(ids.new_id())
    metric_states.create_system_row(tenant, NOW)
    metric_states.create_system_row(other, NOW + timedelta(days=1))

    organizations = [row for shard in range(SHARDS) for row in metric_states.organizations(shard)]

    assert sorted({tenant, other}.intersection(organizations)) == sorted([tenant, other])
    assert all(organizations.count(organization) == 1 for organization in (tenant, other))


def test_due_metrics_are_read_page_by_page(tenant: OrganizationId, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {str(_added(tenant, NOW - timedelta(seconds=number))) for number in range(5)}
    whole = table.query
    monkeypatch.setattr(metric_states.table, "query", lambda *args, **options: whole(*args, **{**options, "limit": 1}))

    assert _due(tenant, NOW) == rows


def test_a_minute_has_one_point_and_points_are_in_order(tenant: OrganizationId) -> None:
    metric = _added(tenant)
    for minute, value in ((0, 1), (1, 2), (1, 3), (2, None)):
        _record(tenant, _state(tenant, metric), at=NOW + minute * MINUTE, value=value)
    _record(tenant, _state(tenant, metric), at=NOW + 3 * MINUTE, error="no")

    points = [(NOW, 1), (NOW + MINUTE, 3), (NOW + 2 * MINUTE, None)]
    assert _points(tenant, metric) == points
    assert _points(tenant, metric, forward=False) == points[::-1]
    assert _points(tenant, metric, since=NOW + MINUTE) == points[1:]
    assert _points(tenant, metric, until=NOW + MINUTE) == points[:2]
    assert _points(tenant, ids.new_id()) == []


def test_points_are_kept_for_four_hundred_days(tenant: OrganizationId) -> None:
    metric = _added(tenant)
    _record(tenant, _state(tenant, metric), value=1)

    point = table.get(keys.Key(keys.metric_history(tenant, str(metric)), clock.to_text(NOW)))

    assert point is not None
    assert point.ttl == (NOW + timedelta(days=400)).timestamp()


def test_rows_spread_over_the_shards(tenant: OrganizationId) -> None:
    shards = {metric_states.shard_of(tenant, str(ids.new_id())) for _ in range(200)}

    assert shards == set(range(SHARDS))


def test_a_due_row_names_its_organization(tenant: OrganizationId) -> None:
    metric = _added(tenant)
    shard = metric_states.shard_of(tenant, str(metric))

    assert DueRow(tenant, str(metric)) in list(metric_states.due(shard, NOW))

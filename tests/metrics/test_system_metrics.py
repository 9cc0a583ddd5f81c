"""System metrics: stable ids, and queries that match their names."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter

from chalicelib.metrics.language.query import parse, sources_of, unit_of
from chalicelib.metrics.rollups.sources.fields import Unit
from chalicelib.metrics.system_metrics import SYSTEM, SystemMetric
from chalicelib.models.dashboards.metric_enums import Direction, MetricCategory, MetricFormat
from chalicelib.models.dashboards.metrics import Color, Icon, MetricName, UnitText

pytestmark = pytest.mark.storeless

FINANCIAL, OPERATIONAL, PRODUCTIVITY, SALES = MetricCategory
BY_KEY = {metric.key: metric for metric in SYSTEM.values()}

IDS = {
    "revenue": "ab295493-40f2-58e8-acd3-181fd3bb3dca",
    "labour_cost": "5e88f238-d4c6-530c-b564-0e5b520c886e",
    "gross_margin": "796c59d0-296c-520a-93cc-14cc0446cbb1",
    "active_assignments": "32644800-5984-5b7f-9409-8f6a037607d1",
    "open_positions": "08bb3607-9174-5adf-a532-9537a5e01626",
    "fill_rate": "04363659-47e5-50c4-a389-cb253b8dcc8c",
    "worker_utilisation": "ad405e6a-4f08-5ddb-8222-bf12207471de",
    "hours_this_week": "6e64dcb1-3111-5b25-9cb8-08af89dc3f75",
    "new_clients": "ee1b8e78-3f4d-5bf9-8737-9020ac221ba0",
    "placements": "be735829-114b-5b20-9ac9-199614fb0c9c",
    "placement_completion_rate": "9a868fc6-3436-5fe9-a155-8fcb752f7a05",
    "active_projects": "33395087-5730-5aaa-a67c-8750bf9e28cf",
    "completed_tasks": "521b9cca-c791-5af2-b5e8-c0eaf6381330",
    "tasks_per_day": "9f9aea4a-5eb1-51a6-9d1f-f5b3a4411b4e",
    "task_completion_rate": "767bef9d-b165-5027-9356-437e5e5136cf",
    "tracked_hours_per_member_and_day": "017eee7c-e1cc-52b9-87cd-8c3e49d874ff",
    "loan_principal_outstanding": "426b17bf-10be-55ac-b052-2e2db6c86265",
    "overdue_loans": "55380f90-6a85-5e69-bede-c8dfccd1e686",
    "loan_offers": "e0c44fe7-c6c5-5e6e-8498-0153b6af82ca",
    "offer_conversion_rate": "935e8793-f032-565b-805c-d5db53c27245",
}
"""Widgets, histories and links of organizations refer to these ids: they never change."""

EACH = pytest.mark.parametrize("metric", BY_KEY.values(), ids=BY_KEY)


def test_ids_are_for_ever() -> None:
    assert {metric.key: str(metric.id) for metric in SYSTEM.values()} == IDS
    assert all(metric.id == identifier for identifier, metric in SYSTEM.items())


@pytest.mark.parametrize(
    ("key", "category", "unit", "period", "direction"),
    [
        ("revenue", FINANCIAL, Unit.MONEY, "this_month", Direction.UP),
        ("labour_cost", FINANCIAL, Unit.MONEY, "this_month", Direction.DOWN),
        ("gross_margin", FINANCIAL, Unit.PERCENT, "this_month", Direction.UP),
        ("active_assignments", OPERATIONAL, Unit.NUMBER, "today", Direction.UP),
        ("open_positions", OPERATIONAL, Unit.NUMBER, "today", Direction.DOWN),
        ("fill_rate", OPERATIONAL, Unit.PERCENT, "today", Direction.UP),
        ("worker_utilisation", OPERATIONAL, Unit.PERCENT, "last_7_days", Direction.UP),
        ("hours_this_week", PRODUCTIVITY, Unit.HOURS, "this_week", Direction.UP),
        ("new_clients", SALES, Unit.NUMBER, "this_month", Direction.UP),
        ("placements", SALES, Unit.NUMBER, "this_month", Direction.UP),
        ("placement_completion_rate", SALES, Unit.PERCENT, "this_month", Direction.UP),
        ("active_projects", OPERATIONAL, Unit.NUMBER, "today", Direction.UP),
        ("completed_tasks", OPERATIONAL, Unit.NUMBER, "this_month", Direction.UP),
        ("tasks_per_day", PRODUCTIVITY, Unit.NUMBER, "last_7_days", Direction.UP),
        ("task_completion_rate", PRODUCTIVITY, Unit.PERCENT, "this_month", Direction.UP),
        ("tracked_hours_per_member_and_day", PRODUCTIVITY, Unit.HOURS, "last_7_days", Direction.UP),
        ("loan_principal_outstanding", FINANCIAL, Unit.MONEY, "today", Direction.UP),
        ("overdue_loans", FINANCIAL, Unit.NUMBER, "today", Direction.DOWN),
        ("loan_offers", SALES, Unit.NUMBER, "this_month", Direction.UP),
        ("offer_conversion_rate", SALES, Unit.PERCENT, "last_90_days", Direction.UP),
    ],
)
def test_units_and_periods(key: str, category: MetricCategory, unit: Unit, period: str, direction: Direction) -> None:
    metric = BY_KEY[key]
    assert (metric.category, unit_of(metric.query), metric.query.period, metric.direction) == (
        category,
        unit,
        period,
        direction,
    )


@EACH
def test_the_format_matches_the_unit(metric: SystemMetric) -> None:
    assert (metric.format, metric.unit) == {
        Unit.MONEY: (MetricFormat.CURRENCY, None),
        Unit.PERCENT: (MetricFormat.PERCENTAGE, "%"),
        Unit.HOURS: (MetricFormat.NUMBER, "h"),
        Unit.NUMBER: (MetricFormat.NUMBER, None),
    }[unit_of(metric.query)]
    assert metric.refresh_rate == 300
    assert metric.description.endswith(".")


@EACH
def test_an_organization_could_have_defined_it(metric: SystemMetric) -> None:
    assert parse(metric.query.model_dump(mode="json")) == metric.query
    for kind, value in ((MetricName, metric.name), (Icon, metric.icon), (Color, metric.color)):
        TypeAdapter(kind).validate_python(value)
    if metric.unit is not None:
        TypeAdapter(UnitText).validate_python(metric.unit)


def test_names_are_unique() -> None:
    assert len({metric.name for metric in SYSTEM.values()}) == len(SYSTEM)


def test_clauses_of_the_queries() -> None:
    """Clauses that a value alone would not reveal."""
    queries = {key: metric.query.model_dump(mode="json") for key, metric in BY_KEY.items()}
    assert queries["revenue"]["field"] == "billed"
    assert queries["labour_cost"]["field"] == "paid"
    assert [queries["gross_margin"][part]["field"] for part in ("numerator", "denominator")] == ["margin", "marginBase"]
    assert (queries["active_assignments"]["type"], queries["active_assignments"]["where"]) == ("snapshot", [])
    assert queries["open_positions"]["where"] == [{"field": "isOpen", "op": "eq", "value": True}]
    assert [queries["fill_rate"][part]["field"] for part in ("numerator", "denominator")] == ["filled", "headcount"]
    assert queries["placements"]["field"] == "startAt"
    assert [
        queries["placement_completion_rate"][part]["where"][0]["value"] for part in ("numerator", "denominator")
    ] == ["completed", ["completed", "cancelled"]]
    assert sources_of(BY_KEY["worker_utilisation"].query) == {"assignments", "workers"}
    assert queries["worker_utilisation"]["expression"]["left"]["right"]["right"] == {
        "type": "constant",
        "value": 40,
        "unit": "hours",
    }
    tracked = queries["tracked_hours_per_member_and_day"]["expression"]["left"]
    assert (tracked["left"]["source"], tracked["left"]["field"]) == ("timeSessions", "hours")
    assert tracked["right"]["where"] == [{"field": "status", "op": "eq", "value": "ACTIVE"}]
    lent = {"field": "side", "op": "eq", "value": "lender"}
    assert (queries["loan_principal_outstanding"]["field"], queries["loan_principal_outstanding"]["where"]) == (
        "outstanding",
        [lent],
    )
    assert queries["overdue_loans"]["where"] == [lent, {"field": "bucket", "op": "ne", "value": "CURRENT"}]
    assert (queries["loan_offers"]["field"], queries["loan_offers"]["where"]) == ("createdAt", [lent])
    assert [queries["offer_conversion_rate"][part] for part in ("from", "to")] == ["offered", "accepted"]

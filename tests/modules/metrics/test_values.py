"""Values of metrics: who sees them, how they are listed, calculated and stored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core import clock, ids, text
from chalicelib.dal.unit_of_work import UnitOfWork
from chalicelib.metrics.definitions import SYSTEM_METRICS
from chalicelib.models.dashboards import metric_states, metrics
from chalicelib.models.dashboards.metric_enums import MetricCategory
from chalicelib.models.dashboards.metrics import Metric
from chalicelib.models.users import Role
from tests.support.api import Api
from tests.support.assignment_helpers import NOW, refusal
from tests.support.client_hooks import recorded
from tests.support.factories import Member, Organization, new_organization
from tests.support.frozen_time import later, standing_still
from tests.support.metric_helpers import HEADCOUNT, LIMITS, Gauges

AS_OF = clock.to_text(NOW + timedelta(minutes=1))
READERS = {Role.OWNER, Role.ADMIN}
"""Roles that see the values of all metrics."""
HOURS = next(str(metric.id) for metric in SYSTEM_METRICS.values() if metric.name == "Hours this week")
REVENUE = next(str(metric.id) for metric in SYSTEM_METRICS.values() if metric.name == "Revenue")


@pytest.fixture(autouse=True)
def _still() -> Iterator[None]:
    with standing_still(NOW):
        yield


@pytest.fixture(scope="module")
def home(api: Api) -> Organization:
    """An organization with its system metrics and no others."""
    organization = new_organization(api)
    for role in Role:
        organization.member(role)
    return organization


@pytest.fixture
def gauges(organization: Organization) -> Gauges:
    return Gauges(organization)


def _listed(member: Member, action: str = "getDashboardMetrics", **parts: Any) -> list[dict[str, Any]]:
    answer = member.call(action, **parts)
    assert answer.status == 200, answer.text
    rows: list[dict[str, Any]] = answer.data["data"]
    return rows


def _result(member: Member, metric: str) -> dict[str, Any]:
    result: dict[str, Any] = member.call("getMetricById", path={"id": metric}).data["result"]
    return result


def _calculated(member: Member, *metrics: str) -> dict[str, dict[str, Any]]:
    answer = member.call("calculateMetrics", body={"metricIds": [*metrics]} if metrics else {})
    assert answer.status == 200, answer.text
    return {metric["id"]: metric for metric in answer.data["metrics"]}


# -- lists -----------------------------------------------------------------------------------------------------------


def test_system_metrics_are_listed_by_category_with_the_organizations_own_values(home: Organization) -> None:
    rows = _listed(home.owner, query={"pageSize": 100})

    assert {row["id"] for row in rows} == {*map(str, SYSTEM_METRICS)}
    ordered = [(row["category"], row["name"]) for row in rows]
    assert ordered == sorted(ordered, key=lambda pair: tuple(map(text.fold, pair)))
    assert all(row["isSystem"] for row in rows)
    assert all(row["result"]["asOf"] == AS_OF and "error" not in row["result"] for row in rows)


def test_a_new_metric_has_its_value_at_once(gauges: Gauges) -> None:
    gauges.set(2)
    metric = gauges.new()

    assert _result(gauges.organization.owner, metric)["value"] == 2
    (row,) = [row for row in _listed(gauges.organization.owner, query={"pageSize": 100}) if row["id"] == metric]
    assert row["result"] == _result(gauges.organization.owner, metric)


def test_values_are_as_calculated_until_they_are_due(gauges: Gauges) -> None:
    metric = gauges.new(refreshRate=300)
    _calculated(gauges.organization.owner, metric)
    gauges.set(1)

    with later(minutes=4):
        assert _result(gauges.organization.owner, metric)["value"] == 0
    with later(minutes=5):
        assert _result(gauges.organization.owner, metric)["value"] == 1


def test_a_search_finds_own_and_system_metrics_in_the_order_asked_for(gauges: Gauges) -> None:
    owner, own = gauges.organization.owner, gauges.new(name="Revenue of crews")
    rows = {"query": {"search": "REVENUE", "sortBy": "name"}}

    assert [row["id"] for row in _listed(owner, **rows)] == [REVENUE, own]
    rows["query"]["sortOrder"] = "desc"
    assert [row["id"] for row in _listed(owner, **rows)] == [own, REVENUE]


def test_pages_are_exact_with_both_kinds(gauges: Gauges) -> None:
    own = {gauges.new() for _ in range(3)}
    seen: list[str] = []
    for page in (1, 2, 3):
        answer = gauges.organization.owner.call("getDashboardMetrics", query={"page": page, "pageSize": 8})
        seen += [row["id"] for row in answer.data["data"]]
    pagination = answer.data["pagination"]

    assert sorted(seen) == sorted({*map(str, SYSTEM_METRICS)} | own)
    assert (pagination["totalItems"], pagination["totalPages"]) == (len(seen), 3)


def test_by_category_are_those_of_the_category(gauges: Gauges) -> None:
    own, _ = gauges.new(category="SALES", name="Ähnliche"), gauges.new(category="FINANCIAL")

    rows = _listed(gauges.organization.owner, "getMetricsByCategory", path={"category": "SALES"})

    names = [row["name"] for row in rows]
    assert names == sorted(names, key=text.fold)
    system = {str(metric.id) for metric in SYSTEM_METRICS.values() if metric.category == "SALES"}
    assert {row["id"] for row in rows} == system | {own}
    answer = gauges.organization.owner.call("getMetricsByCategory", path={"category": "WEATHER"})
    assert refusal(answer) == (400, "VALIDATION_ERROR", ["category"])


# -- who sees values -------------------------------------------------------------------------------------------------


def test_definitions_are_for_all_and_values_for_who_may_see_them(gauges: Gauges) -> None:
    hidden, shown = gauges.new(), gauges.new(permissions=["MEMBER"])
    for role in Role:
        member = gauges.organization.member(role)
        sees = {hidden: role in READERS, shown: role in READERS | {Role.MEMBER}, HOURS: role in READERS}
        listed = {row["id"]: row for row in _listed(member, query={"pageSize": 100})}
        for metric, visible in sees.items():
            assert ("result" in listed[metric]) is visible, (role, metric)
            assert ("result" in member.call("getMetricById", path={"id": metric}).data) is visible
            history = member.call("getMetricHistory", path={"id": metric})
            assert history.status == (200 if visible else 403), role
            calculated = member.call("calculateMetrics", body={"metricIds": [metric]})
            assert calculated.status == (200 if visible else 403), role


def test_all_metrics_are_all_that_one_may_see(gauges: Gauges) -> None:
    gauges.new()
    shown = gauges.new(permissions=["MEMBER"])

    assert _calculated(gauges.organization.member(Role.MEMBER)).keys() == {shown}
    answer = gauges.organization.member(Role.COORDINATOR).call("calculateMetrics")
    assert refusal(answer)[:2] == (403, "FORBIDDEN")


_BILLED = {"source": "assignments", "aggregate": "sum", "field": "billed"}
BILLED = {"type": "simple", "period": "this_month", **_BILLED}
MARGIN = {"type": "ratio", "period": "this_month", "numerator": {**_BILLED, "field": "margin"}, "denominator": _BILLED}
COSTLY = {
    "type": "simple",
    "period": "this_month",
    "source": "assignments",
    "aggregate": "count",
    "where": [{"field": "paid", "op": "gt", "value": 100}],
}


@pytest.mark.parametrize("query", [BILLED, MARGIN, COSTLY])
def test_a_metric_of_money_is_for_nobody_who_may_not_read_rates(gauges: Gauges, query: dict[str, Any]) -> None:
    body = {"name": "Revenue", "category": "FINANCIAL", "query": query}
    refused = gauges.organization.owner.call(
        "createDashboardMetric", body={**body, "permissions": ["MEMBER", "VIEWER"]}
    )
    assert refusal(refused) == (400, "VALIDATION_ERROR", ["permissions"])
    assert refused.error["details"]["fieldErrors"]["permissions"] == ["MEMBER and VIEWER may not see money"]
    allowed = gauges.organization.owner.call("createDashboardMetric", body={**body, "permissions": ["ADMIN"]})
    assert allowed.status == 201
    shared = gauges.new(permissions=["MEMBER"])
    changed = gauges.organization.owner.call(
        "updateDashboardMetric", path={"id": shared}, body={"query": body["query"]}
    )
    assert refusal(changed) == (400, "VALIDATION_ERROR", ["permissions"])


def test_a_stored_metric_of_money_shows_no_values_to_those_whom_it_names(gauges: Gauges) -> None:
    """It may have been stored before this was refused."""
    metric = Metric.new(
        name="Revenue", category=MetricCategory.FINANCIAL, query=BILLED, refresh_rate=60, permissions=(Role.MEMBER,)
    )
    unit = UnitOfWork(gauges.tenant)
    metrics.create(unit, metric, clock.now())
    unit.commit()
    answer = gauges.organization.member(Role.MEMBER).call("calculateMetrics", body={"metricIds": [str(metric.id)]})
    assert (answer.status, answer.code) == (403, "FORBIDDEN")


# -- calculate -------------------------------------------------------------------------------------------------------


def test_calculating_tells_all_there_is_to_tell(gauges: Gauges) -> None:
    gauges.set(1)
    metric = gauges.new(name="Workers", unit="people", targetValue=4, warningThreshold=1, criticalThreshold=3)

    assert _calculated(gauges.organization.owner, metric)[metric] == {
        "id": metric,
        "name": "Workers",
        "category": "OPERATIONAL",
        "value": 1,
        "unit": "people",
        "format": "number",
        "previous": 0,
        "change": 1,
        "changePercent": None,
        "status": "warning",
        "target": 4,
        "progress": 25,
        "asOf": AS_OF,
    }


def test_units_are_told_even_where_nobody_named_them(home: Organization) -> None:
    results = _calculated(home.owner)

    units = {results[str(metric.id)]["unit"] for metric in SYSTEM_METRICS.values() if metric.format == "currency"}
    assert units == {"EUR"}
    assert results[HOURS]["unit"] == "h"


def test_calculating_all_are_own_and_system_metrics(gauges: Gauges) -> None:
    metric = gauges.new()

    assert _calculated(gauges.organization.owner).keys() == {*map(str, SYSTEM_METRICS), metric}


def test_calculating_some_are_those_once_and_in_their_order(gauges: Gauges) -> None:
    one, other = gauges.new(), gauges.new()

    assert [*_calculated(gauges.organization.owner, other, HOURS, one, other)] == [other, HOURS, one]


def test_calculating_writes_what_it_came_to_and_tells_of_it(gauges: Gauges) -> None:
    metric = gauges.new(**LIMITS)
    gauges.set(2)
    for _ in range(2):
        _calculated(gauges.organization.owner, metric)

    assert gauges.values(metric) == [2]
    assert gauges.points(metric) == [(AS_OF, 2)]
    assert [severity for severity, _ in gauges.recorded(metric)] == ["CRITICAL"]


@pytest.mark.parametrize("body", [{"metricIds": []}, {"metricIds": ["1"]}, {"metricIds": [HOURS] * 101}, {"all": True}])
def test_what_calculating_does_not_take(home: Organization, body: dict[str, Any]) -> None:
    assert home.owner.call("calculateMetrics", body=body).code == "VALIDATION_ERROR"


def test_one_that_is_not_there_is_refused_before_anything_is_calculated(gauges: Gauges) -> None:
    metric = gauges.new()

    answer = gauges.organization.owner.call("calculateMetrics", body={"metricIds": [metric, str(ids.new_id())]})

    assert answer.code == "NOT_FOUND"
    assert gauges.state(metric).results == {}


def test_one_that_fails_says_so(gauges: Gauges) -> None:
    metric, sound = gauges.new(), gauges.new()
    gauges.spoil(metric)

    results = _calculated(gauges.organization.owner, metric, sound)

    assert results[metric]["error"].startswith("the query is no longer valid")
    assert (results[metric]["value"], results[metric]["status"]) == (None, None)
    assert "error" not in results[sound]


def test_statuses_are_read_by_the_thresholds_of_now(gauges: Gauges) -> None:
    metric = gauges.new(refreshRate=3600)
    owner = gauges.organization.owner
    _calculated(owner, metric)
    assert _result(owner, metric)["status"] == "normal"

    owner.call("updateDashboardMetric", path={"id": metric}, body={"criticalThreshold": 0})

    assert _result(owner, metric)["status"] == "critical"


# -- history ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def remembered(api: Api) -> tuple[Gauges, str]:
    """A metric that was calculated in five minutes: 0, 1, 2, 3, 4."""
    gauges = Gauges(new_organization(api))
    metric = gauges.new()
    with standing_still(NOW):
        for minute in range(5):
            gauges.set(minute)
            with later(minutes=minute):
                _calculated(gauges.organization.owner, metric)
    return gauges, metric


def _at(minute: int) -> str:
    return clock.to_text(NOW + timedelta(minutes=minute + 1))


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ({}, [4, 3, 2, 1, 0]),
        ({"sortOrder": "asc"}, [0, 1, 2, 3, 4]),
        ({"from": _at(2)}, [4, 3, 2]),
        ({"to": _at(2)}, [2, 1, 0]),
        ({"from": _at(1), "to": _at(3), "sortOrder": "asc"}, [1, 2, 3]),
        ({"from": _at(2), "to": _at(2)}, [2]),
        ({"from": _at(5)}, []),
    ],
)
def test_points_of_a_range(remembered: tuple[Gauges, str], query: dict[str, str], values: list[int]) -> None:
    gauges, metric = remembered

    answer = gauges.organization.owner.call("getMetricHistory", path={"id": metric}, query=query)

    assert [point["value"] for point in answer.data["items"]] == values
    assert answer.data["nextCursor"] is None


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_a_walk_meets_every_point_once(remembered: tuple[Gauges, str], order: str) -> None:
    gauges, metric = remembered
    seen: list[float] = []
    query = {"limit": 2, "sortOrder": order, "from": _at(1)}
    while True:
        page = gauges.organization.owner.call("getMetricHistory", path={"id": metric}, query=query).data
        seen += [point["value"] for point in page["items"]]
        if page["nextCursor"] is None:
            break
        query["cursor"] = page["nextCursor"]

    assert seen == ([1, 2, 3, 4] if order == "asc" else [4, 3, 2, 1])


def test_a_range_that_ends_before_it_begins_is_refused(home: Organization) -> None:
    query = {"from": _at(2), "to": _at(1)}

    answer = home.owner.call("getMetricHistory", path={"id": HOURS}, query=query)

    assert refusal(answer) == (400, "INVALID_DATE_RANGE", ["to"])


# -- validate, catalogue ---------------------------------------------------------------------------------------------


MARGIN = {"version": 1, "type": "simple", "source": "assignments", "aggregate": "sum", "field": "margin"}


@pytest.mark.parametrize(
    ("query", "unit", "pointers"),
    [
        (HEADCOUNT, "number", []),
        ({**MARGIN, "period": "today"}, "money", []),
        ({**HEADCOUNT, "version": 2, "source": "x"}, None, ["/version", "/source"]),
        ({}, None, ["/type"]),
    ],
)
def test_a_query_is_checked_without_saving(
    home: Organization, query: Any, unit: str | None, pointers: list[str]
) -> None:
    with recorded() as recording:
        answer = home.owner.call("validateMetricQuery", body={"query": query})

    assert answer.data["isValid"] is (not pointers), answer.text
    assert answer.data["unit"] == unit
    assert [error["pointer"] for error in answer.data["errors"]] == pointers
    assert recording.operations == ["BatchGetItem"]


def test_a_query_is_calculated_without_saving(home: Organization) -> None:
    answer = home.owner.call("validateMetricQuery", body={"query": HEADCOUNT, "calculate": True})
    assert answer.data["result"]["asOf"] == AS_OF
    assert answer.data["result"]["value"] == 0
    invalid = home.owner.call("validateMetricQuery", body={"query": {}, "calculate": True})
    assert (invalid.data["isValid"], invalid.data["result"]) == (False, None)


@pytest.mark.parametrize("query", [None, [1], "count"])
def test_what_is_no_query_at_all_is_bad_input(home: Organization, query: Any) -> None:
    answer = home.owner.call("validateMetricQuery", body={"query": query})
    assert refusal(answer) == (400, "VALIDATION_ERROR", ["query"])
    assert answer.error["message"] == "query: must be an object"


def test_only_admins_check_queries(home: Organization) -> None:
    for role in Role:
        answer = home.member(role).call("validateMetricQuery", body={"query": {}})
        assert answer.status == (200 if role in READERS else 403), role


def test_the_catalogue_is_for_all(home: Organization) -> None:
    for role in Role:
        sources = home.member(role).call("getMetricCatalogue").data["sources"]
        assert "assignments" in {source["name"] for source in sources}


def test_reading_writes_nothing(organization: Organization) -> None:
    for action in ("getDashboardMetrics", "getMetricCatalogue"):
        operations = organization.owner.call(action).recording.operations
        assert {*operations} <= {"BatchGetItem", "Query"}, action
    assert metric_states.read_all(organization.id) == {}

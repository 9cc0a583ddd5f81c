"""Metrics as organizations define them: valid, invalid, changed and deleted."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from chalicelib.core import ids
from chalicelib.dal import table
from chalicelib.dal.item import Item
from chalicelib.metrics.definitions import SYSTEM_METRICS
from chalicelib.models.dashboards import metric_states
from chalicelib.models.dashboards.metrics import MAX_METRICS, METRICS
from chalicelib.models.organizations import ORGANIZATIONS
from chalicelib.models.users import Role
from tests.support.api import Answer, Api
from tests.support.assignment_helpers import refusal
from tests.support.factories import Organization, new_organization
from tests.support.metric_helpers import HEADCOUNT
from tests.support.threads import at_once

METRIC = {"name": "Workers", "category": "OPERATIONAL", "query": HEADCOUNT}
FULL = {
    **METRIC,
    "description": "All that are there.",
    "unit": "people",
    "format": "number",
    "targetValue": 40,
    "warningThreshold": 30.5,
    "criticalThreshold": 20,
    "direction": "up",
    "chartType": "line",
    "color": "green",
    "icon": "users",
    "permissions": ["COORDINATOR", "MEMBER"],
    "refreshRate": 60,
}
DEFAULTS = {
    "description": None,
    "unit": None,
    "format": "number",
    "targetValue": None,
    "warningThreshold": None,
    "criticalThreshold": None,
    "direction": "down",
    "chartType": None,
    "color": "blue",
    "icon": None,
    "permissions": [],
    "refreshRate": 300,
    "isSystem": False,
    "deletedAt": None,
    "version": 1,
}
SYSTEM_METRIC = next(iter(SYSTEM_METRICS))


@pytest.fixture(scope="module")
def home(api: Api) -> Organization:
    return new_organization(api)


def _create(organization: Organization, **fields: Any) -> Answer:
    return organization.owner.call("createDashboardMetric", body={**METRIC, **fields})


def _created(organization: Organization, **fields: Any) -> dict[str, Any]:
    answer = _create(organization, **fields)
    assert answer.status == 201, answer.text
    metric: dict[str, Any] = answer.data
    return metric


# -- create ----------------------------------------------------------------------------------------------------------


def test_a_metric_needs_a_name_a_category_and_a_query(home: Organization) -> None:
    answer = home.owner.call("createDashboardMetric", body={})

    assert refusal(answer) == (400, "VALIDATION_ERROR", ["category", "name", "query"])


def test_what_is_not_said_has_a_default(home: Organization) -> None:
    metric = _created(home)

    assert {name: metric[name] for name in DEFAULTS} == DEFAULTS
    assert metric["query"] == {**HEADCOUNT, "compare": "previous_period", "groupBy": [], "where": []}


def test_a_metric_is_kept_as_it_was_defined(home: Organization) -> None:
    metric = _created(home, **FULL)

    read = home.owner.call_on("getMetricById", metric["id"]).data
    query = {**HEADCOUNT, "compare": "previous_period", "groupBy": [], "where": []}
    assert {name: metric[name] for name in FULL} == {**FULL, "query": query}
    assert {name: read[name] for name in metric} == metric


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 101),
        ("category", "WEATHER"),
        ("format", "roman"),
        ("direction", "sideways"),
        ("chartType", "cake"),
        ("unit", "x" * 21),
        ("color", ""),
        ("refreshRate", 59),
        ("refreshRate", 86_401),
        ("refreshRate", 60.5),
        ("permissions", ["KING"]),
        ("targetValue", "12"),
        ("targetValue", 1e13),
        ("warningThreshold", True),
        ("organizationId", "019a51c2-7d3e-7f00-8a6b-4c5d6e7f8091"),
        ("isSystem", True),
    ],
)
def test_what_is_wrong_is_named(home: Organization, field: str, value: Any) -> None:
    answer = _create(home, **{field: value})

    status, code, fields = refusal(answer)
    assert (status, code) == (400, "VALIDATION_ERROR")
    assert {path.partition(".")[0] for path in fields} == {field}


def test_faults_of_a_query_are_told_with_the_others_and_where_they_are(home: Organization) -> None:
    condition = {"field": "colour", "op": "eq", "value": "red"}
    answer = _create(home, name="", query={**HEADCOUNT, "aggregate": "smell", "where": [condition]})

    fields = refusal(answer)[2]
    assert fields == ["name", "query.aggregate", "query.where.0.field"]
    assert answer.error["details"]["pointers"] == {
        "query.aggregate": "/query/aggregate",
        "query.where.0.field": "/query/where/0/field",
    }


def test_thresholds_must_make_sense_together(home: Organization) -> None:
    answers = [
        _create(home, warningThreshold=2, criticalThreshold=1),
        _create(home, warningThreshold=1, criticalThreshold=2, direction="up"),
        _create(home, warningThreshold=1, direction="band"),
    ]

    assert [refusal(answer)[2] for answer in answers] == [["criticalThreshold"], ["criticalThreshold"], ["targetValue"]]


def test_zero_is_a_threshold(home: Organization) -> None:
    metric = _created(home, warningThreshold=0, criticalThreshold=-0.0)

    assert (metric["warningThreshold"], metric["criticalThreshold"]) == (0, 0)
    assert str(metric["criticalThreshold"]) == "0.0"


def test_figures_are_kept_to_six_places(home: Organization) -> None:
    metric = _created(home, targetValue=1 / 3, warningThreshold=1e-200)

    read = home.owner.call_on("getMetricById", metric["id"]).data
    assert (read["targetValue"], read["warningThreshold"]) == (0.333333, 0)


def test_roles_stand_once_and_in_order(home: Organization) -> None:
    metric = _created(home, permissions=["VIEWER", "MEMBER", "VIEWER"])

    assert metric["permissions"] == ["MEMBER", "VIEWER"]


# -- update ----------------------------------------------------------------------------------------------------------


def test_an_update_changes_what_it_names_and_makes_the_metric_due(home: Organization) -> None:
    metric = _created(home, **FULL)
    home.owner.call("calculateMetrics", body={"metricIds": [metric["id"]]})
    before = metric_states.read(home.id, [metric["id"]])[metric["id"]]

    after = home.owner.call_on(
        "updateDashboardMetric", metric["id"], body={"name": "Crew", "icon": None, "refreshRate": 600}
    ).data

    assert after == {**metric, "name": "Crew", "icon": None, "refreshRate": 600, "version": 2} | {
        "updatedAt": after["updatedAt"]
    }
    state = metric_states.read(home.id, [metric["id"]])[metric["id"]]
    assert state.refresh_rate == 600
    assert state.due_at < before.due_at
    assert state.results == before.results


def test_another_query_forgets_what_the_old_one_came_to(home: Organization) -> None:
    metric = _created(home)
    home.owner.call("calculateMetrics", body={"metricIds": [metric["id"]]})

    clients = {**HEADCOUNT, "source": "clients"}
    after = home.owner.call_on("updateDashboardMetric", metric["id"], body={"query": clients}).data
    assert after["query"]["source"] == "clients"

    assert metric_states.read(home.id, [metric["id"]])[metric["id"]].results == {}


@pytest.mark.parametrize(
    "field", ["name", "category", "query", "format", "direction", "color", "permissions", "refreshRate"]
)
def test_what_a_metric_always_has_cannot_be_cleared(home: Organization, field: str) -> None:
    metric = _created(home)

    assert home.owner.call_on("updateDashboardMetric", metric["id"], body={field: None}).status == 400


def test_thresholds_must_make_sense_with_those_that_stay(home: Organization) -> None:
    metric = _created(home, warningThreshold=10)

    answer = home.owner.call_on("updateDashboardMetric", metric["id"], body={"criticalThreshold": 5})

    assert refusal(answer) == (400, "VALIDATION_ERROR", ["criticalThreshold"])
    assert (
        home.owner.call_on(
            "updateDashboardMetric", metric["id"], body={"criticalThreshold": 5, "direction": "up"}
        ).status
        == 200
    )


# -- delete ----------------------------------------------------------------------------------------------------------


def test_a_deleted_metric_is_gone(home: Organization) -> None:
    metric = _created(home)

    assert home.owner.call_on("deleteDashboardMetric", metric["id"]).data["deletedAt"]

    for action in ("getMetricById", "getMetricHistory", "deleteDashboardMetric"):
        assert home.owner.call_on(action, metric["id"]).code == "NOT_FOUND", action
    assert home.owner.call_on("updateDashboardMetric", metric["id"], body={"color": "red"}).code == "NOT_FOUND"
    assert home.owner.call("calculateMetrics", body={"metricIds": [metric["id"]]}).code == "NOT_FOUND"
    assert metric_states.read(home.id, [metric["id"]]) == {}


# -- those that come with the product --------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["updateDashboardMetric", "deleteDashboardMetric"])
def test_system_metrics_cannot_be_changed(home: Organization, action: str) -> None:
    body = {"body": {"color": "red"}} if action == "updateDashboardMetric" else {}

    assert refusal(home.owner.call_on(action, SYSTEM_METRIC, **body))[:2] == (403, "FORBIDDEN")


def test_only_admins_define_metrics(home: Organization) -> None:
    for role in Role:
        answer = home.member(role).call("createDashboardMetric", body=METRIC)
        assert answer.status == (201 if role in {Role.OWNER, Role.ADMIN} else 403), role


# -- how many --------------------------------------------------------------------------------------------------------


def _counted(organization: Organization) -> int:
    item = table.get(ORGANIZATIONS.key(organization.id, organization.id))
    assert item is not None
    assert item.children is not None
    return int(item.children.get(METRICS.entity, 0))


def _pretend(organization: Organization, count: int) -> None:
    key = ORGANIZATIONS.key(organization.id, organization.id)
    table.update(key, [Item.children[METRICS.entity].set(count)])


def test_metrics_are_counted(organization: Organization) -> None:
    metric = _created(organization)
    assert _counted(organization) == 1
    _created(organization)
    organization.owner.call_on("deleteDashboardMetric", metric["id"])
    assert _counted(organization) == 1


def test_there_are_only_so_many(organization: Organization) -> None:
    _pretend(organization, MAX_METRICS - 1)
    metric = _created(organization)

    answer = _create(organization)

    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert "1,000" in answer.error["message"]
    organization.owner.call_on("deleteDashboardMetric", metric["id"])
    assert _create(organization).status == 201


@pytest.mark.usefixtures("on_a_safe_engine")
def test_the_last_place_is_taken_once(organization: Organization) -> None:
    _pretend(organization, MAX_METRICS - 1)

    answers = at_once([lambda: _create(organization)] * 4)

    assert sorted(answer.status for answer in answers) == [201, 400, 400, 400]


def test_metrics_of_others_do_not_exist(home: Organization, organization: Organization) -> None:
    metric = _created(organization)

    assert home.owner.call_on("getMetricById", metric["id"]).code == "NOT_FOUND"
    assert home.owner.call_on("getMetricById", ids.new_id()).code == "NOT_FOUND"
    assert METRICS.get(organization.id, UUID(metric["id"])).name == metric["name"]

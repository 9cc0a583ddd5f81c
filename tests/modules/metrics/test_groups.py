"""Groups of a metric's results: the greatest by name, the others as one, in results and in the history."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from chalicelib.metrics.results import MAX_RESULT_GROUPS
from chalicelib.models.users import Role
from tests.support.api import Api
from tests.support.assignment_helpers import NOW
from tests.support.client_hooks import recorded
from tests.support.factories import Member, Organization, new_organization, unique
from tests.support.frozen_time import later, standing_still
from tests.support.measuring import Json, roll_up, simple, snapshot
from tests.support.metric_helpers import Gauges
from tests.support.staffing import created, new_client, new_location, new_position


@pytest.fixture(autouse=True)
def _still() -> Iterator[None]:
    with standing_still(NOW):
        yield


@pytest.fixture(scope="module")
def sites(api: Api) -> Organization:
    """An organization with one client, and one work location more than a result has groups; the n-th has n heads."""
    with standing_still(NOW):
        organization = new_organization(api)
        for role in Role:
            organization.member(role)
        client = new_client(organization.owner)["id"]
        for number in range(MAX_RESULT_GROUPS + 1):
            location = new_location(organization.owner, client, name=f"Site {number:02}")["id"]
            new_position(organization.owner, location, headcount=number + 1)
        roll_up(organization.id, "positions", "users")
    return organization


HEADS = snapshot("positions", "headcount", groupBy=["workLocationId"])


def _new(organization: Organization, query: Json, **fields: Any) -> str:
    metric = {"name": unique("Grouped"), "category": "OPERATIONAL", "query": query, "refreshRate": 60, **fields}
    return str(created(organization.owner, "createDashboardMetric", **metric)["id"])


def _calculated(member: Member, metric: str) -> Json:
    answer = member.call("calculateMetrics", body={"metricIds": [metric]})
    assert answer.status == 200, answer.text
    (result,) = answer.data["metrics"]
    return dict(result)


def _history(member: Member, metric: str) -> list[Json]:
    return list(member.call("getMetricHistory", path={"id": metric}).data["items"])


def test_the_greatest_come_first_and_the_others_as_one(sites: Organization) -> None:
    metric = _new(sites, HEADS)

    result = _calculated(sites.owner, metric)

    most = MAX_RESULT_GROUPS + 1
    names = [f"Site {number:02}" for number in range(most - 1, 0, -1)]
    assert [group["name"] for group in result["groups"]] == [*names, "1 other"]
    assert [group["value"] for group in result["groups"]] == [*range(most, 1, -1), 1]
    assert all(UUID(group["key"]) for group in result["groups"][:-1])
    assert result["groups"][-1]["key"] is None
    assert sum(group["value"] for group in result["groups"]) == result["value"]


def test_as_many_as_fit_have_no_others(sites: Organization) -> None:
    smallest = _calculated(sites.owner, _new(sites, HEADS))["groups"][0]["key"]
    few = {**HEADS, "where": [{"field": "workLocationId", "op": "ne", "value": smallest}]}

    groups = _calculated(sites.owner, _new(sites, few))["groups"]

    assert len(groups) == MAX_RESULT_GROUPS
    assert None not in [group["key"] for group in groups]


def test_averages_of_the_others_are_unknown(sites: Organization) -> None:
    query = simple("positions", "avg", "headcount", groupBy=["workLocationId"])

    groups = _calculated(sites.owner, _new(sites, query))["groups"]

    assert groups[-1] == {"key": None, "name": "1 other", "value": None}


def test_one_result_wherever_it_is_shown(sites: Organization) -> None:
    metric = _new(sites, HEADS)
    calculated = _calculated(sites.owner, metric)

    assert sites.owner.call("getMetricById", path={"id": metric}).data["result"] == calculated
    listed = sites.owner.call("getDashboardMetrics", query={"pageSize": 100}).data["data"]
    assert next(row["result"] for row in listed if row["id"] == metric) == calculated
    (point,) = _history(sites.owner, metric)
    assert point["groups"] == calculated["groups"]


def test_values_of_a_field_are_their_own_names(sites: Organization) -> None:
    metric = _new(sites, snapshot("users", groupBy=["role"]))

    result = _calculated(sites.owner, metric)

    by_role = {group["key"]: (group["name"], group["value"]) for group in result["groups"]}
    assert by_role == {role.value: (role.value, 1) for role in Role}
    with recorded() as calls:
        (point,) = _history(sites.owner, metric)
    assert point["groups"] == result["groups"]
    assert calls.operations.count("Query") == 1, "reads no names"


def test_points_of_the_past_have_the_names_of_today(sites: Organization) -> None:
    metric = _new(sites, HEADS)
    key = _calculated(sites.owner, metric)["groups"][3]["key"]
    sites.owner.call("updateWorkLocation", path={"id": key}, body={"name": "Site 17, the new one"})

    (point,) = _history(sites.owner, metric)

    assert point["groups"][3] == {"key": key, "name": "Site 17, the new one", "value": MAX_RESULT_GROUPS - 2}
    sites.owner.call("updateWorkLocation", path={"id": key}, body={"name": "Site 17"})


def test_points_outlive_a_change_of_the_query(sites: Organization) -> None:
    metric = _new(sites, HEADS)
    before = _calculated(sites.owner, metric)["groups"]
    query = snapshot("positions", "headcount")
    sites.owner.call("updateDashboardMetric", path={"id": metric}, body={"query": query})

    with later(minutes=1):
        assert "groups" not in _calculated(sites.owner, metric)
        latest, earliest = _history(sites.owner, metric)

    assert "groups" not in latest
    assert earliest["groups"] == before


def test_groups_are_for_those_who_see_the_values(sites: Organization) -> None:
    counted = _new(sites, HEADS, permissions=["VIEWER"])
    money = _new(sites, simple("assignments", "sum", "billed", groupBy=["clientId"]))
    for role in Role:
        member = sites.member(role)
        shown = {
            metric: "groups" in member.call("getMetricById", path={"id": metric}).data.get("result", {})
            for metric in (counted, money)
        }
        sees_all = role in {Role.OWNER, Role.ADMIN}
        assert shown == {counted: sees_all or role is Role.VIEWER, money: sees_all}, role


def test_a_metric_without_groups_has_none_and_one_without_entities_has_an_empty_list(api: Api) -> None:
    gauges = Gauges(new_organization(api))
    plain = gauges.new()
    empty = gauges.new(query=snapshot("positions", groupBy=["clientId"]))

    assert "groups" not in _calculated(gauges.organization.owner, plain)
    assert _calculated(gauges.organization.owner, empty)["groups"] == []
    (point,) = _history(gauges.organization.owner, empty)
    assert point["groups"] == []

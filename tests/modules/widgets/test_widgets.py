"""Widgets: created, shown, changed and deleted, by type."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.core.ids import new_id
from chalicelib.metrics.system_metrics import SYSTEM
from chalicelib.models.dashboards import widgets
from chalicelib.models.users import Role
from tests.support.api import Answer
from tests.support.assignment_helpers import refusal
from tests.support.factories import Organization, new_organization
from tests.support.staffing import new_client
from tests.support.widget_helpers import PLACE, new_metric, new_widget

SYSTEM_METRIC = str(next(iter(SYSTEM)))


def create(organization: Organization, kind: str = "CALENDAR", **fields: Any) -> Answer:
    return organization.owner.call("createDashboardWidget", body={"type": kind, "position": PLACE, **fields})


def change(organization: Organization, widget: dict[str, Any], **fields: Any) -> Answer:
    return organization.owner.call("updateDashboardWidget", path={"id": widget["id"]}, body=fields)


# -- made and shown --------------------------------------------------------------------------------------------------


def test_a_widget_has_what_it_was_made_with_and_who_made_it(settled: Organization) -> None:
    made = {
        "name": "hours",
        "title": "Hours this week",
        "scope": "ORGANIZATION",
        "position": {"x": 3, "y": 1, "w": 2, "h": 5},
        "dataSource": "payroll",
        "refreshRate": 60,
        "isVisible": False,
        "chartType": "gauge",
        "permissions": ["VIEWER", "ADMIN"],
        "config": {"metricId": SYSTEM_METRIC, "step": "week", "showPrevious": False, "showThresholds": True},
    }
    widget = new_widget(settled.owner, "CHART", **made)

    user = settled.owner.user
    assert {name: widget[name] for name in made} == {**made, "permissions": ["ADMIN", "VIEWER"]}
    assert widget["creator"] == {"id": str(user.id), "name": user.full_name, "email": user.email}
    assert settled.owner.call("getWidgetById", path={"id": widget["id"]}).data == widget


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("TABLE", {"metricId": None, "step": "day", "limit": 20}),
        ("ACTIVITY_FEED", {"activityType": None, "limit": 10}),
        ("QUICK_ACTIONS", {"quickActionIds": None, "limit": 12}),
        (
            "CALENDAR",
            {
                "daysBack": 0,
                "daysAhead": 13,
                "workerId": None,
                "positionId": None,
                "workLocationId": None,
                "clientId": None,
                "status": None,
                "limit": 100,
            },
        ),
    ],
)
def test_what_needs_no_config_has_one(settled: Organization, kind: str, config: dict[str, Any]) -> None:
    widget = new_widget(settled.owner, kind)

    assert widget["config"] == config
    assert (widget["refreshRate"], widget["isVisible"], widget["permissions"]) == (300, True, [])


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"name": "own", "title": "Title"}, "own"),
        ({"title": "Title"}, "Title"),
        ({"title": "T" * 99 + " " + "x" * 100}, "T" * 99),
        ({}, "Activity feed"),
    ],
)
def test_a_widget_without_a_name_gets_one(settled: Organization, given: dict[str, str], name: str) -> None:
    assert new_widget(settled.owner, "ACTIVITY_FEED", **given)["name"] == name


@pytest.mark.parametrize("kind", ["METRIC", "CHART", "TABLE"])
def test_metrics_of_its_own_and_the_products_can_be_shown(settled: Organization, kind: str) -> None:
    for metric in (new_metric(settled.owner), SYSTEM_METRIC):
        assert new_widget(settled.owner, kind, config={"metricId": metric})["config"]["metricId"] == metric


@pytest.mark.parametrize(
    ("kind", "fields", "faults"),
    [
        ("METRIC", {}, ["config.metricId"]),
        ("CHART", {"config": {}}, ["config.metricId"]),
        ("CHART", {"config": {"metricId": SYSTEM_METRIC, "step": "hour"}}, ["config.step"]),
        ("METRIC", {"config": {"metricId": "nonsense", "step": "day"}}, ["config.metricId", "config.step"]),
        ("METRIC", {"config": {"metric_id": SYSTEM_METRIC}}, ["config.metricId", "config.metric_id"]),
        ("METRIC", {"config": {"metricId": str(new_id())}}, ["config.metricId"]),
        ("TABLE", {"config": {"metricId": str(new_id())}}, ["config.metricId"]),
        ("TABLE", {"config": {"limit": "5"}}, ["config.limit"]),
        ("TABLE", {"config": {"limit": 101}}, ["config.limit"]),
        ("ACTIVITY_FEED", {"config": {"activityType": "GOSSIP"}}, ["config.activityType"]),
        ("QUICK_ACTIONS", {"config": {"quickActionIds": []}}, ["config.quickActionIds"]),
        ("CALENDAR", {"config": {"daysAhead": 63, "daysBack": -1}}, ["config.daysAhead", "config.daysBack"]),
        (
            "CALENDAR",
            {"config": {"clientId": str(new_id()), "workLocationId": str(new_id())}},
            ["config.clientId", "config.workLocationId"],
        ),
        ("CALENDAR", {"config": []}, ["config"]),
        ("CALENDAR", {"config": None}, ["config"]),
        ("PIE", {"config": {"metricId": SYSTEM_METRIC}}, ["type"]),
        ("CALENDAR", {"position": {"x": -1, "y": 0, "w": 0, "h": 1}}, ["position.w", "position.x"]),
        ("CALENDAR", {"position": {"x": "1", "y": 0, "w": 1}}, ["position.h", "position.x"]),
        ("CALENDAR", {"refreshRate": 59}, ["refreshRate"]),
        ("CALENDAR", {"name": "x" * 101}, ["name"]),
        ("CALENDAR", {"name": " "}, ["name"]),
        ("CALENDAR", {"permissions": ["BOSS"]}, ["permissions.0"]),
        ("CALENDAR", {"createdById": str(new_id())}, ["createdById"]),
    ],
)
def test_faults_are_named_with_their_place(
    settled: Organization, kind: str, fields: dict[str, Any], faults: list[str]
) -> None:
    assert refusal(create(settled, kind, **fields)) == (400, "VALIDATION_ERROR", faults)


def test_what_another_organization_has_cannot_be_shown(api: Any, settled: Organization) -> None:
    other = new_organization(api).owner
    metric, client = new_metric(other), new_client(other)["id"]

    assert refusal(create(settled, "METRIC", config={"metricId": metric}))[2] == ["config.metricId"]
    assert refusal(create(settled, "CALENDAR", config={"clientId": client}))[2] == ["config.clientId"]


def test_what_is_deleted_cannot_be_shown(settled: Organization) -> None:
    metric, client = new_metric(settled.owner), new_client(settled.owner)["id"]
    settled.owner.call("deleteDashboardMetric", path={"id": metric})
    settled.owner.call("deleteClient", path={"id": client})

    assert refusal(create(settled, "METRIC", config={"metricId": metric}))[2] == ["config.metricId"]
    assert refusal(create(settled, "CALENDAR", config={"clientId": client}))[2] == ["config.clientId"]


# -- changed ---------------------------------------------------------------------------------------------------------


def test_a_change_leaves_the_rest(settled: Organization) -> None:
    widget = new_widget(settled.owner, title="Shifts", dataSource="plan", chartType="bar")

    moved = {"position": {"x": 4, "y": 0, "w": 1, "h": 1}, "title": None, "isVisible": False}
    changed = change(settled, widget, **moved).data

    assert changed == {**widget, **moved, "version": 2, "updatedAt": changed["updatedAt"]}


def test_another_type_needs_its_own_config(settled: Organization) -> None:
    widget = new_widget(settled.owner, config={"daysAhead": 3})

    assert refusal(change(settled, widget, type="TABLE")) == (400, "VALIDATION_ERROR", ["config"])
    assert refusal(change(settled, widget, type="TABLE", config={"daysAhead": 3}))[2] == ["config.daysAhead"]
    assert change(settled, widget, type="CALENDAR").data["config"] == widget["config"]
    changed = change(settled, widget, type="TABLE", config={"limit": 5}).data
    assert (changed["type"], changed["config"]) == ("TABLE", {"metricId": None, "step": "day", "limit": 5})


def test_a_new_config_is_checked_by_the_type_it_has(settled: Organization) -> None:
    widget = new_widget(settled.owner, "METRIC", config={"metricId": SYSTEM_METRIC})

    assert refusal(change(settled, widget, config={"limit": 5}))[2] == ["config.limit", "config.metricId"]
    assert refusal(change(settled, widget, config={"metricId": str(new_id())}))[2] == ["config.metricId"]
    assert refusal(change(settled, widget, config="metric"))[2] == ["config"]
    metric = new_metric(settled.owner)
    assert change(settled, widget, config={"metricId": metric}).data["config"] == {"metricId": metric}


def test_a_config_is_replaced_as_a_whole(settled: Organization) -> None:
    widget = new_widget(settled.owner, config={"daysAhead": 3, "limit": 7})

    config = change(settled, widget, config={"daysBack": 2}).data["config"]

    assert (config["daysBack"], config["daysAhead"], config["limit"]) == (2, 13, 100)


def test_what_is_deleted_is_gone(settled: Organization) -> None:
    widget = new_widget(settled.owner)

    deleted = settled.owner.call("deleteDashboardWidget", path={"id": widget["id"]}).data

    assert deleted["deletedAt"] is not None
    for action in ("getWidgetById", "getWidgetData", "deleteDashboardWidget"):
        assert settled.owner.call(action, path={"id": widget["id"]}).code == "NOT_FOUND"


# -- as many as there may be -----------------------------------------------------------------------------------------


@pytest.fixture
def _two_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(widgets, "MAX_WIDGETS", 2)


@pytest.mark.usefixtures("_two_at_most")
def test_a_dashboard_has_room_for_so_many(organization: Organization) -> None:
    first, _ = new_widget(organization.owner), new_widget(organization.owner)

    full = create(organization)

    assert (full.status, full.code) == (400, "VALIDATION_ERROR")
    assert full.error["message"] == "an organization may have at most 2 widgets"
    organization.owner.call("deleteDashboardWidget", path={"id": first["id"]})
    assert create(organization).status == 201


@pytest.mark.usefixtures("_two_at_most")
def test_each_dashboard_has_its_own_room(organization: Organization) -> None:
    for member in (organization.owner, organization.member(Role.MEMBER)):
        for _ in range(2):
            new_widget(member, scope="PERSONAL")
        full = member.call("createDashboardWidget", body={"type": "CALENDAR", "scope": "PERSONAL", "position": PLACE})
        assert full.error["message"] == "a user may have at most 2 widgets"
    assert create(organization).status == 201


@pytest.mark.usefixtures("_two_at_most")
def test_sharing_needs_room_on_the_other_dashboard(organization: Organization) -> None:
    # Given the organization's dashboard full, and a widget of the owner's own
    own = new_widget(organization.owner, scope="PERSONAL")
    shared = [new_widget(organization.owner) for _ in range(2)]
    assert change(organization, own, scope="ORGANIZATION").status == 400
    # When one is taken back
    assert change(organization, shared[0], scope="PERSONAL").status == 200
    # Then there is room for it, and none is left on the own one
    assert change(organization, own, scope="ORGANIZATION").status == 200
    new_widget(organization.owner, scope="PERSONAL")
    assert change(organization, shared[1], scope="PERSONAL").status == 400

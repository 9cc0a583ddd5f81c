"""Data of widgets: by type, limited to the caller's permissions."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.metrics.language.outcomes import CannotTell
from chalicelib.models.users import Role
from tests.support.api import Api
from tests.support.assignment_helpers import Desk, at
from tests.support.factories import Organization, new_organization
from tests.support.frozen_time import later
from tests.support.staffing import created, new_client, new_location
from tests.support.widget_helpers import (
    ACTIVE,
    BY_CLIENT,
    HOURS,
    ask,
    carry,
    chart_of,
    data,
    new_metric,
    new_widget,
)

pytestmark = pytest.mark.usefixtures("noon")


@pytest.fixture(scope="module")
def desk(api: Api, noon: None) -> Desk:
    """An organization in Berlin: 8 hours two days ago, 9 yesterday at another client's, 8 that begin in 2 hours."""
    desk = Desk.of(new_organization(api, timezone="Europe/Berlin"))
    hansa, weser = (new_client(desk.member, name=name)["id"] for name in ("Hansa", "Weser"))
    for client, start, hours in ((hansa, -50, 8), (weser, -26, 9), (hansa, 2, 8)):
        position = desk.position(new_location(desk.member, client)["id"])
        desk.assign(desk.worker(), position, start, start + hours)
    carry(desk.organization)
    return desk


# -- metrics ---------------------------------------------------------------------------------------------------------


def test_a_metric_is_shown_with_what_it_comes_to(desk: Desk) -> None:
    metric = new_metric(desk.member, targetValue=34, permissions=["VIEWER"])
    widget = new_widget(desk.member, "METRIC", config={"metricId": metric})["id"]

    shown = data(desk.member, widget)

    assert (shown["type"], shown["widgetId"], shown["error"]) == ("METRIC", widget, None)
    fields = {
        name: shown["metric"][name] for name in ("id", "value", "unit", "previous", "change", "target", "progress")
    }
    assert fields == {
        "id": metric,
        "value": 17,
        "unit": "h",
        "previous": 0,
        "change": 17,
        "target": 34,
        "progress": 50,
    }


@pytest.mark.parametrize("kind", ["METRIC", "CHART", "TABLE"])
def test_values_are_for_who_may_see_them(desk: Desk, kind: str) -> None:
    # Given a widget that everybody sees, of a metric whose values viewers may see too
    metric = new_metric(desk.member, permissions=["VIEWER"])
    widget = new_widget(desk.member, kind, config={"metricId": metric})["id"]
    for role in Role:
        # When somebody asks for its data
        answer = ask(desk.organization.member(role), widget)
        # Then they get it, or FORBIDDEN
        if role in {Role.OWNER, Role.ADMIN, Role.VIEWER}:
            assert answer.status == 200
        else:
            assert (answer.status, answer.code) == (403, "FORBIDDEN")


def test_what_others_have_been_shown_is_not_shown_to_who_may_not_see_it(desk: Desk) -> None:
    metric = new_metric(desk.member)
    widget = chart_of(desk.member, metric)
    assert ask(desk.member, widget).status == 200

    assert ask(desk.organization.member(Role.COORDINATOR), widget).code == "FORBIDDEN"


@pytest.mark.parametrize("kind", ["METRIC", "CHART", "TABLE"])
def test_a_metric_that_is_gone_is_told(desk: Desk, kind: str) -> None:
    metric = new_metric(desk.member)
    widget = new_widget(desk.member, kind, config={"metricId": metric})["id"]
    desk.member.call("deleteDashboardMetric", path={"id": metric})

    for role in (Role.OWNER, Role.VIEWER):
        shown = data(desk.organization.member(role), widget)
        assert shown["error"] == {"code": "METRIC_DELETED", "message": "this metric is deleted: choose another one"}
        assert shown["type"] == kind


@pytest.mark.parametrize("kind", ["METRIC", "CHART", "TABLE"])
@pytest.mark.parametrize("group_by", [[], ["clientId"]])
def test_a_metric_that_fails_tells_why(
    desk: Desk, kind: str, group_by: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    metric = new_metric(desk.member, {**HOURS, "aggregate": "max", "groupBy": group_by})
    widget = new_widget(desk.member, kind, config={"metricId": metric})["id"]

    def fail(*_: Any) -> None:
        raise CannotTell("there are more than 10,000 assignments")

    monkeypatch.setattr("chalicelib.metrics.engine.scan.Entities.__init__", fail)

    shown = data(desk.member, widget)
    assert shown["error"] == {"code": "METRIC_FAILED", "message": "there are more than 10,000 assignments"}


@pytest.mark.parametrize("kind", ["METRIC", "CHART", "TABLE"])
def test_a_query_that_is_valid_no_more_is_told(desk: Desk, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    metric = new_metric(desk.member)
    widget = new_widget(desk.member, kind, config={"metricId": metric})["id"]
    monkeypatch.setattr("chalicelib.metrics.language.aggregation.SOURCES", {}, raising=True)

    shown = data(desk.member, widget)

    assert shown["error"]["code"] == "METRIC_FAILED"
    assert shown["error"]["message"].startswith("the query is no longer valid: /source: ")


# -- tables ----------------------------------------------------------------------------------------------------------


def test_a_table_has_a_row_a_group(desk: Desk) -> None:
    metric = new_metric(desk.member, BY_CLIENT, name="Hours by client")

    shown = data(desk.member, new_widget(desk.member, "TABLE", config={"metricId": metric})["id"])

    assert shown["columns"] == [
        {"name": "group", "label": "Client", "type": "text"},
        {"name": "value", "label": "Hours by client", "type": "hours"},
    ]
    assert shown["rows"] == [{"group": "Weser", "value": 9}, {"group": "Hansa", "value": 8}]


def test_a_table_has_a_row_a_day(desk: Desk) -> None:
    metric = new_metric(desk.member)

    shown = data(desk.member, new_widget(desk.member, "TABLE", config={"metricId": metric, "limit": 3})["id"])

    assert shown["columns"] == [
        {"name": "from", "label": "Day", "type": "date"},
        {"name": "value", "label": "Hours", "type": "hours"},
    ]
    assert shown["rows"] == [
        {"from": "2026-06-15", "value": 0},
        {"from": "2026-06-14", "value": 9},
        {"from": "2026-06-13", "value": 8},
    ]


def test_a_table_holds_so_many_groups(desk: Desk) -> None:
    metric = new_metric(desk.member, BY_CLIENT)

    shown = data(desk.member, new_widget(desk.member, "TABLE", config={"metricId": metric, "limit": 1})["id"])

    assert shown["rows"] == [{"group": "Weser", "value": 9}]


def test_a_table_of_nothing_else_has_the_latest_assignments(desk: Desk) -> None:
    shown = data(desk.organization.member(Role.VIEWER), new_widget(desk.member, "TABLE", config={"limit": 2})["id"])

    assert [(row["client"], row["startAt"], row["hours"], row["status"]) for row in shown["rows"]] == [
        ("Hansa", at(2), 0, "scheduled"),
        ("Weser", at(-26), 9, "completed"),
    ]
    assert [row["scheduledHours"] for row in shown["rows"]] == [8, 0]
    assert [{*row} for row in shown["rows"]] == [{column["name"] for column in shown["columns"]}] * 2


# -- activities and quick actions ------------------------------------------------------------------------------------


def record(desk: Desk, title: str, kind: str) -> str:
    fields = {"title": title, "type": kind, "entityType": "organization", "entityId": "1", "action": "RECORDED"}
    return str(desk.member.call("recordActivity", body=fields).data["id"])


def test_a_feed_shows_what_happened_as_the_caller_has_read_it(desk: Desk) -> None:
    read, _, archived = (record(desk, title, "INTEGRATION_EVENT") for title in ("read", "unread", "archived"))
    record(desk, "other", "USER_ACTION")
    desk.member.call("markActivityAsRead", path={"id": read})
    desk.member.call("archiveActivity", path={"id": archived})
    config = {"activityType": "INTEGRATION_EVENT", "limit": 2}
    widget = new_widget(desk.member, "ACTIVITY_FEED", config=config)["id"]

    own = data(desk.member, widget)["activities"]
    others = data(desk.organization.member(Role.VIEWER), widget)["activities"]

    assert [(value["title"], value["isRead"]) for value in own] == [("unread", False), ("read", True)]
    assert [(other["title"], other["isRead"]) for other in others] == [("archived", False), ("unread", False)]


def test_quick_actions_are_those_that_the_caller_may_run(desk: Desk) -> None:
    for name, roles in (("everyone's", []), ("admins'", ["ADMIN"])):
        go = {"actionType": "NAVIGATION", "targetUrl": "/clients", "requiredRole": roles}
        created(desk.member, "createQuickAction", name=name, **go)
    widget = new_widget(desk.member, "QUICK_ACTIONS", config={"limit": 50})["id"]

    for role in Role:
        member = desk.organization.member(role)
        offered = member.call("getQuickActions").data["items"]
        assert data(member, widget)["quickActions"] == offered
    assert [
        quick_action["name"] for quick_action in data(desk.organization.member(Role.VIEWER), widget)["quickActions"]
    ] == []


def test_quick_actions_in_an_order_of_their_own(desk: Desk) -> None:
    go = {"actionType": "NAVIGATION", "targetUrl": "/clients"}
    first, second, third = (created(desk.member, "createQuickAction", name=name, **go)["id"] for name in "abc")
    config = {"quickActionIds": [third, second, first, third.replace(third[:4], "ffff")], "limit": 2}

    shown = data(desk.member, new_widget(desk.member, "QUICK_ACTIONS", config=config)["id"])

    assert [quick_action["id"] for quick_action in shown["quickActions"]] == [third, second]


# -- the calendar ----------------------------------------------------------------------------------------------------


def calendar(desk: Desk, **config: Any) -> Any:
    return data(desk.member, new_widget(desk.member, config=config)["id"])


def test_a_calendar_shows_days_of_the_organization(desk: Desk) -> None:
    shown = calendar(desk, daysBack=1, daysAhead=0)

    assert (shown["from"], shown["to"], shown["timezone"]) == ("2026-06-14", "2026-06-15", "Europe/Berlin")
    assert [assignment["startAt"] for assignment in shown["assignments"]] == [at(-26), at(2)]
    assert shown["isComplete"] is True
    assert [assignment["startAt"] for assignment in calendar(desk, daysBack=0, daysAhead=0)["assignments"]] == [at(2)]


def test_a_calendar_shows_what_overlaps_its_days(api: Api) -> None:
    # Given an assignment that ends with the day before, one that begins with the day after, and one across midnight
    desk = Desk.of(new_organization(api, timezone="Europe/Berlin"))
    position = desk.position()
    midnight, next_midnight = -14, 10
    desk.assign(desk.worker(), position, midnight - 8, midnight)
    desk.assign(desk.worker(), position, next_midnight, next_midnight + 8)
    across = desk.assign(desk.worker(), position, next_midnight - 1, next_midnight + 7)
    # When a day is shown
    shown = calendar(desk, daysBack=0, daysAhead=0)
    # Then only the last one is
    assert [assignment["id"] for assignment in shown["assignments"]] == [across["id"]]


def test_a_calendar_of_one_client_or_status(desk: Desk) -> None:
    clients = {row["name"]: row["id"] for row in desk.member.call("getClients").data["data"]}

    of_weser = calendar(desk, daysBack=7, clientId=clients["Weser"])["assignments"]
    completed = calendar(desk, daysBack=7, status="completed")["assignments"]

    assert [value["startAt"] for value in of_weser] == [at(-26)]
    assert [value["startAt"] for value in completed] == [at(-50), at(-26)]


def test_what_is_cancelled_is_shown_where_it_is_asked_for(api: Api) -> None:
    desk = Desk.of(new_organization(api))
    cancelled = desk.assign(desk.worker(), desk.position(), 1, 2)
    desk.done("cancelAssignment", cancelled["id"])

    assert calendar(desk)["assignments"] == []
    assert [assignment["id"] for assignment in calendar(desk, status="cancelled")["assignments"]] == [cancelled["id"]]


@pytest.mark.parametrize("status", [None, "completed"])
def test_a_calendar_says_that_there_is_more(desk: Desk, status: str | None) -> None:
    shown = calendar(desk, daysBack=7, limit=1, **({} if status is None else {"status": status}))

    assert ([assignment["startAt"] for assignment in shown["assignments"]], shown["isComplete"]) == ([at(-50)], False)


# -- cached ----------------------------------------------------------------------------------------------------------


def test_a_chart_that_was_shown_costs_one_read(desk: Desk) -> None:
    widget = chart_of(desk.member, new_metric(desk.member))
    first, again = ask(desk.member, widget), ask(desk.member, widget)

    assert again.data == first.data
    assert again.recording.operations == ["BatchGetItem", "BatchGetItem", "BatchGetItem"]


def test_a_change_is_seen_once_the_stream_has_carried_it(api: Api) -> None:
    desk = Desk.of(new_organization(api))
    widget = chart_of(desk.member, new_metric(desk.member))
    position = desk.position()
    assert data(desk.member, widget)["points"][-2]["value"] == 0
    # Given an assignment of yesterday
    desk.assign(desk.worker(), position, -30, -25)
    assert data(desk.member, widget)["points"][-2]["value"] == 0
    # When the stream has carried it
    carry(desk.organization)
    # Then the chart shows it
    assert data(desk.member, widget)["points"][-2]["value"] == 5


def test_time_passes_on_a_chart(api: Api) -> None:
    desk = Desk.of(new_organization(api))
    desk.assign(desk.worker(), desk.position(), 0, 8)
    carry(desk.organization)
    widget = chart_of(desk.member, new_metric(desk.member, ACTIVE, name="Active"), chartType="number")

    assert data(desk.member, widget)["value"] == 1
    with later(hours=9):
        assert data(desk.member, widget)["value"] == 0


def test_another_calendar_is_another_question(api: Api, organization: Organization) -> None:
    desk = Desk.of(organization)
    desk.assign(desk.worker(), desk.position(), -13, -11)
    carry(organization)
    widget = chart_of(desk.member, new_metric(desk.member))
    assert data(desk.member, widget)["points"][-1]["value"] == 1

    desk.member.call("updateOrganization", body={"timezone": "Europe/Berlin"})

    assert data(desk.member, widget)["points"][-1]["value"] == 2

"""Lists of widgets say whether the caller may see a widget's data: exactly where the data is not refused."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.metrics.definitions import SYSTEM_METRICS
from chalicelib.models.dashboards.widgets import WidgetType
from chalicelib.models.users import Role
from infra.local.demo import metrics as demo_metrics
from infra.local.demo import widgets as demo_widgets
from tests.support.api import Api
from tests.support.client_hooks import recorded
from tests.support.factories import Member, Organization, new_organization
from tests.support.staffing import created
from tests.support.widget_helpers import ask, chart_of, new_metric, new_widget

MONEY = {"type": "simple", "source": "assignments", "aggregate": "sum", "field": "billed", "period": "today"}


@pytest.fixture(scope="module")
def home(api: Api) -> Organization:
    """An organization with the demo's widgets, and further ones of metrics for some roles, or deleted."""
    organization = new_organization(api)
    owner = organization.owner
    for role in Role:
        organization.member(role)
    ids = {metric.name: str(metric.id) for metric in SYSTEM_METRICS.values()}
    for metric in demo_metrics.METRICS:
        ids[metric["name"]] = str(created(owner, "createDashboardMetric", **metric)["id"])
    for widget in demo_widgets.WIDGETS:
        created(owner, "createDashboardWidget", **demo_widgets.body_of(widget, ids))
    for role in ("MEMBER", "VIEWER"):
        for kind in ("METRIC", "TABLE"):
            new_widget(owner, kind, config={"metricId": new_metric(owner, permissions=[role])})
    new_widget(owner, "TABLE")
    chart_of(organization.member(Role.MEMBER), new_metric(owner, MONEY))
    chart_of(owner, new_metric(owner), permissions=["VIEWER"])
    gone = new_metric(owner)
    chart_of(owner, gone)
    owner.call("deleteDashboardMetric", path={"id": gone})
    changed = new_metric(owner, permissions=["VIEWER"])
    chart_of(owner, changed)
    owner.call("updateDashboardMetric", path={"id": changed}, body={"permissions": []})
    return organization


def _listed(member: Member, action: str = "getDashboardWidgets", **parts: Any) -> dict[str, bool]:
    answer = member.call(action, query={"limit": 100}, **parts)
    assert answer.status == 200, answer.text
    return {row["id"]: row["canSeeData"] for row in answer.data["items"]}


@pytest.mark.parametrize("role", Role)
def test_the_flag_is_the_answer(home: Organization, role: Role) -> None:
    member = home.member(role)
    listed = _listed(member)

    answers = {identifier: ask(member, identifier) for identifier in listed}

    assert {answer.status for answer in answers.values()} <= {200, 403}
    assert listed == {identifier: answer.status == 200 for identifier, answer in answers.items()}
    by_type: dict[str, bool] = {}
    for kind in WidgetType:
        by_type |= _listed(member, "getWidgetsByType", path={"type": kind.value})
    assert by_type == listed


@pytest.mark.parametrize("role", Role)
def test_the_demo_has_figures_for_every_role(home: Organization, role: Role) -> None:
    names = {widget.name for widget in demo_widgets.WIDGETS if widget.metric is not None}
    rows = home.member(role).call("getDashboardWidgets", query={"limit": 100}).data["items"]

    assert any(row["canSeeData"] for row in rows if row["name"] in names)


def test_the_metrics_of_all_widgets_are_one_read(home: Organization) -> None:
    with recorded() as one:
        home.owner.call("getDashboardWidgets", query={"limit": 1})
    with recorded() as all_:
        home.owner.call("getDashboardWidgets", query={"limit": 100})
    assert len(all_.calls) <= len(one.calls) + 1

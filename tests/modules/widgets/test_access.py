"""Access to widgets: callers who see them, and callers who may change them."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.models.users import Role
from tests.support.assignment_helpers import refusal
from tests.support.factories import Member, Organization
from tests.support.widget_helpers import PLACE, names, new_widget

SHARING = [Role.OWNER, Role.ADMIN]
CUSTOMIZING = [*SHARING, Role.COORDINATOR, Role.MEMBER]
OTHERS = [Role.COORDINATOR, Role.MEMBER, Role.VIEWER]


def change(member: Member, widget: dict[str, Any], **fields: Any) -> Any:
    return member.call("updateDashboardWidget", path={"id": widget["id"]}, body=fields or {"title": "Changed"})


def delete(member: Member, widget: dict[str, Any]) -> Any:
    return member.call("deleteDashboardWidget", path={"id": widget["id"]})


@pytest.mark.parametrize("role", CUSTOMIZING)
def test_widgets_are_shared_by_default_by_who_may_share(settled: Organization, role: Role) -> None:
    expected = "ORGANIZATION" if role in SHARING else "PERSONAL"

    assert new_widget(settled.member(role))["scope"] == expected
    assert new_widget(settled.member(role), scope=None)["scope"] == expected


@pytest.mark.parametrize("role", CUSTOMIZING)
def test_who_may_share(settled: Organization, role: Role) -> None:
    body = {"type": "CALENDAR", "scope": "ORGANIZATION", "position": PLACE}
    made = settled.member(role).call("createDashboardWidget", body=body)

    if role in SHARING:
        assert made.status == 201
    else:
        assert (made.status, made.code) == (403, "FORBIDDEN")


@pytest.mark.parametrize("role", OTHERS)
def test_what_is_shared_is_seen_by_all_and_changed_by_who_may_share(settled: Organization, role: Role) -> None:
    widget = new_widget(settled.owner)
    member = settled.member(role)

    assert member.call("getWidgetById", path={"id": widget["id"]}).data == widget
    assert change(member, widget).code == "FORBIDDEN"
    assert delete(member, widget).code == "FORBIDDEN"
    assert change(settled.member(Role.ADMIN), widget).data["creator"] == widget["creator"]


def test_what_is_ones_own_does_not_exist_for_others(settled: Organization) -> None:
    widget = new_widget(settled.member(Role.MEMBER), name="mine")

    for other in (settled.owner, settled.member(Role.ADMIN), settled.enrol(Role.MEMBER)):
        for action in ("getWidgetById", "getWidgetData"):
            assert other.call(action, path={"id": widget["id"]}).code == "NOT_FOUND"
        assert change(other, widget).code == "NOT_FOUND"
        assert delete(other, widget).code == "NOT_FOUND"
        assert "mine" not in names(other, query={"limit": 100, "includeHidden": "true"})
    member = settled.member(Role.MEMBER)
    assert change(member, widget).status == 200
    assert delete(member, widget).status == 200


def test_named_roles_and_who_may_share_see_it(settled: Organization) -> None:
    widget = new_widget(settled.owner, name="for coordinators", permissions=["COORDINATOR"])

    for role in Role:
        shown = settled.member(role).call("getWidgetById", path={"id": widget["id"]})
        data = settled.member(role).call("getWidgetData", path={"id": widget["id"]})
        listed = names(settled.member(role), query={"limit": 100})
        if role in {*SHARING, Role.COORDINATOR}:
            assert (shown.status, data.status) == (200, 200)
            assert "for coordinators" in listed
        else:
            assert (shown.code, data.code) == ("NOT_FOUND", "NOT_FOUND")
            assert "for coordinators" not in listed


def test_ones_own_is_seen_whatever_roles_it_names(settled: Organization) -> None:
    member = settled.member(Role.MEMBER)
    widget = new_widget(member, name="own for viewers", permissions=["VIEWER"])

    assert member.call("getWidgetById", path={"id": widget["id"]}).status == 200
    assert "own for viewers" in names(member, query={"limit": 100})


def test_sharing_ones_own_and_taking_it_back(settled: Organization) -> None:
    viewer, owner = settled.member(Role.VIEWER), settled.owner
    widget = new_widget(owner, scope="PERSONAL", name="moving")
    for scope, is_listed in (("ORGANIZATION", True), ("PERSONAL", False)):
        assert change(owner, widget, scope=scope).data["scope"] == scope
        assert ("moving" in names(viewer, query={"limit": 100})) is is_listed
        assert "moving" in names(owner, query={"limit": 100})


def test_who_may_not_share_cannot_share_their_own(settled: Organization) -> None:
    member = settled.member(Role.MEMBER)
    widget = new_widget(member)

    assert change(member, widget, scope="ORGANIZATION").code == "FORBIDDEN"
    assert change(member, widget, scope="PERSONAL").status == 200


def test_nobody_takes_what_another_has_made(settled: Organization) -> None:
    widget = new_widget(settled.owner)

    assert refusal(change(settled.member(Role.ADMIN), widget, scope="PERSONAL")) == (
        400,
        "VALIDATION_ERROR",
        ["scope"],
    )


def test_what_is_hidden_is_listed_for_who_may_change_it_and_asks(organization: Organization) -> None:
    # Given a shared and an own widget, both hidden
    member = organization.member(Role.MEMBER)
    shared = new_widget(organization.owner, name="shared", isVisible=False)
    new_widget(member, name="own", isVisible=False)
    everything = {"includeHidden": "true"}
    # Then neither is listed
    assert names(organization.owner) == names(member) == []
    # But each for who asks and may change it
    assert names(organization.owner, query=everything) == ["shared"]
    assert names(member, query=everything) == ["own"]
    assert names(organization.member(Role.VIEWER), query=everything) == []
    # And who knows it may still read it
    assert member.call("getWidgetById", path={"id": shared["id"]}).data["isVisible"] is False


def test_who_has_become_a_viewer_sees_their_own_and_changes_nothing(organization: Organization) -> None:
    member = organization.member(Role.MEMBER)
    widget = new_widget(member, name="own")
    new_widget(member, name="hidden", isVisible=False)
    organization.owner.call("changeUserRole", path={"userId": member.user.id}, body={"role": "VIEWER"})

    assert names(member, query={"includeHidden": "true"}) == ["own"]
    assert change(member, widget).code == "FORBIDDEN"

"""Activities are for their audience: lists, pages, counts and marks know of no other."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.auth.permissions import PERMISSIONS, Permission
from chalicelib.core import clock, ids
from chalicelib.core.days import in_words
from chalicelib.dal import cursors
from chalicelib.metrics.rollups.ranges import Range
from chalicelib.metrics.rollups.sources.activities import ACTIVITY_SOURCE
from chalicelib.models.activities import activities, read_state
from chalicelib.models.activities.activities import ActivityType, StoredActivity
from chalicelib.models.activities.audience import EVERYONE, Audience, Group, group_of_user, groups_of_roles
from chalicelib.models.audit import PRODUCT
from chalicelib.models.users import Role
from tests.support.activity_helpers import listed, mark, unread, walked
from tests.support.api import Api
from tests.support.factories import Member, Organization, new_organization
from tests.support.hypothesis_profile import law
from tests.support.mail_delivery import Post

_LOANS: Audience = frozenset({Group.LOANS})


def _activity(readers: Audience, title: str = "x") -> StoredActivity:
    return StoredActivity.happened(
        ids.new_id(),
        title=title,
        type=ActivityType.SYSTEM_EVENT,
        entity_type="client",
        entity_id="1",
        action="HAPPENED",
        actor=PRODUCT,
        readers=readers,
    )


def _happen(organization: Organization, readers: Audience, title: str = "x") -> str:
    activity = _activity(readers, title)
    assert activities.record_once(organization.id, activity)
    return str(activity.id)


# -- personal widgets ------------------------------------------------------------------------------------------------


def test_nobody_learns_of_a_personal_widget(organization: Organization, post: Post) -> None:
    # Given a widget of a MEMBER's own, and a feed that everyone sees
    member, owner = organization.member(Role.MEMBER), organization.owner
    others = [organization.member(role) for role in (Role.ADMIN, Role.VIEWER)]
    body = {"type": "CALENDAR", "title": "Mine secret", "position": {"x": 0, "y": 0, "w": 1, "h": 1}, "config": {}}
    widget = member.call("createDashboardWidget", body=body).data
    feed = {"type": "ACTIVITY_FEED", "title": "Feed", "position": body["position"], "config": {}}
    shared = owner.call("createDashboardWidget", body=feed).data["id"]
    assert member.call("updateDashboardWidget", path={"id": widget["id"]}, body={"refreshRate": 60}).status == 200
    assert member.call("deleteDashboardWidget", path={"id": widget["id"]}).status == 200
    post.carry()
    # Then it is in no list of anyone else, and in all of its owner's
    path = {"entityType": "widget", "entityId": widget["id"]}
    for reader in (member, owner, *others):
        texts = [
            reader.call("getRecentActivities").text,
            reader.call("getActivitiesByType", path={"type": "DATA_CHANGE"}).text,
            reader.call("getActivitiesByEntity", path=path).text,
            reader.call("getWidgetData", path={"id": shared}).text,
        ]
        assert [widget["id"] in text for text in texts] == [reader is member] * 4
        assert any("Mine secret" in text for text in texts) == (reader is member)
    assert (unread(member), unread(others[1])) == (4, 1)


def test_a_widget_for_some_roles_is_for_them_and_for_those_who_share(organization: Organization, post: Post) -> None:
    readers = [organization.member(role) for role in Role]
    position = {"x": 0, "y": 0, "w": 1, "h": 1}
    body = {"type": "CALENDAR", "title": "Rota", "position": position, "config": {}, "permissions": ["MEMBER"]}
    assert organization.owner.call("createDashboardWidget", body=body).status == 201
    post.carry()
    saw = {reader.user.role for reader in readers if listed(reader)}
    assert saw == {Role.OWNER, Role.ADMIN, Role.MEMBER}


# -- one's own -------------------------------------------------------------------------------------------------------


def test_a_timesheet_is_for_its_user_and_those_who_manage_time(organization: Organization, post: Post) -> None:
    user, other = organization.enrol(Role.MEMBER), organization.enrol(Role.MEMBER)
    admin = organization.member(Role.ADMIN)
    path = {"userId": str(user.user.id), "weekStart": "2026-03-02"}
    assert user.call("submitTimesheet", path=path).status == 200
    assert admin.call("approveTimesheet", path=path).status == 200
    post.carry()
    week = f"for the week from {in_words(date(2026, 3, 2), clock.now().date())}"
    for reader in (user, admin, organization.owner, other):
        titles = [row["title"] for row in listed(reader)]
        assert titles == [
            f"Test Admin approved the timesheet of Test Member {week}",
            f"Test Member submitted their timesheet {week}",
        ] * (reader is not other)


# -- lists -----------------------------------------------------------------------------------------------------------


def test_a_page_is_filled_through_what_others_read(organization: Organization) -> None:
    # Given two that everyone reads, behind many about loans
    viewer = organization.enrol(Role.VIEWER)
    old = [_happen(organization, EVERYONE) for _ in range(2)]
    for _ in range(90):
        _happen(organization, _LOANS)
    # When a VIEWER reads
    answer = viewer.call("getRecentActivities", query={"limit": 2})
    # Then the page has them, for a few queries that widen
    assert [row["id"] for row in answer.data["items"]] == old[::-1]
    assert answer.data["nextCursor"] is None
    assert answer.recording.operations == ["BatchGetItem", *["Query"] * 4, "BatchGetItem"]
    assert (unread(viewer), unread(organization.owner)) == (2, 92)


@pytest.mark.parametrize("limit", [1, 2, 7])
def test_a_page_ends_within_bounds_and_goes_on(
    organization: Organization, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(cursors, "_QUERIES_A_PAGE", 1)
    viewer = organization.enrol(Role.VIEWER)
    public = [_happen(organization, EVERYONE if number % 5 == 0 else _LOANS) for number in range(20)][::5]
    first = viewer.call("getRecentActivities", query={"limit": limit})
    assert len(first.data["items"]) < 2
    assert first.data["nextCursor"] is not None
    assert len(first.recording.operations) <= 3
    assert [row["id"] for row in walked(viewer, query={"limit": str(limit)})] == public[::-1]


def test_the_count_is_bounded_by_what_it_looks_at(organization: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_state, "EXACT_COUNT", 3)
    viewer = organization.enrol(Role.VIEWER)
    for readers in (EVERYONE, _LOANS, _LOANS):
        _happen(organization, readers)
    assert viewer.call("getUnreadCount").data == {"count": 1, "isExact": True}
    for readers in (_LOANS, _LOANS, EVERYONE):
        _happen(organization, readers)
    assert viewer.call("getUnreadCount").data == {"count": 1, "isExact": False}


def test_another_role_reads_other_activities(organization: Organization) -> None:
    # Given an ADMIN who has read one about a loan, and archived another
    admin = organization.enrol(Role.ADMIN)
    public, read, archived = (_happen(organization, readers) for readers in (EVERYONE, _LOANS, _LOANS))
    mark(admin, "markActivityAsRead", read)
    mark(admin, "archiveActivity", archived)
    assert unread(admin) == 1
    # When they become a MEMBER
    path, body = {"userId": str(admin.user.id)}, {"role": "MEMBER"}
    assert organization.owner.call("changeUserRole", path=path, body=body).status == 200
    # Then they read of loans no more, and their marks count for nothing
    assert ([row["id"] for row in walked(admin)], walked(admin, query={"archived": "true"})) == ([public], [])
    assert unread(admin) == 1
    mark(admin, "markActivityAsRead", public)
    assert unread(admin) == 0
    assert admin.call("unarchiveActivity", path={"id": archived}).code == "NOT_FOUND"


@pytest.mark.parametrize(("readers", "counted"), [(EVERYONE, True), (_LOANS, False)])
def test_metrics_count_what_everyone_may_read(readers: Audience, *, counted: bool) -> None:
    activity = _activity(readers)
    row = ACTIVITY_SOURCE.row(
        activity, (), Range(activity.created_at, activity.created_at + timedelta(days=1), is_running=False)
    )
    assert (row.in_period, row.in_snapshot) == (counted, counted)
    assert bool(ACTIVITY_SOURCE.contribution(activity, ())) == counted


# -- names -----------------------------------------------------------------------------------------------------------


def test_users_have_the_names_that_they_have_now(organization: Organization, post: Post) -> None:
    admin = organization.enrol(Role.ADMIN)
    body = {"email": "rita@example.com", "firstName": "Rita", "lastName": "Vogt", "role": "MEMBER"}
    rita = organization.owner.call("inviteUser", body=body).data["id"]
    assert admin.call("deactivateUser", path={"userId": rita}).status == 200
    assert admin.call("updateProfile", body={"firstName": "Ada", "lastName": "Busch"}).status == 200
    post.carry()
    (activity,) = (row for row in walked(organization.owner) if row["action"] == "USER_DEACTIVATED")
    assert activity["title"] == "Ada Busch deactivated Rita Vogt"
    assert activity["actor"] == {"id": str(admin.user.id), "name": "Ada Busch", "email": admin.user.email}
    mark(organization.owner, "archiveActivity", activity["id"])
    (archived,) = walked(organization.owner, query={"archived": "true"})
    assert archived == {**activity, "isArchived": True}


def test_a_long_title_is_cut_where_it_is_shown(organization: Organization) -> None:
    _happen(organization, EVERYONE, "x" * 300)
    assert [row["title"] for row in listed(organization.owner)] == ["x" * 254 + "…"]


# -- the law ---------------------------------------------------------------------------------------------------------

_STEPS = st.tuples(
    st.sampled_from(["happen", "happen", "happen", "read", "archive", "unarchive", "role"]),
    st.integers(0, 2),
    st.integers(0, 9),
)
_ACTIONS = {"read": "markActivityAsRead", "archive": "archiveActivity", "unarchive": "unarchiveActivity"}


@dataclass
class _Reader:
    member: Member
    role: Role
    read: set[str] = field(default_factory=set)
    archived: set[str] = field(default_factory=set)

    def may_read(self, audience: Audience) -> bool:
        holds = {Group.EVERYONE: True, Group.LOANS: Permission.LOANS_MANAGE in PERMISSIONS[self.role]}
        own = {group_of_user(self.member.user.id), *groups_of_roles([self.role])}
        return any(holds.get(Group(group), False) if group in {*Group} else group in own for group in audience)

    def do(self, step: str, activity: str, audience: Audience) -> None:
        status = self.member.call(_ACTIONS[step], path={"id": activity}).status
        assert status == (200 if self.may_read(audience) else 404)
        if status == 200:
            marks = self.read if step == "read" else self.archived
            (marks.discard if step == "unarchive" else marks.add)(activity)

    def check(self, happened: dict[str, Audience]) -> None:
        readable = [activity for activity in reversed(happened) if self.may_read(happened[activity])]
        for is_archived in (False, True):
            shown: list[dict[str, Any]] = walked(
                self.member, query={"limit": "2", "archived": str(is_archived).lower()}
            )
            expected = [activity for activity in readable if (activity in self.archived) == is_archived]
            assert [row["id"] for row in shown] == expected
            assert {row["id"] for row in shown if row["isRead"]} == self.read & {*expected}
        assert unread(self.member) == len({*readable} - self.read - self.archived)


@law(4)
@given(steps=st.lists(_STEPS, min_size=6, max_size=14))
def test_readers_see_what_a_model_says(api: Api, steps: list[tuple[str, int, int]]) -> None:
    organization = new_organization(api)
    roles = [Role.ADMIN, Role.MEMBER, Role.VIEWER]
    readers = [_Reader(organization.enrol(role), role) for role in roles]
    audiences: list[Audience] = [
        EVERYONE,
        _LOANS,
        groups_of_roles([Role.MEMBER]),
        *(frozenset({Group.LOANS, group_of_user(reader.member.user.id)}) for reader in readers),
    ]
    happened = {_happen(organization, EVERYONE): EVERYONE}
    for step, who, which in steps:
        reader = readers[who]
        if step == "happen":
            audience = audiences[which % len(audiences)]
            happened[_happen(organization, audience)] = audience
        elif step == "role":
            reader.role = roles[which % len(roles)]
            path, body = {"userId": str(reader.member.user.id)}, {"role": reader.role}
            assert organization.owner.call("changeUserRole", path=path, body=body).status == 200
        else:
            activity = [*happened][which % len(happened)]
            reader.do(step, activity, happened[activity])
    for reader in readers:
        reader.check(happened)

"""Listing quick actions: in order, those that the caller may run."""

from __future__ import annotations

import pytest

from chalicelib.models.organizations import SubscriptionTier
from chalicelib.models.users import Role
from tests.support.api import Api
from tests.support.factories import Organization, new_organization
from tests.support.quick_action_helpers import CLIENT_FORM, GOING, calling, define, listed, own_names

SYSTEM = ["Create a client", "Assign a worker", "Invite a colleague", "Record an activity", "Hours report"]


def test_by_sort_order_then_by_name(organization: Organization) -> None:
    for name, order in [("Zebra", 1), ("ärger", 1), ("Apfel", 1), ("First", -1), ("Last", 5000), ("apfel", 1)]:
        define(organization.owner, GOING, name=name, sortOrder=order)
    names = [value["name"] for value in listed(organization.owner)]
    assert names == ["First", "Apfel", "apfel", "ärger", "Zebra", *SYSTEM, "Last"]


@pytest.mark.parametrize(
    ("role", "shown"),
    [
        (Role.OWNER, SYSTEM),
        (Role.ADMIN, SYSTEM),
        (Role.COORDINATOR, ["Assign a worker", "Record an activity", "Hours report"]),
        (Role.MEMBER, ["Record an activity"]),
        (Role.VIEWER, []),
    ],
)
def test_the_products_own_are_listed_for_their_roles(settled: Organization, role: Role, shown: list[str]) -> None:
    assert [value["name"] for value in listed(settled.member(role)) if value["isSystem"]] == shown


def test_to_each_what_they_may_run(organization: Organization) -> None:
    define(organization.owner, GOING, name="A for all")
    define(organization.owner, GOING, name="B for two", requiredRole=["ADMIN", "MEMBER", "VIEWER"])
    define(organization.owner, GOING, name="C disabled", isEnabled=False)
    define(organization.owner, CLIENT_FORM, name="D by permission")
    define(organization.owner, calling("createWorker"), name="E by permission", requiredTier=["FREE", "PRO"])
    define(organization.owner, GOING, name="F for those who pay", requiredTier=["PRO", "ENTERPRISE"])
    shown = {role: [name[0] for name in own_names(organization.member(role))] for role in Role}
    assert shown == {
        Role.OWNER: ["A", "D", "E"],
        Role.ADMIN: ["A", "B", "D", "E"],
        Role.COORDINATOR: ["A", "E"],
        Role.MEMBER: ["A", "B"],
        Role.VIEWER: [],
    }
    # Who may change them sees all
    for role in (Role.OWNER, Role.ADMIN):
        assert [name[0] for name in own_names(organization.member(role), includeDisabled="true")] == [*"ABCDEF"]
    for role in (Role.COORDINATOR, Role.MEMBER, Role.VIEWER):
        refused = organization.member(role).call("getQuickActions", query={"includeDisabled": "true"})
        assert (refused.status, refused.code) == (403, "FORBIDDEN")


@pytest.mark.parametrize("tier", list(SubscriptionTier))
def test_by_tier(api: Api, tier: SubscriptionTier) -> None:
    organization = new_organization(api, subscription_tier=tier)
    for value in SubscriptionTier:
        define(organization.owner, GOING, name=value, requiredTier=[value])
    assert own_names(organization.owner) == [tier]


def test_deleted_ones_and_those_of_others_are_not_listed(api: Api, organization: Organization) -> None:
    gone = define(organization.owner, GOING)
    organization.owner.call("deleteQuickAction", path={"id": gone["id"]})
    define(new_organization(api).owner, GOING)
    assert own_names(organization.owner) == own_names(organization.owner, includeDisabled="true") == []


def test_what_does_not_fit_one_answer_comes_with_a_cursor(organization: Organization) -> None:
    # Given more in forms than an answer may have
    form = {**CLIENT_FORM["formConfig"], "description": "ö" * 7_000}
    names = [define(organization.owner, CLIENT_FORM, formConfig=form, sortOrder=n)["name"] for n in range(90)]
    # When they are walked
    walked, cursor = [], None
    while True:
        answer = organization.owner.call("getQuickActions", query={} if cursor is None else {"cursor": cursor})
        assert answer.status == 200, answer.text
        assert len(answer.text.encode()) < 1024 * 1024
        walked += [item["name"] for item in answer.data["items"] if not item["isSystem"]]
        cursor = answer.data["nextCursor"]
        if cursor is None:
            break
    # Then each has come once, in order
    assert walked == names


def test_a_limit_cuts_the_list_into_pages(organization: Organization) -> None:
    names = [define(organization.owner, GOING, sortOrder=number)["name"] for number in range(3)]
    walked, query = [], {"limit": 2}
    while True:
        data = organization.owner.call("getQuickActions", query=query).data
        assert len(data["items"]) <= 2
        walked += [item["name"] for item in data["items"] if not item["isSystem"]]
        if data["nextCursor"] is None:
            break
        query["cursor"] = data["nextCursor"]
    assert walked == names

"""Defining quick actions: required fields of each type, invalid ones, and their number."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.core import ids
from chalicelib.models.dashboards import quick_actions
from chalicelib.models.users import Role
from chalicelib.modules.quick_actions import system
from tests.support.api import Answer, Api
from tests.support.client_hooks import overtaken
from tests.support.factories import Organization, new_organization
from tests.support.quick_action_helpers import CLIENT_FORM, GOING, calling, define, faults, listed

NOT_FOR = "must be left out for {}, or cleared with null"


def _create(organization: Organization, **fields: Any) -> Answer:
    return organization.owner.call("createQuickAction", body={"name": "Any", **fields})


def _update(organization: Organization, quick_action: dict[str, Any], **changes: Any) -> Answer:
    return organization.owner.call_on("updateQuickAction", quick_action["id"], body=changes)


# -- stored fields ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "definition", [GOING, CLIENT_FORM, calling("getClients")], ids=lambda value: value["actionType"]
)
def test_what_is_defined_is_read(organization: Organization, definition: dict[str, Any]) -> None:
    shown = {
        "name": "One",
        "description": "For\nmany",
        "icon": "star",
        "color": "#aabbcc",
        "isEnabled": False,
        "sortOrder": -3,
        "requiredRole": ["OWNER", "MEMBER"],
        "requiredTier": ["FREE", "ENTERPRISE"],
    }
    made = define(organization.owner, definition, shown)
    nothing = dict.fromkeys(("targetUrl", "apiAction", "formConfig"))
    bookkeeping = ("id", "createdAt", "updatedAt")
    assert made == {
        **nothing,
        **definition,
        **shown,
        "version": 1,
        "deletedAt": None,
        "isSystem": False,
        **{name: made[name] for name in bookkeeping},
    }
    read = organization.owner.call_on("getQuickActionById", made["id"])
    assert (read.status, read.data) == (200, made)


def test_what_is_not_said(organization: Organization) -> None:
    made = define(organization.owner, GOING)
    assert (made["color"], made["isEnabled"], made["sortOrder"]) == ("blue", True, 0)
    assert (made["description"], made["icon"], made["requiredRole"], made["requiredTier"]) == (None, None, [], [])


def test_roles_and_tiers_are_kept_once_and_in_order(organization: Organization) -> None:
    made = define(
        organization.owner, GOING, requiredRole=["MEMBER", "OWNER", "MEMBER"], requiredTier=["PRO", "FREE", "PRO"]
    )
    assert (made["requiredRole"], made["requiredTier"]) == (["OWNER", "MEMBER"], ["FREE", "PRO"])


def test_a_form_comes_back_as_it_was_written(organization: Organization) -> None:
    # Nothing of it is the table's to understand: empty names, types of DynamoDB, numbers that it would round
    form = {"S": {"S": "x"}, "": None, "default": [1.5, 10**40, {"": []}], "title": "Größe ☃"}
    made = define(organization.owner, calling("getClients"), formConfig=form)
    assert made["formConfig"] == form
    assert organization.owner.call_on("getQuickActionById", made["id"]).data["formConfig"] == form


# -- invalid input ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "faulty"),
    [
        ({"actionType": "NAVIGATION"}, {"targetUrl": "is required for NAVIGATION"}),
        ({**GOING, "apiAction": "getClients"}, {"apiAction": NOT_FOR.format("NAVIGATION")}),
        ({**GOING, "formConfig": {}}, {"formConfig": NOT_FOR.format("NAVIGATION")}),
        ({"actionType": "API_CALL"}, {"apiAction": "is required for API_CALL"}),
        ({**calling("getClients"), "targetUrl": "/x"}, {"targetUrl": NOT_FOR.format("API_CALL")}),
        (
            {"actionType": "FORM"},
            {"apiAction": "is required for FORM", "formConfig": "is required for FORM"},
        ),
        ({**CLIENT_FORM, "targetUrl": "/x"}, {"targetUrl": NOT_FOR.format("FORM")}),
        (
            {**GOING, "actionType": "FORM"},
            {
                "apiAction": "is required for FORM",
                "formConfig": "is required for FORM",
                "targetUrl": NOT_FOR.format("FORM"),
            },
        ),
    ],
)
def test_each_type_has_its_fields(settled: Organization, fields: dict[str, Any], faulty: dict[str, str]) -> None:
    assert faults(_create(settled, **fields)) == {field: [message] for field, message in faulty.items()}


@pytest.mark.parametrize(
    ("fields", "faulty"),
    [
        ({"name": ""}, ["name"]),
        ({"name": "x" * 101}, ["name"]),
        ({"description": "x" * 501}, ["description"]),
        ({"icon": ""}, ["icon"]),
        ({"color": " "}, ["color"]),
        ({"actionType": "navigation"}, ["actionType"]),
        ({"isEnabled": 1}, ["isEnabled"]),
        ({"sortOrder": 1.5}, ["sortOrder"]),
        ({"sortOrder": 1_000_001}, ["sortOrder"]),
        ({"requiredRole": ["BOSS"], "requiredTier": "FREE"}, ["requiredRole.0", "requiredTier"]),
        ({"isSystem": True, "organizationId": "x"}, ["isSystem", "organizationId"]),
        ({"formConfig": "{}"}, ["formConfig"]),
        ({"formConfig": []}, ["formConfig"]),
        ({"formConfig": {"title": "x" * 16_400}}, ["formConfig"]),
        ({"formConfig": {"maximum": 1e400}}, ["formConfig"]),
    ],
)
def test_fields_are_checked(settled: Organization, fields: dict[str, Any], faulty: list[str]) -> None:
    # JSON has no infinity, but numbers that come out as one
    raw = json.dumps({"name": "Any", **GOING, **fields}).replace("Infinity", "1e400")
    answer = settled.owner.call("createQuickAction", body=raw.encode())
    assert sorted(faults(answer)) == faulty


@pytest.mark.parametrize(
    "url",
    [
        "/",
        "/clients?new=1#top",
        "/a//b",
        "/clients/{id}",
        "https://example.com",
        "http://example.com:8080/a?b#c",
        "HTTPS://müller.example/größe",
        "https://[2001:db8::1]/",
        "https://example.com?q",
    ],
)
def test_urls_that_are_taken(organization: Organization, url: str) -> None:
    assert define(organization.owner, actionType="NAVIGATION", targetUrl=url)["targetUrl"] == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "clients",
        "//example.com",
        "/\\example.com",
        "/a\\b",
        "/a b",
        "/a\nb",
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://example.com",
        "https://",
        "https:///path",
        "https:example.com",
        "https://user:secret@example.com",
        "https://example.com:port/",
        "https://example.com\\@other.example",
        "/" + "x" * 2048,
    ],
)
def test_urls_that_are_not(settled: Organization, url: str) -> None:
    assert [*faults(_create(settled, actionType="NAVIGATION", targetUrl=url))] == ["targetUrl"]


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ("createAnything", "is not an action of this API"),
        ("signIn", "cannot be run by a quick action: anyone may call it, signed in or not"),
        ("signOut", "cannot be run by a quick action: it ends sessions"),
        ("revokeOtherSessions", "cannot be run by a quick action: it ends sessions"),
        ("updatePassword", "cannot be run by a quick action: it takes secrets"),
        ("importWorkers", "cannot be run by a quick action: it takes more than one transaction"),
        ("exportReportToCsv", "cannot be run by a quick action: its answer is not JSON"),
        ("executeQuickAction", "cannot be run by a quick action: it is about quick actions"),
        ("deleteQuickAction", "cannot be run by a quick action: it is about quick actions"),
    ],
)
def test_not_every_action_can_be_run(settled: Organization, action: str, reason: str) -> None:
    assert faults(_create(settled, **calling(action))) == {"apiAction": [reason]}


# -- changes ---------------------------------------------------------------------------------------------------------


def test_a_change_is_held_to_what_was_before(organization: Organization) -> None:
    made = define(organization.owner, GOING)
    # Another type needs other fields, and has no use for those there were
    assert faults(_update(organization, made, actionType="API_CALL")) == {
        "apiAction": ["is required for API_CALL"],
        "targetUrl": [NOT_FOR.format("API_CALL")],
    }
    assert faults(_update(organization, made, targetUrl=None)) == {"targetUrl": ["is required for NAVIGATION"]}
    # Together they are a change
    changed = _update(organization, made, actionType="API_CALL", apiAction="getClients", targetUrl=None)
    assert changed.data == {
        **made,
        "actionType": "API_CALL",
        "apiAction": "getClients",
        "targetUrl": None,
        "version": 2,
        "updatedAt": changed.data["updatedAt"],
    }
    assert organization.owner.call_on("getQuickActionById", made["id"]).data == changed.data


def test_a_form_may_be_changed_and_cleared(organization: Organization) -> None:
    made = define(organization.owner, CLIENT_FORM)
    assert faults(_update(organization, made, formConfig={"type": "nonsense"})) == {
        "formConfig.type": ["is not allowed there by JSON Schema"]
    }
    assert _update(organization, made, formConfig={"type": "object"}).data["formConfig"] == {"type": "object"}
    assert faults(_update(organization, made, formConfig=None)) == {"formConfig": ["is required for FORM"]}
    cleared = _update(organization, made, actionType="API_CALL", formConfig=None)
    assert cleared.data["formConfig"] is None
    assert organization.owner.call_on("getQuickActionById", made["id"]).data["formConfig"] is None


def test_absent_deleted_and_foreign_are_one_answer(api: Api, organization: Organization) -> None:
    deleted, foreign = define(organization.owner, GOING)["id"], define(new_organization(api).owner, GOING)["id"]
    gone = organization.owner.call_on("deleteQuickAction", deleted)
    assert gone.data["deletedAt"]
    for action, body in [
        ("getQuickActionById", None),
        ("updateQuickAction", {"name": "X"}),
        ("deleteQuickAction", None),
        ("executeQuickAction", {}),
    ]:
        answers = [
            organization.owner.call_on(action, identifier, body=body) for identifier in (ids.new_id(), deleted, foreign)
        ]
        assert {answer.status for answer in answers} == {404}
        assert len({(answer.code, answer.error["message"]) for answer in answers}) == 1


@pytest.mark.parametrize("role", list(Role))
def test_admins_define(organization: Organization, role: Role) -> None:
    member, made = organization.member(role), define(organization.owner, GOING)
    path = {"id": made["id"]}
    assert member.call("getQuickActionById", path=path).status == 200
    writes = [
        member.call("createQuickAction", body={"name": "Mine", **GOING}),
        member.call("updateQuickAction", path=path, body={"name": "Mine"}),
        member.call("deleteQuickAction", path=path),
    ]
    allowed = role in {Role.OWNER, Role.ADMIN}
    assert [answer.status for answer in writes] == ([201, 200, 200] if allowed else [403, 403, 403])


# -- the product's own -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("identifier", system.SYSTEM_QUICK_ACTIONS)
def test_the_products_own_stay_as_they_are(settled: Organization, identifier: Any) -> None:
    read = settled.owner.call_on("getQuickActionById", identifier)
    assert (read.status, read.data["isSystem"], read.data["id"]) == (200, True, str(identifier))
    assert (
        settled.owner.call_on("getQuickActionById", identifier, headers={"If-None-Match": read.headers["ETag"]}).status
        == 304
    )
    for action, body in [("updateQuickAction", {"isEnabled": False}), ("deleteQuickAction", None)]:
        answer = settled.owner.call_on(action, identifier, body=body)
        assert (answer.status, answer.code) == (403, "FORBIDDEN")
        assert "comes with the product" in answer.error["message"]
    assert settled.owner.call_on("getQuickActionById", identifier).data == read.data


# -- how many --------------------------------------------------------------------------------------------------------


def test_there_are_as_many_as_a_list_shows(organization: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick_actions, "MAX_QUICK_ACTIONS", 2)
    first = define(organization.owner, GOING)
    define(organization.owner, GOING)
    refused = _create(organization, **GOING)
    assert (refused.status, refused.code) == (400, "VALIDATION_ERROR")
    assert refused.error["message"] == "an organization may have at most 2 quick actions: delete one first"
    assert len([value for value in listed(organization.owner) if not value["isSystem"]]) == 2
    # A deleted one makes room for one, once
    for _ in range(2):
        organization.owner.call_on("deleteQuickAction", first["id"])
    define(organization.owner, GOING)
    assert _create(organization, **GOING).status == 400


def test_the_last_place_is_given_once(organization: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick_actions, "MAX_QUICK_ACTIONS", 1)
    with overtaken(lambda: _create(organization, **GOING)) as others:
        late = _create(organization, **GOING)
    assert [answer.status for answer in (*others, late)] == [201, 400]

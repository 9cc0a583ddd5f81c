"""Running quick actions: the target, its caller and payload, in one transaction."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.action.registry import REGISTRY
from chalicelib.core import ids
from chalicelib.models.audit import AuditEvent
from chalicelib.models.users import Role
from chalicelib.modules.quick_actions import execution, system
from tests.support.api import Answer
from tests.support.client_hooks import overtaken
from tests.support.factories import Member, Organization, address, unique
from tests.support.quick_action_helpers import (
    CLIENT_FORM,
    GOING,
    calling,
    define,
    execute,
    faults,
    listed,
    run,
)
from tests.support.staffing import names, new_client, new_position


def _log(organization: Organization) -> list[dict[str, Any]]:
    """Newest first."""
    items: list[dict[str, Any]] = organization.owner.call("getAuditLog").data["items"]
    return items


def _clients(organization: Organization) -> list[str]:
    return names(organization.owner, "getClients")


def _refusal(answer: Answer) -> tuple[int, str, str]:
    return answer.status, answer.code, answer.error["message"]


# -- navigation ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [None, {}, {"payload": {}}])
def test_a_navigation_says_where_to_go(organization: Organization, body: Any) -> None:
    going = define(organization.owner, GOING)
    answer = organization.owner.call("executeQuickAction", path={"id": going["id"]}, body=body)
    assert (answer.status, answer.data) == (200, {"type": "NAVIGATION", "url": "/clients/new"})
    entry = _log(organization)[0]
    assert (entry["action"], entry["entityType"], entry["entityId"]) == (
        "QUICK_ACTION_EXECUTED",
        "quickAction",
        going["id"],
    )
    assert entry["changes"] == {"executed": {"before": None, "after": {"url": "/clients/new"}}}


def test_a_navigation_takes_no_payload(organization: Organization) -> None:
    answer = execute(organization.owner, define(organization.owner, GOING), {"name": "X"})
    assert faults(answer) == {"payload": ["a NAVIGATION takes none"]}


def test_the_products_own_are_run_by_their_roles(organization: Organization) -> None:
    offered = {value["id"] for value in listed(organization.member(Role.COORDINATOR))}
    for identifier, quick_action in system.SYSTEM_QUICK_ACTIONS.items():
        answer = execute(organization.member(Role.COORDINATOR), {"id": identifier})
        if str(identifier) in offered:
            assert answer.data == {"type": "NAVIGATION", "url": quick_action.target_url}
            assert _log(organization)[0]["entityId"] == str(identifier)
        else:
            assert (answer.status, answer.code) == (403, "FORBIDDEN")


# -- targets ---------------------------------------------------------------------------------------------------------


def test_a_form_runs_its_action(organization: Organization) -> None:
    form, name = define(organization.owner, CLIENT_FORM), unique("Client")
    answer = execute(organization.owner, form, {"name": f" {name} ", "address": "Kai 1"})
    made = answer.data["result"]
    assert answer.data == {"type": "FORM", "action": "createClient", "status": 201, "result": made}
    assert (made["name"], made["address"], made["version"]) == (name, "Kai 1", 1)
    assert organization.owner.call("getClient", path={"id": made["id"]}).data == made
    # Both have their entry, of the same request and moment
    executed, created = _log(organization)[:2]
    assert (created["action"], created["entityType"], created["entityId"]) == ("CLIENT_CREATED", "client", made["id"])
    assert created["changes"]["name"] == {"before": None, "after": name}
    assert (executed["action"], executed["entityId"]) == ("QUICK_ACTION_EXECUTED", form["id"])
    assert executed["changes"] == {"executed": {"before": None, "after": {"action": "createClient"}}}
    assert executed["requestId"] == created["requestId"] == answer.headers["X-Request-Id"]
    assert executed["actor"] == created["actor"]


def test_parameters_of_the_path_are_in_the_payload(organization: Organization) -> None:
    rating, position = define(organization.owner, calling("setPositionRate")), new_position(organization.owner)["id"]
    rate = run(
        organization.owner,
        rating,
        {"id": position, "effectiveFrom": "2026-01-01", "amount": 4200, "currency": "EUR"},
    )
    assert rate["effectiveFrom"] == "2026-01-01"
    rates = organization.owner.call("getPositionRates", path={"id": position}).data["rates"]
    assert rates == [rate]
    deleting = define(organization.owner, calling("deletePositionRate"))
    run(organization.owner, deleting, {"id": position, "effectiveFrom": "2026-01-01"})
    assert organization.owner.call("getPositionRates", path={"id": position}).data["rates"] == []


def test_parameters_of_a_query_are_in_the_payload(organization: Organization) -> None:
    finding, location = define(organization.owner, calling("getPositions")), None
    for name, is_active in [("Alpha", True), ("Beta", False), ("Gamma", True)]:
        made = new_position(organization.owner, location, name=name, isActive=is_active)
        location = made["workLocationId"]
    result = run(organization.owner, finding, {"isActive": True, "pageSize": 1, "page": 2, "sortBy": "name"})
    assert [row["name"] for row in result["data"]] == ["Gamma"]
    assert result["pagination"]["totalItems"] == 2
    assert [row["name"] for row in run(organization.owner, finding, {"isActive": False})["data"]] == ["Beta"]
    assert len(run(organization.owner, finding)["data"]) == 3


def test_cursors_lead_on_either_way(organization: Organization) -> None:
    finding = define(organization.owner, calling("getClients"))
    made = [new_client(organization.owner)["name"] for _ in range(3)]
    first = run(organization.owner, finding, {"limit": 1})
    by_itself = organization.owner.call("getClients", query={"limit": 2, "cursor": first["nextCursor"]}).data
    run_again = run(organization.owner, finding, {"limit": 2, "cursor": first["nextCursor"]})
    assert by_itself == run_again
    assert [row["name"] for row in (*first["items"], *run_again["items"])] == made


def test_a_change_and_a_delete_are_run(organization: Organization) -> None:
    client = new_client(organization.owner)
    renaming = define(organization.owner, calling("updateClient"))
    renamed = run(organization.owner, renaming, {"id": client["id"], "phone": "040 1", "name": "Neu"})
    assert (renamed["name"], renamed["version"]) == ("Neu", 2)
    # Null clears, as by itself
    assert run(organization.owner, renaming, {"id": client["id"], "phone": None})["phone"] is None
    deleting = define(organization.owner, calling("deleteClient"))
    assert run(organization.owner, deleting, {"id": client["id"]})["deletedAt"]
    assert _clients(organization) == []
    assert [entry["action"] for entry in _log(organization)[:2]] == ["QUICK_ACTION_EXECUTED", "CLIENT_DELETED"]


def test_an_invitation_is_run(organization: Organization) -> None:
    # It touches more than the organization: the guard of the address, and the outbox
    inviting, email = define(organization.owner, calling("inviteUser")), address()
    person = {"email": email, "firstName": "Jo", "lastName": "Weber"}
    assert run(organization.owner, inviting, person)["status"] == "INVITED"
    again = execute(organization.owner, inviting, person)
    assert (again.status, again.code) == (409, "DUPLICATE_ENTRY")
    assert [*again.error["details"]["fieldErrors"]] == ["payload.email"]


# -- faults ----------------------------------------------------------------------------------------------------------


def test_the_form_comes_before_the_action(organization: Organization) -> None:
    form = define(organization.owner, CLIENT_FORM)
    assert faults(execute(organization.owner, form)) == {"payload.name": ["is required"]}
    assert faults(execute(organization.owner, form, {"name": "x" * 41, "email": "nobody"})) == {
        "payload.name": ["is longer than 40 characters"]
    }
    assert faults(execute(organization.owner, form, {"name": "X", "email": "nobody", "surplus": 1})) == {
        "payload.email": ["is not a valid e-mail address"],
        "payload.surplus": ["is not a field of this action"],
    }
    assert _clients(organization) == []


def test_a_call_may_have_a_form_too(organization: Organization) -> None:
    finding = define(organization.owner, calling("getClients"), formConfig={"required": ["search"]})
    assert faults(execute(organization.owner, finding)) == {"payload.search": ["is required"]}
    assert run(organization.owner, finding, {"search": "x"})["data"] == []


@pytest.mark.parametrize(
    ("action", "payload", "faulty"),
    [
        ("createClient", {}, {"payload.name": ["is required"]}),
        ("updateClient", {"name": "X"}, {"payload.id": ["is required"]}),
        ("updateClient", {"id": str(ids.new_id())}, {"payload": ["name at least one field to change"]}),
        (
            "setPositionRate",
            {"id": "x", "effectiveFrom": "2026-02-30", "currency": "EUR", "amount": "1"},
            {"payload.id", "payload.effectiveFrom", "payload.amount"},
        ),
        (
            "updateClient",
            {"id": {"$gt": ""}, "name": ""},
            {"payload.id": ["must be a text, a number, true or false"]},
        ),
        (
            "getClients",
            {"search": ["x"], "page": None},
            {
                "payload.search": ["must be a text, a number, true or false"],
                "payload.page": ["must be a text, a number, true or false"],
            },
        ),
        ("getClients", {"page": 0, "surplus": "x"}, {"payload.page", "payload.surplus"}),
        (
            "getClients",
            {"cursor": "x", "page": 1},
            {"payload": ["cursor and limit do not go with page, pageSize, search and sortBy"]},
        ),
        ("getClient", {"id": str(ids.new_id()), "surplus": 1}, {"payload.surplus": ["is not a field of this action"]}),
        ("deleteClient", {"surplus": 1}, {"payload.id", "payload.surplus"}),
        ("markAllActivitiesAsRead", {"x": 1}, {"payload.x": ["is not a field of this action"]}),
    ],
)
def test_the_action_tells_what_is_wrong_with_the_payload(
    settled: Organization, action: str, payload: Any, faulty: Any
) -> None:
    result = faults(execute(settled.owner, define(settled.owner, calling(action)), payload))
    assert (result if isinstance(faulty, dict) else {*result}) == faulty


def test_what_the_commit_finds_is_told_of_the_payload_too(organization: Organization) -> None:
    form, taken = define(organization.owner, CLIENT_FORM), new_client(organization.owner)["name"]
    answer = execute(organization.owner, form, {"name": taken}, key="k")
    assert (answer.status, answer.code) == (409, "DUPLICATE_ENTRY")
    assert answer.error["details"]["fieldErrors"] == {"payload.name": ["another client has this name"]}


def test_what_names_no_field_is_told_as_it_is(organization: Organization) -> None:
    deleting, client = define(organization.owner, calling("deleteClient")), new_client(organization.owner)["id"]
    new_position(
        organization.owner,
        organization.owner.call("createWorkLocation", body={"clientId": client, "name": unique("Location")}).data["id"],
    )
    answer = execute(organization.owner, deleting, {"id": client})
    assert (answer.status, answer.code) == (409, "HAS_DEPENDENCIES")
    assert answer.error["details"] == {"dependencies": {"workLocation": 1}}
    absent = execute(organization.owner, deleting, {"id": str(ids.new_id())})
    assert _refusal(absent) == (404, "NOT_FOUND", "no such client")


@pytest.mark.parametrize("payload", [None, [], "x", {"a": 1e400}, {"a": "x" * 65_536}])
def test_a_payload_is_an_object_of_bounded_size(organization: Organization, payload: Any) -> None:
    going = define(organization.owner, GOING)
    # JSON has no infinity, but numbers that come out as one
    raw = json.dumps({"payload": payload}).replace("Infinity", "1e400")
    answer = organization.owner.call("executeQuickAction", path={"id": going["id"]}, body=raw.encode())
    assert [*faults(answer)] == ["payload"]


def test_an_answer_that_could_not_be_kept_is_refused(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    creating = define(organization.owner, calling("createClient"))
    monkeypatch.setattr(execution, "MAX_RESULT_CHARACTERS", 100)
    answer = execute(organization.owner, creating, {"name": "X"})
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert answer.error["details"] == {"use": "createClient"}
    assert _clients(organization) == []


# -- who may ---------------------------------------------------------------------------------------------------------


def test_by_role_tier_and_the_permission_of_what_is_run(organization: Organization) -> None:
    owner, member = organization.owner, organization.member(Role.MEMBER)
    for_admins = define(owner, GOING, requiredRole=["OWNER", "ADMIN"])
    for_payers = define(owner, GOING, requiredTier=["PRO", "ENTERPRISE"])
    of_admins = define(owner, calling("createClient"))
    of_all = define(owner, calling("getClients"), requiredRole=["MEMBER"], requiredTier=["FREE"])
    assert _refusal(execute(member, for_admins)) == (
        403,
        "FORBIDDEN",
        "this quick action is for OWNER or ADMIN, and your role is MEMBER",
    )
    assert _refusal(execute(member, for_payers)) == (
        403,
        "FORBIDDEN",
        "this quick action is for organizations of the tier PRO or ENTERPRISE, and yours is FREE",
    )
    # Not even the errors of the payload are shown
    assert _refusal(execute(member, of_admins, {"surplus": 1})) == (
        403,
        "FORBIDDEN",
        "the role MEMBER lacks the permission clients:write, which createClient needs",
    )
    assert run(member, of_all)["data"] == []
    assert execute(owner, of_all).status == 403
    assert execute(organization.member(Role.VIEWER), of_all).status == 403


def test_what_an_action_itself_reserves_stays_reserved(organization: Organization) -> None:
    lending = define(organization.owner, calling("updateOrganization"))
    answer = execute(organization.member(Role.ADMIN), lending, {"loanRole": "BOTH"})
    assert (answer.status, answer.code) == (403, "FORBIDDEN")
    assert run(organization.owner, lending, {"loanRole": "BOTH"})["loanRole"] == "BOTH"


def test_a_disabled_one_is_not_run(organization: Organization) -> None:
    creating = define(organization.owner, CLIENT_FORM, isEnabled=False)
    answer = execute(organization.owner, creating, {"name": "X"})
    assert _refusal(answer) == (400, "VALIDATION_ERROR", "this quick action is disabled")
    assert _clients(organization) == []


@pytest.fixture
def _same_registry() -> Iterator[None]:
    """Put the actions back in their order, which is that of the API document."""
    actions = dict(REGISTRY)
    yield
    REGISTRY.clear()
    REGISTRY.update(actions)


@pytest.mark.usefixtures("_same_registry")
def test_an_action_that_is_gone_is_told(organization: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a quick action whose action a later version of this API does not have
    creating = define(organization.owner, calling("createClient"))
    monkeypatch.delitem(REGISTRY, "createClient")
    answer = execute(organization.owner, creating, {"name": "X"})
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert answer.error["message"].startswith("createClient, which this quick action runs, is no longer an action")
    # Then it may be changed all the same
    path = {"id": creating["id"]}
    assert organization.owner.call("updateQuickAction", path=path, body={"isEnabled": False}).status == 200
    assert organization.owner.call("updateQuickAction", path=path, body={"apiAction": "createClient"}).status == 400
    assert organization.owner.call("updateQuickAction", path=path, body={"apiAction": "getClients"}).status == 200


def test_an_action_that_may_no_longer_be_run_is_not(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    creating = define(organization.owner, calling("createClient"))
    monkeypatch.setitem(REGISTRY, "createClient", replace(REGISTRY["createClient"], audit=AuditEvent.SIGNED_OUT))
    assert execute(organization.owner, creating, {"name": "X"}).code == "VALIDATION_ERROR"


# -- one transaction, once -------------------------------------------------------------------------------------------


def test_a_repeated_run_is_replayed(organization: Organization) -> None:
    form, payload = define(organization.owner, CLIENT_FORM), {"name": unique("Client")}
    first, again = (execute(organization.owner, form, payload, key="k") for _ in range(2))
    assert (first.status, again.status, again.is_replay) == (200, 200, True)
    assert first.text == again.text
    assert len(_clients(organization)) == 1
    assert sum(entry["action"] == "QUICK_ACTION_EXECUTED" for entry in _log(organization)) == 1
    other = execute(organization.owner, form, {"name": "Other"}, key="k")
    assert (other.status, other.code) == (422, "IDEMPOTENCY_MISMATCH")


def test_a_run_is_one_transaction(organization: Organization) -> None:
    form = define(organization.owner, CLIENT_FORM)
    answer = execute(organization.owner, form, {"name": unique("Client")}, key="k")
    assert answer.recording.operations == ["BatchGetItem", "TransactWriteItems"]


def test_what_is_overtaken_is_run_again(organization: Organization) -> None:
    # Given a client that is changed between the run's reads and its commit
    client = new_client(organization.owner)["id"]
    renaming = define(organization.owner, calling("updateClient"))
    change = {"path": {"id": client}, "body": {"phone": "040 1"}}
    with overtaken(lambda: organization.owner.call("updateClient", **change)):
        result = run(organization.owner, renaming, {"id": client, "address": "Kai 1"}, key="k")
    assert (result["phone"], result["address"], result["version"]) == ("040 1", "Kai 1", 3)
    assert [entry["action"] for entry in _log(organization)[:3]] == [
        "QUICK_ACTION_EXECUTED",
        "CLIENT_UPDATED",
        "CLIENT_UPDATED",
    ]


def test_if_match_is_about_the_quick_action(organization: Organization) -> None:
    # Given a quick action of version 2 that changes a client of version 1
    renaming, client = define(organization.owner, calling("updateClient")), new_client(organization.owner)
    path = {"id": renaming["id"]}
    stale = organization.owner.call("getQuickActionById", path=path).headers["ETag"]
    organization.owner.call("updateQuickAction", path=path, body={"color": "red"})
    tag = organization.owner.call("getQuickActionById", path=path).headers["ETag"]
    payload = {"id": client["id"], "phone": "040 1"}
    refused = execute(organization.owner, renaming, payload, headers={"If-Match": stale})
    assert (refused.status, refused.code) == (412, "PRECONDITION_FAILED")
    assert run(organization.owner, renaming, payload, headers={"If-Match": tag})["version"] == 2
    # Also when it is changed just before the commit
    with overtaken(lambda: organization.owner.call("updateQuickAction", path=path, body={"color": "blue"})):
        late = execute(organization.owner, renaming, {**payload, "phone": "040 2"}, headers={"If-Match": tag})
    assert (late.status, late.code) == (412, "PRECONDITION_FAILED")
    assert organization.owner.call("getClient", path={"id": client["id"]}).data["phone"] == "040 1"


def test_the_products_own_have_a_version_for_good(organization: Organization) -> None:
    identifier = next(iter(system.SYSTEM_QUICK_ACTIONS))
    for tag, status in [('"1"', 200), ('"2"', 412)]:
        assert execute(organization.owner, {"id": identifier}, headers={"If-Match": tag}).status == status


def test_runs_without_a_condition_do_not_collide(organization: Organization) -> None:
    # Given one that is changed while it runs
    form = define(organization.owner, CLIENT_FORM)
    change = {"path": {"id": form["id"]}, "body": {"isEnabled": False}}
    with overtaken(lambda: organization.owner.call("updateQuickAction", **change)) as changed:
        ran = execute(organization.owner, form, {"name": unique("Client")})
    # Then it was run before that, and is not any more
    assert (changed[0].status, ran.status) == (200, 200)
    assert execute(organization.owner, form, {"name": unique("Client")}).status == 400


def test_others_run_what_they_may_as_themselves(organization: Organization) -> None:
    coordinator: Member = organization.member(Role.COORDINATOR)
    hiring = define(organization.owner, calling("createWorker"))
    made = run(coordinator, hiring, {"firstName": "Mehmet", "lastName": "Yılmaz", "phone": "+49 30 123456789"})
    executed, created = _log(organization)[:2]
    assert executed["actor"]["id"] == created["actor"]["id"] == str(coordinator.user.id)
    assert organization.owner.call("getWorker", path={"id": made["id"]}).status == 200

"""An action run by a quick action behaves as when called directly: same callers, same effect."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from chalicelib.action.registry import REGISTRY
from chalicelib.auth.permissions import PERMISSIONS, Permission
from chalicelib.models.audit import AuditEvent
from chalicelib.models.users import Role
from chalicelib.modules.quick_actions import targets
from infra.local.engine import Store as Engines
from infra.local.engine import configured_store
from tests.support.api import Answer
from tests.support.arrange import Arranged, arrange, names
from tests.support.audit_entries import entries_of
from tests.support.factories import Member, Organization
from tests.support.store import Snapshot, Store, anonymous, canonical

TARGETS = targets.names()
TRIED = TARGETS[:: 4 if configured_store() is Engines.MOTO else 1]
"""A sample on moto, where each case is slow; the logic is the same on every engine."""


@pytest.fixture(scope="module", autouse=True)
def _a_member_of_each_role(home: Organization) -> None:
    for role in Role:
        home.member(role)


def _quick_action(home: Organization, action: str) -> str:
    definition = {"name": f"Runs {action}", "actionType": "API_CALL", "apiAction": action}
    answer = home.owner.call("createQuickAction", body=definition)
    assert answer.status == 201, answer.text
    return str(answer.data["id"])


def _payload(arranged: Arranged) -> dict[str, Any]:
    call = arranged.call
    return {**call.path, **call.query, **(call.body or {})}


def _execute(member: Member, quick_action: str, arranged: Arranged) -> Answer:
    return member.call("executeQuickAction", path={"id": quick_action}, body={"payload": _payload(arranged)})


def _effect(store: Store, before: Snapshot) -> Counter[str]:
    return Counter(canonical(store.changes(before), before))


@pytest.mark.parametrize("action", TRIED)
def test_running_an_action_equals_calling_it(home: Organization, store: Store, action: str) -> None:
    # Given a request for an action, its direct effect, and a quick action that runs it
    arranged = arrange(action, home)
    assert arranged.sender is not None
    quick_action = _quick_action(home, action)
    before = store.items()
    called = arranged.send()
    assert called.status == arranged.action.status, called.text
    effect = _effect(store, before)
    store.restore(before)
    # When a role runs it that may run quick actions, but not call the action
    permission = arranged.action.permission
    for role in Role:
        if Permission.QUICK_ACTIONS_RUN in PERMISSIONS[role] and permission not in PERMISSIONS[role]:
            refused = _execute(home.member(role), quick_action, arranged)
            # Then it is refused
            assert (refused.status, refused.code) == (403, "FORBIDDEN"), f"{role} runs {action}: {refused.text}"
    assert not store.changes(before)
    # When the sender runs it
    run = _execute(arranged.sender, quick_action, arranged)
    # Then answer and effect are as in the direct call, with one more entry about the quick action
    assert run.status == 200, run.text
    summary = {name: value for name, value in run.data.items() if name != "result"}
    assert summary == {"type": "API_CALL", "action": action, "status": called.status}
    assert anonymous(str(run.data["result"])) == anonymous(str(called.data))
    entries = entries_of(REGISTRY["executeQuickAction"], store.changes(before))
    own = [entry["action"] for entry in entries.others if entry["action"] == arranged.action.audit]
    assert own == [arranged.action.audit] * arranged.action.is_write
    assert len(entries.others) == len(own) + (action == "stopTimer")  # its session has an entry, too
    assert entries.own["entityId"] == quick_action
    (extra,) = (_effect(store, before) - effect).elements()
    assert AuditEvent.QUICK_ACTION_EXECUTED in extra
    assert not effect - _effect(store, before)


def test_path_and_other_parameters_have_different_names() -> None:
    for name in TARGETS:
        contract = REGISTRY[name].data_type
        fields = {str(field.alias) for field in contract.model_fields.values()} if contract else set()
        assert not fields & {*REGISTRY[name].parameters}, name


def test_the_actions_that_cannot_be_run() -> None:
    assert {*names()} - {*TARGETS} == {
        "acceptInvitation",
        "confirmEmail",
        "confirmResetPassword",
        "createQuickAction",
        "deleteQuickAction",
        "deleteTimeSessions",
        "executeQuickAction",
        "exportReportToCsv",
        "exportTimeSessionsToCsv",
        "getHealth",
        "getMailSubscription",
        "getOpenApi",
        "getQuickActionById",
        "getQuickActions",
        "importTimeSessions",
        "importWorkers",
        "lockTimesheet",
        "resetPassword",
        "revokeOtherSessions",
        "revokeSession",
        "signIn",
        "signOut",
        "signUp",
        "unlockTimesheet",
        "unsubscribe",
        "updatePassword",
        "updateQuickAction",
        "updateTimeSessions",
    }

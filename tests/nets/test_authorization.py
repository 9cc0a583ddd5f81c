"""Authorization: every action, called by all kinds of callers."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.action.registry import REGISTRY
from chalicelib.auth import sessions
from chalicelib.auth.permissions import PERMISSIONS, Permission
from chalicelib.auth.tokens import Token
from chalicelib.core import clock
from chalicelib.models.users import Role
from tests.support.api import Answer
from tests.support.arrange import OWN_READS, Arranged, arrange, names
from tests.support.factories import PASSWORD, Organization
from tests.support.store import Snapshot, Store, partitions_of

SIGNED_IN = names(lambda action: not action.is_public)
PUBLIC = names(lambda action: action.is_public)
FILTERING_BY_PATH = {"getActivitiesByEntity"}
"""Lists that are empty, and not refused, if the entity in their path does not exist."""
MALFORMED = ("", "wl_", "wl_not-base64!", "nonsense", "wl_" + base64.urlsafe_b64encode(b"short").decode())


def wrong_secret(home: Organization) -> str:
    token = Token.parse(home.owner.token)
    assert token is not None
    return str(token._replace(secret=bytes(32)))


def unknown_session(home: Organization) -> str:
    token = Token.parse(home.owner.token)
    assert token is not None
    return str(Token.new(token.organization, token.user, token.organization))


def signed_out(home: Organization) -> str:
    token = home.session(home.owner.user)
    assert home.api.call("signOut", token).status == 200
    return token


def ended_with_the_others(home: Organization) -> str:
    """Return the token of a session that ended by a new epoch, not by its own state."""
    member = home.enrol(Role.OWNER)
    other = home.session(member.user)
    assert home.api.call("revokeOtherSessions", other).status == 200
    return member.token


def deactivated(home: Organization) -> str:
    member = home.enrol(Role.OWNER)
    assert home.owner.call("deactivateUser", path={"userId": member.user.id}).status == 200
    return member.token


REFUSED_CALLERS: dict[str, tuple[Callable[[Organization], str], int, str]] = {
    "with a wrong secret": (wrong_secret, 401, "NOT_AUTHENTICATED"),
    "of an unknown session": (unknown_session, 401, "NOT_AUTHENTICATED"),
    "signed out": (signed_out, 401, "SESSION_EXPIRED"),
    "ended with the others": (ended_with_the_others, 401, "SESSION_EXPIRED"),
    "deactivated": (deactivated, 403, "FORBIDDEN"),
}


@pytest.fixture(scope="module", autouse=True)
def _a_member_of_each_role(home: Organization) -> None:
    for role in Role:
        home.member(role)


@pytest.fixture(scope="module")
def refused_tokens(home: Organization) -> dict[str, str]:
    return {caller: make(home) for caller, (make, _, _) in REFUSED_CALLERS.items()}


@pytest.mark.parametrize("action", SIGNED_IN)
def test_callers_who_are_not_signed_in_are_refused(
    home: Organization, store: Store, refused_tokens: dict[str, str], action: str
) -> None:
    # Given a permitted request
    arranged = arrange(action, home)
    before = store.items()
    # When other callers send it
    nobody = replace(arranged, sender=None)
    answers = {"nobody": (nobody.send(), 401, "NOT_AUTHENTICATED")}
    for token in MALFORMED:
        answers[f"malformed {token!r}"] = (_with_header(nobody, f"Bearer {token}"), 401, "NOT_AUTHENTICATED")
    answers["another scheme"] = (_with_header(nobody, f"Basic {home.owner.token}"), 401, "NOT_AUTHENTICATED")
    for caller, (_, status, code) in REFUSED_CALLERS.items():
        answers[caller] = (arranged.send(token=refused_tokens[caller], key="stolen"), status, code)
    with clock.shifted(sessions.LIFETIME + timedelta(seconds=1)):
        answers["expired"] = (arranged.send(), 401, "SESSION_EXPIRED")
    # Then each is refused with its own code, and nothing is written
    for caller, (answer, status, code) in answers.items():
        assert (answer.status, answer.code) == (status, code), f"{action} answered {caller}: {answer.text}"
    assert store.items() == before, f"{action} wrote something for a caller it refused"


def _with_header(arranged: Arranged, authorization: str) -> Answer:
    return arranged.send(headers={"Authorization": authorization})


@pytest.mark.parametrize("action", SIGNED_IN)
def test_each_role_has_exactly_its_permissions(home: Organization, store: Store, action: str) -> None:
    permission = REGISTRY[action].permission
    arranged = arrange(action, home)
    before = store.items()
    for role in Role:
        if permission in PERMISSIONS[role]:
            continue
        answer = arranged.send(token=home.member(role).token, key="not mine")
        assert (answer.status, answer.code) == (403, "FORBIDDEN"), f"{action} lets {role} in without {permission}"
    assert store.items() == before, f"{action} wrote something for a role it refused"
    for role in Role:
        if permission not in PERMISSIONS[role]:
            continue
        is_own = arranged.action.is_write or action in OWN_READS
        mine = arrange(action, home, home.enrol(role, PASSWORD)) if is_own else arranged
        answer = mine.send(token=None if is_own else home.member(role).token)
        assert answer.status == mine.action.status, f"{action} refuses {role}, who has {permission}: {answer.text}"


@pytest.mark.parametrize("action", PUBLIC)
def test_a_public_action_requires_no_session(home: Organization, refused_tokens: dict[str, str], action: str) -> None:
    for token in (None, "nonsense", refused_tokens["deactivated"]):
        arranged = arrange(action, home)
        answer = arranged.send() if token is None else _with_header(arranged, f"Bearer {token}")
        assert answer.status == arranged.action.status, f"{action} with {token}: {answer.text}"


@pytest.mark.parametrize("action", SIGNED_IN)
def test_entities_of_another_organization_are_answered_like_missing_ones(
    home: Organization, abroad: Organization, store: Store, action: str
) -> None:
    # Given a request about entities of an organization
    foreign = arrange(action, home)
    before = _items_of(home, store)
    # When an OWNER of another organization sends it, and sends it about entities that do not exist
    owner = abroad.enrol(Role.OWNER, PASSWORD)
    answer, unknown = foreign.send(token=owner.token), foreign.with_other_ids().send(token=owner.token)
    # Then the two answers are equal, and nothing of the first organization has changed
    if action in FILTERING_BY_PATH:
        assert answer.data == unknown.data == {"items": [], "nextCursor": None}
    elif foreign.call.path and foreign.ids:
        assert (answer.status, answer.code) == (404, "NOT_FOUND"), f"{action}: {answer.text}"
        assert _refusal(answer) == _refusal(unknown)
    else:
        assert answer.status == unknown.status or not foreign.ids, f"{action}: {answer.text} but {unknown.text}"
    assert _items_of(home, store) == before, f"{action} of another organization changed this one"


def _items_of(organization: Organization, store: Store) -> Snapshot:
    return partitions_of(store.items(), organization.id)


def _refusal(answer: Answer) -> tuple[int, dict[str, object]]:
    error = json.loads(answer.text)["error"]
    return answer.status, {name: value for name, value in error.items() if name != "requestId"}


def test_owners_have_every_permission() -> None:
    assert PERMISSIONS[Role.OWNER] == frozenset(Permission)

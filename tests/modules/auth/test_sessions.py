"""listSessions, revokeSession, revokeOtherSessions: one's own sessions and nobody else's."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from chalicelib.core import clock, ids
from chalicelib.models import users
from chalicelib.models.users import Role
from tests.support.api import Api
from tests.support.factories import Member, Organization


@pytest.fixture
def anna(organization: Organization) -> Member:
    return organization.enrol(Role.VIEWER)


def _ids(member: Member) -> list[str]:
    return [item["id"] for item in member.call("listSessions").data["items"]]


def test_a_session_says_what_its_owner_wants_to_know(anna: Member) -> None:
    (session,) = anna.call("listSessions").data["items"]
    assert set(session) == {*"id createdAt updatedAt version lastSeenAt expiresAt userAgent current".split()}
    assert (session["userAgent"], session["current"]) == ("tests", True)
    lives = datetime.fromisoformat(session["expiresAt"]) - datetime.fromisoformat(session["createdAt"])
    assert lives == timedelta(days=30)


def test_newest_first_with_the_current_one_marked(organization: Organization, anna: Member) -> None:
    for _ in range(2):
        organization.session(anna.user)
    items = anna.call("listSessions").data["items"]
    assert [item["current"] for item in items] == [False, False, True]
    assert [item["id"] for item in items] == sorted((item["id"] for item in items), reverse=True)


def test_the_list_walks_by_cursor(organization: Organization, anna: Member) -> None:
    for _ in range(4):
        organization.session(anna.user)
    seen, cursor = [], None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = anna.call("listSessions", query=query).data
        seen += [item["id"] for item in page["items"]]
        cursor = page["nextCursor"]
        if cursor is None:
            break
    assert seen == _ids(anna)
    assert len(set(seen)) == 5


def test_last_seen_moves_in_steps_of_a_quarter_of_an_hour(anna: Member) -> None:
    def seen() -> datetime:
        return datetime.fromisoformat(anna.call("listSessions").data["items"][0]["lastSeenAt"])

    first = seen()
    with clock.shifted(timedelta(minutes=10)):
        assert anna.call("getUserRole").recording.operations == ["BatchGetItem"]
    assert seen() == first
    with clock.shifted(timedelta(minutes=20)):
        anna.call("getUserRole")
        assert seen() - first >= timedelta(minutes=20)


def test_a_revoked_session_is_dead_at_once_and_gone_from_the_list(organization: Organization, anna: Member) -> None:
    other = organization.session(anna.user)
    other_id = _ids(anna)[0]
    assert anna.call("revokeSession", path={"id": other_id}).data == {"success": True}
    assert anna.api.call("getUserRole", other).code == "SESSION_EXPIRED"
    assert other_id not in _ids(anna)
    assert anna.call("revokeSession", path={"id": other_id}).code == "NOT_FOUND"


def test_revoking_the_current_session_is_signing_out(anna: Member) -> None:
    assert anna.call("revokeSession", path={"id": _ids(anna)[0]}).status == 200
    assert anna.call("getUserRole").code == "SESSION_EXPIRED"


def test_a_revocation_is_repeated_without_harm(organization: Organization, anna: Member) -> None:
    organization.session(anna.user)
    target = _ids(anna)[0]
    first, again = (anna.call("revokeSession", path={"id": target}, key="r") for _ in range(2))
    assert (first.status, again.status, again.is_replay) == (200, 200, True)


def test_the_sessions_of_others_do_not_exist(api: Api, organization: Organization, anna: Member) -> None:
    own = _ids(organization.owner)[0]
    absent, foreign = (anna.call("revokeSession", path={"id": identifier}) for identifier in (ids.new_id(), own))
    assert absent.error | {"requestId": ""} == foreign.error | {"requestId": ""}
    assert (foreign.status, foreign.code) == (404, "NOT_FOUND")
    assert organization.owner.call("getUserRole").status == 200


def test_revoking_the_others_leaves_this_one_and_other_people_alone(organization: Organization, anna: Member) -> None:
    others = [organization.session(anna.user) for _ in range(3)]
    assert anna.call("revokeOtherSessions").data == {"success": True}
    assert {anna.api.call("getUserRole", token).code for token in others} == {"SESSION_EXPIRED"}
    assert anna.call("getUserRole").status == 200
    assert organization.owner.call("getUserRole").status == 200
    assert len(_ids(anna)) == 1


def test_revoking_the_others_twice_in_a_row_keeps_this_one(organization: Organization, anna: Member) -> None:
    for _ in range(2):
        assert anna.call("revokeOtherSessions").status == 200
    late = organization.session(users.get(organization.id, anna.user.id))
    assert anna.api.call("getUserRole", late).status == 200


def test_an_expired_session_is_not_listed(organization: Organization, anna: Member) -> None:
    with clock.shifted(timedelta(days=20)):
        late = organization.session(anna.user)
    with clock.shifted(timedelta(days=40)):
        assert len(anna.api.call("listSessions", late).data["items"]) == 1

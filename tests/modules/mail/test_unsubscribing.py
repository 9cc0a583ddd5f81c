"""Unsubscribing with one click (RFC 8058): a form to the link of the mail, and nothing by looking at it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from chalicelib.action.registry import PREFIX
from chalicelib.auth import unsubscribing
from chalicelib.auth.rate_limits import UNSUBSCRIBINGS
from chalicelib.models.organizations import ORGANIZATIONS
from chalicelib.models.users import Role
from tests.support.api import Answer
from tests.support.factories import Member, Organization

LINK = f"{PREFIX}{unsubscribing.PATH}"
ONE_CLICK = b"List-Unsubscribe=One-Click"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PARTS = (
    b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n',
    {"Content-Type": "multipart/form-data; boundary=x"},
)


@pytest.fixture
def reader(organization: Organization) -> Member:
    """A member who wants the weekly report."""
    member = organization.member(Role.MEMBER)
    assert member.call("updatePreferences", body={"notifications": {"weeklyReport": True}}).status == 200
    return member


def _token(organization: Organization, member: Member) -> str:
    stored = ORGANIZATIONS.get(organization.id, organization.id)
    return unsubscribing.token(stored, member.user.id, member.user.email)


def _query(organization: Organization, member: Member, **changes: str) -> dict[str, str]:
    return {"email": member.user.email, "token": _token(organization, member), **changes}


def _post(
    organization: Organization, query: dict[str, str], body: bytes = ONE_CLICK, headers: dict[str, str] = FORM
) -> Answer:
    return organization.api.raw("POST", f"{LINK}?{urlencode(query)}", dict(headers), body)


def _is_wanted(member: Member) -> Any:
    return member.call("getPreferences").data["notifications"]["weeklyReport"]


@pytest.mark.parametrize(("body", "headers"), [(ONE_CLICK, FORM), PARTS, (ONE_CLICK, {**FORM, "User-Agent": "x"})])
def test_a_form_ends_it(organization: Organization, reader: Member, body: bytes, headers: dict[str, str]) -> None:
    answer = _post(organization, _query(organization, reader), body, headers)

    assert (answer.status, answer.data) == (200, {"success": True})
    assert _is_wanted(reader) is False
    assert reader.call("getPreferences").data["notifications"]["email"] is True
    # Mail programs post once more where the answer was lost.
    assert _post(organization, _query(organization, reader), body, headers).status == 200


def test_the_audit_log_knows_it(organization: Organization, reader: Member) -> None:
    _post(organization, _query(organization, reader))

    [entry] = organization.owner.call("getAuditLog", query={"action": "MAIL_UNSUBSCRIBED"}).data["items"]
    assert (entry["actor"]["id"], entry["entityId"]) == (str(reader.user.id), str(reader.user.id))


def test_looking_changes_nothing(organization: Organization, reader: Member) -> None:
    for method in ("GET", "HEAD"):
        answer = organization.api.raw(method, f"{LINK}?{urlencode(_query(organization, reader))}", {})
        assert answer.status == 200
        assert not [call for call in answer.recording.calls if call.operation not in {"BatchGetItem", "GetItem"}]
    assert _is_wanted(reader) is True


def test_another_form_is_refused(organization: Organization, reader: Member) -> None:
    answer = _post(organization, _query(organization, reader), b"List-Unsubscribe=Maybe")

    assert (answer.status, answer.error["details"]["fieldErrors"]) == (
        400,
        {"body": ["must be List-Unsubscribe=One-Click"]},
    )
    assert _is_wanted(reader) is True


def test_wrong_links_have_one_answer_and_are_limited(organization: Organization, reader: Member) -> None:
    other = organization.member(Role.VIEWER)
    wrong = [
        _query(organization, reader, token="A" * 22),
        _query(organization, reader, token=_token(organization, other)),
        _query(organization, reader, email="nobody@example.com"),
        _query(organization, reader, token="ü"),
    ]
    refusals = [_post(organization, query) for query in wrong]

    assert {(answer.status, answer.error["message"]) for answer in refusals} == {
        (400, "token: is not of a mail to this address")
    }
    for _ in range(UNSUBSCRIBINGS.quota - 3):
        assert _post(organization, wrong[0]).status == 400
    assert _post(organization, wrong[0]).code == "RATE_LIMITED"
    assert _is_wanted(reader) is True


def test_a_link_is_of_one_organization(organization: Organization, reader: Member) -> None:
    stored = ORGANIZATIONS.get(organization.id, organization.id)
    foreign = stored.model_copy(update={"cursor_secret": "00" * 32})
    token = unsubscribing.token(foreign, reader.user.id, reader.user.email)

    assert _post(organization, _query(organization, reader, token=token)).status == 400


def test_no_address_breaks_out_of_the_header(organization: Organization, reader: Member) -> None:
    stored = ORGANIZATIONS.get(organization.id, organization.id)
    for address in ("a>\r\nBcc: b@example.com", "a+b@example.com", "ü@example.com", "x" * 64 + "@" + "y" * 189):
        for name, value in unsubscribing.headers(stored, reader.user.id, address).items():
            assert value.isascii()
            assert value.isprintable()
            assert len(value) <= 870, "the longest that SES takes"
            assert value.count(">") == (name == "List-Unsubscribe")

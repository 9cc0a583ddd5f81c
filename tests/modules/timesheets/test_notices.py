"""Mail about timesheets: to those who decide and to those whose timesheet it is, never about one's own step."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.auth import mail_limits
from chalicelib.auth.permissions import PERMISSIONS, Permission
from chalicelib.core.settings import settings
from chalicelib.models import users
from chalicelib.models.organizations import SubscriptionTier
from chalicelib.models.users import ADMINISTRATORS, Role
from chalicelib.modules.timesheets import notices
from tests.support.factories import Member, Organization
from tests.support.mail_delivery import Post, invite

WEEK = "2026-06-15"
REASON = {"reason": "See https://evil.example"}


pytestmark = pytest.mark.usefixtures("_noon")


@pytest.fixture
def owner(_noon: None, organization: Organization) -> Member:
    return organization.owner


@pytest.fixture
def member(_noon: None, organization: Organization) -> Member:
    return organization.member(Role.MEMBER)


def _do(by: Member, action: str, of: Member, body: Any = None) -> None:
    path = {"userId": str(of.user.id), "weekStart": WEEK}
    answer = by.call(f"{action}Timesheet", path=path, body=body)
    assert answer.status == 200, answer.text


def _subjects(post: Post, member: Member) -> list[str]:
    """Return the subjects of the mails to a member, oldest first."""
    post.carry()
    return [mail["subject"] for mail in reversed(post.mailbox.mails(member.user.email))]


def test_a_submission_is_mailed_to_those_who_may_approve_it(
    organization: Organization, owner: Member, member: Member, post: Post
) -> None:
    """Given members of all roles, one deactivated and one invited, then the active administrators have a mail each."""
    others = [organization.enrol(role) for role in Role]
    gone = organization.enrol(Role.ADMIN)
    owner.call("deactivateUser", path={"userId": str(gone.user.id)})
    invited = invite(organization, role="ADMIN")["email"]

    _do(member, "submit", member)

    for other in (owner, *others):
        expected = [f"A timesheet to approve, week of {WEEK}"] if other.user.role in {"OWNER", "ADMIN"} else []
        assert _subjects(post, other) == expected, other.user.role
    assert _subjects(post, gone) == _subjects(post, member) == []
    assert len(post.mailbox.mails(invited)) == 1  # the invitation
    [mail] = post.mailbox.mails(owner.user.email)
    assert f"Test Member ({member.user.email}) submitted their timesheet" in mail["body"]
    assert f"{settings().app_url}/timesheets/{member.user.id}/{WEEK}" in mail["body"]
    assert mail["code"] is None


def test_each_decision_is_mailed_to_its_user(owner: Member, member: Member, post: Post) -> None:
    for by, step, body in [
        (member, "submit", None),
        (owner, "reject", REASON),
        (member, "submit", None),
        (member, "withdraw", None),
        (member, "submit", None),
        (owner, "approve", None),
        (owner, "reopen", REASON),
    ]:
        _do(by, step, member, body)
        post.carry()
    assert _subjects(post, member) == [
        f"Your timesheet was {word}, week of {WEEK}" for word in ("rejected", "approved", "reopened")
    ]
    assert _subjects(post, owner) == [f"A timesheet to approve, week of {WEEK}"] * 3
    for mail in post.mailbox.mails(member.user.email):
        assert f"{settings().app_url}/timesheets/{member.user.id}/{WEEK}" in mail["body"]
        assert "evil" not in mail["body"]


def test_nobody_has_mail_about_their_own_step(organization: Organization, owner: Member, post: Post) -> None:
    """Given an only OWNER who submits and approves, then no mail is sent; of two, the other has one."""
    _do(owner, "submit", owner)
    _do(owner, "reject", owner, REASON)
    assert _subjects(post, owner) == []
    other = organization.enrol(Role.OWNER)
    _do(owner, "submit", owner)
    assert (len(_subjects(post, owner)), len(_subjects(post, other))) == (0, 1)


def test_who_switched_mails_off_has_none(owner: Member, member: Member, post: Post) -> None:
    for user in (owner, member):
        assert user.call("updatePreferences", body={"notifications": {"email": False}}).status == 200
    _do(member, "submit", member)
    _do(owner, "approve", member)
    assert _subjects(post, owner) == _subjects(post, member) == []


def test_who_may_no_longer_approve_has_no_mail(organization: Organization, owner: Member, post: Post) -> None:
    """Given an ADMIN who loses the role before the mail is sent, then it is not."""
    admin, member = organization.enrol(Role.ADMIN), organization.member(Role.MEMBER)
    _do(member, "submit", member)
    owner.call("changeUserRole", path={"userId": str(admin.user.id)}, body={"role": "MEMBER"})
    assert (len(_subjects(post, admin)), len(_subjects(post, owner))) == (0, 1)


def test_administrators_are_those_who_may_approve(organization: Organization, owner: Member) -> None:
    assert {role for role in Role if Permission.TIME_OF_OTHERS in PERMISSIONS[role]} == ADMINISTRATORS
    member = organization.member(Role.MEMBER)
    path = {"userId": str(member.user.id)}
    for role, count in (("ADMIN", 2), ("COORDINATOR", 1), ("OWNER", 2)):
        assert owner.call("changeUserRole", path=path, body={"role": role}).status == 200
        assert len(users.administrators(organization.id, 10)) == count


def test_a_submission_is_mailed_to_a_limited_number(
    organization: Organization, owner: Member, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "MAX_APPROVERS", 2)
    admins = [organization.enrol(Role.ADMIN) for _ in range(3)]
    _do(owner, "submit", owner)
    assert sum(len(_subjects(post, admin)) for admin in admins) == 2


def test_an_address_has_a_limited_number_of_notices_a_day(
    owner: Member, member: Member, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given an address whose mails of the day are used up, then steps go on without mail, and the feed has them."""
    monkeypatch.setattr(mail_limits, "NOTICES_A_DAY", {SubscriptionTier.FREE: 1})
    for _ in range(2):
        _do(member, "submit", member)
        _do(owner, "reject", member, REASON)
        post.carry()
    assert (len(_subjects(post, owner)), len(_subjects(post, member))) == (1, 1)
    feed = owner.call("getRecentActivities", query={"limit": 100}).data["items"]
    assert sum(item["action"] == "TIMESHEET_REJECTED" for item in feed) == 2

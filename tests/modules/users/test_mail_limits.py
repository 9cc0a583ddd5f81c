"""Invitations: how many mails one may send to whom, however they are asked for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.auth import mail_limits
from chalicelib.auth.mail_limits import INVITATIONS_A_DAY
from chalicelib.core import clock
from chalicelib.dal.unit_of_work import UnitOfWork
from chalicelib.models.organizations import ORGANIZATIONS, SubscriptionTier
from tests.support.api import Answer, Api
from tests.support.assignment_helpers import NOW
from tests.support.factories import Organization, address, new_organization
from tests.support.frozen_time import later, standing_still
from tests.support.mail_delivery import Post, invite
from tests.support.threads import at_once

FEW = dict.fromkeys(SubscriptionTier, 3)


def _invite(organization: Organization, email: str | None = None, key: str | None = None) -> Answer:
    body = {"email": email or address("stranger"), "firstName": "Ida", "lastName": "Holm"}
    return organization.owner.call("inviteUser", body=body, key=key)


def _resend(organization: Organization, user: dict[str, Any], key: str | None = None) -> Answer:
    return organization.owner.call("resendInvitation", path={"userId": user["id"]}, key=key)


def _give_tier(organization: Organization, tier: SubscriptionTier) -> None:
    unit = UnitOfWork(organization.id)
    ORGANIZATIONS.update(unit, ORGANIZATIONS.get(organization.id, organization.id), {"subscription_tier": tier})
    unit.commit()


def _is_limited(answer: Answer, name: str) -> bool:
    policy = answer.headers["RateLimit-Policy"]
    return (answer.status, answer.code) == (429, "RATE_LIMITED") and f'"{name}";' in policy


# -- one addressee ---------------------------------------------------------------------------------------------------


def test_sixty_requests_to_mail_again_are_one_mail(organization: Organization, post: Post) -> None:
    invited = invite(organization)
    answers = [_resend(organization, invited) for _ in range(60)]
    assert {answer.status for answer in answers} == {429}
    assert all(1 <= int(answer.headers["Retry-After"]) <= 320 for answer in answers)
    assert answers[0].error["message"].startswith("an invitation was mailed to this address minutes ago; try again in")
    assert post.count(invited["email"]) == 1


@pytest.mark.usefixtures("on_a_safe_engine")
def test_requests_at_once_are_one_mail(organization: Organization, post: Post) -> None:
    with clock.shifted(timedelta(minutes=-10)):
        invited = invite(organization)
    answers = at_once([lambda: _resend(organization, invited)] * 12)
    assert sorted(answer.status for answer in answers) == [200, *[429] * 11]
    assert post.count(invited["email"]) == 2


def test_who_waits_as_told_may_mail_again(organization: Organization, post: Post) -> None:
    # Given an invitation, and the answer of how long to wait for the next
    with standing_still(NOW):
        invited = invite(organization)
        wait = int(_resend(organization, invited).headers["Retry-After"])
        # When that time is not over, then it is refused; when it is, not
        with later(seconds=wait - 1):
            assert _is_limited(_resend(organization, invited), "invitation-interval")
        with later(seconds=wait):
            assert _resend(organization, invited).status == 200


def test_an_address_gets_five_invitations_a_day(organization: Organization) -> None:
    with standing_still(NOW):
        invited = invite(organization)
        for number in range(1, 6):
            with later(minutes=10 * number):
                answer = _resend(organization, invited)
            assert (answer.status == 200) == (number < 5)
        assert _is_limited(answer, "invitations-to-address")
        assert answer.error["message"].startswith("too many invitations to this address today")
        with later(days=1, hours=2):
            assert _resend(organization, invited).status == 200


def test_an_address_is_spared_whoever_invites_it(api: Api, organization: Organization) -> None:
    # Given an address that was mailed a moment ago and is free again
    email = address("stranger")
    usages = mail_limits.limits.load(mail_limits.INVITATION_INTERVAL.of_address(email))
    mail_limits.limits.take(*usages)
    # Then another organization waits, too
    assert _is_limited(_invite(new_organization(api), email.upper()), "invitation-interval")


def test_an_address_that_is_taken_is_a_duplicate_and_not_a_matter_of_time(api: Api, organization: Organization) -> None:
    email = invite(organization)["email"]
    for inviting in (organization, new_organization(api)):
        assert (_invite(inviting, email).status, _invite(inviting, email).code) == (409, "DUPLICATE_ENTRY")


# -- one organization ------------------------------------------------------------------------------------------------


def test_a_thousand_strangers_are_out_of_reach_of_every_tier() -> None:
    assert max(INVITATIONS_A_DAY.values()) < 1000
    assert INVITATIONS_A_DAY[SubscriptionTier.FREE] == min(INVITATIONS_A_DAY.values()) <= 20


def test_strangers_beyond_the_limit_are_refused_and_are_no_users(organization: Organization, post: Post) -> None:
    # Given three invitations more than the tier allows
    most = INVITATIONS_A_DAY[SubscriptionTier.FREE]
    answers = [_invite(organization) for _ in range(most + 3)]
    # Then the last three are refused
    assert [answer.status for answer in answers] == [201] * most + [429] * 3
    assert _is_limited(answers[-1], "invitations")
    assert (
        answers[-1]
        .error["message"]
        .startswith("the organization has mailed as many invitations as it may in a day; try again in")
    )
    # And are neither users nor mails
    assert organization.owner.call("getOrganization").data["userCount"] == 1 + most
    post.carry()
    assert len([mail for mail in post.mailbox.mails() if mail["recipient"].startswith("stranger")]) == most


@pytest.mark.usefixtures("on_a_safe_engine")
def test_requests_at_once_get_no_further(organization: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_limits, "INVITATIONS_A_DAY", FEW)
    statuses = [answer.status for answer in at_once([lambda: _invite(organization)] * 10)]
    assert statuses.count(201) <= 3
    # A caller who lost a race and gave up may come again: the rest is there.
    assert [_invite(organization).status for _ in range(4)][-1] == 429
    assert organization.owner.call("getOrganization").data["userCount"] == 4


def test_a_higher_tier_may_mail_more_at_once(organization: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_limits, "INVITATIONS_A_DAY", {**FEW, SubscriptionTier.PRO: 5})
    assert [_invite(organization).status for _ in range(4)] == [201, 201, 201, 429]
    _give_tier(organization, SubscriptionTier.PRO)
    assert [_invite(organization).status for _ in range(3)] == [201, 201, 429]


def test_mailing_again_counts_for_the_organization(organization: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_limits, "INVITATIONS_A_DAY", FEW)
    with clock.shifted(timedelta(minutes=-10)):
        users = [invite(organization) for _ in range(2)]
    assert [_resend(organization, user).status for user in users] == [200, 429]


def test_organizations_do_not_share_a_limit(
    api: Api, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_limits, "INVITATIONS_A_DAY", FEW)
    assert [_invite(organization).status for _ in range(4)][-1] == 429
    assert _invite(new_organization(api)).status == 201


# -- counting --------------------------------------------------------------------------------------------------------


def test_a_repetition_is_not_counted_and_gets_its_answer(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_limits, "INVITATIONS_A_DAY", FEW)
    # Given an invitation and a repeated mail, each sent six times with one key
    email = address("stranger")
    first, *repeated = [_invite(organization, email, "invite") for _ in range(6)]
    assert [answer.status for answer in (first, *repeated)] == [201] * 6
    assert {answer.text for answer in repeated} == {first.text}
    assert all(answer.is_replay for answer in repeated)
    with clock.shifted(timedelta(minutes=10)):
        resent = [_resend(organization, first.data, "resend") for _ in range(6)]
    assert [(answer.status, answer.is_replay) for answer in resent] == [(200, False), *[(200, True)] * 5]
    # Then they count as two of three
    assert [_invite(organization).status for _ in range(2)] == [201, 429]


def test_what_is_refused_is_not_counted(organization: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_limits, "INVITATIONS_A_DAY", FEW)
    for _ in range(5):
        assert _invite(organization, organization.owner.user.email).code == "DUPLICATE_ENTRY"
    assert [_invite(organization).status for _ in range(4)] == [201, 201, 201, 429]


def test_an_answer_says_what_is_left(organization: Organization) -> None:
    headers = _invite(organization).headers
    assert headers["RateLimit-Policy"] == (
        '"invitation-interval";q=1;w=300, "invitations-to-address";q=5;w=86400, "invitations";q=20;w=86400'
    )
    left = [part.split(";")[1] for part in headers["RateLimit"].split(", ")]
    assert left == ["r=0", "r=4", "r=19"]

"""Guards of identity against changes between a request's reads and its commit; each test fails without its guard."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from chalicelib.auth import codes
from chalicelib.auth.rate_limits import SIGN_INS
from chalicelib.auth.tokens import Token
from chalicelib.core import clock, ids
from chalicelib.dal import keys, limits, table
from chalicelib.models.identity import credentials, sessions
from chalicelib.models.identity.credentials import CodePurpose, Credential
from chalicelib.models.identity.sessions import StoredSession
from chalicelib.models.users import Role
from infra.local.stack import Stack
from tests.support import client_hooks, store
from tests.support.api import Answer, Api
from tests.support.client_hooks import without_waiting
from tests.support.factories import PASSWORD, Member, Organization
from tests.support.mail_delivery import invite

NEW = "calm-lighthouse-7"


@pytest.fixture
def anna(organization: Organization) -> Member:
    return organization.enrol(Role.MEMBER, PASSWORD)


def _credential(email: str) -> Credential:
    credential = credentials.get(email)
    assert credential is not None
    return credential


def _code(email: str, purpose: CodePurpose) -> str:
    code = codes.issue(_credential(email), purpose)
    assert code is not None
    return code


def _confirm(api: Api, email: str, code: str, password: str = NEW) -> Answer:
    return api.call("confirmResetPassword", body={"email": email, "code": code, "newPassword": password})


def test_a_password_that_is_changed_while_it_is_tried_opens_no_session(api: Api, anna: Member) -> None:
    body = {"currentPassword": PASSWORD, "newPassword": NEW}
    # Its first transaction reserves the attempt.
    with (
        without_waiting(),
        client_hooks.overtaken(lambda: anna.call("updatePassword", body=body), number=2) as overtaking,
    ):
        answer = api.call("signIn", body={"email": anna.user.email, "password": PASSWORD})
    assert overtaking[0].status == 200
    assert (answer.status, answer.code) == (401, "INVALID_CREDENTIALS")
    # The first run had the right password, the last one did not: a failure, which counts
    assert limits.load(SIGN_INS.of_address(anna.user.email))[0].used == 1
    assert len(anna.call("listSessions").data["items"]) == 1
    assert api.call("signIn", body={"email": anna.user.email, "password": NEW}).status == 200


def test_a_code_that_is_replaced_while_it_is_used_sets_no_password(api: Api, anna: Member) -> None:
    older = _code(anna.user.email, CodePurpose.RESET)
    with without_waiting(), client_hooks.overtaken(lambda: _code(anna.user.email, CodePurpose.RESET)) as newer:
        answer = _confirm(api, anna.user.email, older)
    assert list(answer.error["details"]["fieldErrors"]) == ["code"]
    assert api.call("signIn", body={"email": anna.user.email, "password": PASSWORD}).status == 200
    assert _confirm(api, anna.user.email, newer[0]).status == 200


def test_a_code_that_is_used_while_it_is_used_works_once(api: Api, anna: Member) -> None:
    code = _code(anna.user.email, CodePurpose.RESET)
    with (
        without_waiting(),
        client_hooks.overtaken(lambda: _confirm(api, anna.user.email, code, "first-password-1")) as first,
    ):
        answer = _confirm(api, anna.user.email, code, "second-password-2")
    assert first[0].status == 200
    assert list(answer.error["details"]["fieldErrors"]) == ["code"]
    assert api.call("signIn", body={"email": anna.user.email, "password": "first-password-1"}).status == 200


@pytest.mark.parametrize("purpose", list(CodePurpose))
def test_a_code_is_issued_only_for_the_user_that_the_mail_was_decided_for(
    organization: Organization, anna: Member, purpose: CodePurpose
) -> None:
    """The address may have passed to another user meanwhile."""
    email = invite(organization)["email"] if purpose is CodePurpose.INVITATION else anna.user.email
    credential = _credential(email)
    former = credential.model_copy(update={"user_id": ids.new_id()})
    assert codes.issue(former, purpose) is None
    assert _credential(email) == credential
    assert codes.issue(credential, purpose) is not None


def _stored(organization: Organization, token: Token) -> StoredSession:
    return StoredSession.of(table.get(keys.session(organization.id, token.user, token.session)))


def test_a_session_keeps_no_more_than_twenty_tokens(organization: Organization, anna: Member) -> None:
    token = Token.parse(anna.token)
    assert token is not None
    hashes = [f"{number:064}" for number in range(25)]
    for hash_ in hashes:
        assert sessions.add_token(organization.id, anna.user, token.session, hash_)
    assert _stored(organization, token).token_hashes == [token.hash, *hashes[-19:]]


@pytest.mark.parametrize("tokens", [1, 20])
def test_a_session_that_has_ended_gets_no_further_token(organization: Organization, anna: Member, tokens: int) -> None:
    token = Token.parse(anna.token)
    assert token is not None
    for number in range(1, tokens):
        assert sessions.add_token(organization.id, anna.user, token.session, f"{number:064}")
    before = _stored(organization, token)
    arguments = (organization.id, anna.user, token.session, "f" * 64)
    with clock.shifted(timedelta(days=30, seconds=1)):
        assert not sessions.add_token(*arguments)
    assert not sessions.add_token(organization.id, anna.user, UUID(int=1), "f" * 64)
    assert not sessions.add_token(organization.id, anna.user.changed(session_epoch=1), token.session, "f" * 64)
    assert anna.call("signOut").status == 200
    assert not sessions.add_token(*arguments)
    assert _stored(organization, token).token_hashes == before.token_hashes


def test_an_invitation_that_is_accepted_while_it_is_resent_is_not_mailed(
    api: Api, organization: Organization, local_stack: Stack
) -> None:
    invited = invite(organization)
    accept = {"email": invited["email"], "code": _code(invited["email"], CodePurpose.INVITATION), "password": PASSWORD}

    def mails() -> int:
        return sum(pk == keys.mail_partition(organization.id) for pk, _ in store.of(local_stack).items())

    before = mails()
    # Late enough to be mailed again
    with (
        clock.shifted(timedelta(hours=1)),
        without_waiting(),
        client_hooks.overtaken(lambda: api.call("acceptInvitation", body=accept)) as overtaking,
    ):
        answer = organization.owner.call("resendInvitation", path={"userId": invited["id"]})
    assert overtaking[0].status == 200
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert mails() == before

"""The outbox: a mail is sent once and survives every failure, and its code is stored nowhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core import clock, ids
from chalicelib.dal import table
from chalicelib.jobs import mail, mail_queue
from chalicelib.models import outbox
from chalicelib.models.outbox import MailReference
from infra.local.stack import SENDER, Stack
from tests.support import client_hooks
from tests.support.api import Api
from tests.support.client_hooks import ProcessDied
from tests.support.factories import PASSWORD, Organization
from tests.support.mail_delivery import Post, invite
from tests.support.queue_events import failed

SES = mail._ses().meta.events  # type: ignore[attr-defined]  # the client's hooks


@pytest.fixture
def ses_refuses(local_stack: Stack) -> Iterator[None]:
    """Delete the sender's identity, so that SES refuses to send."""
    client = local_stack.engine.client("sesv2")
    client.delete_email_identity(EmailIdentity=SENDER)
    yield
    client.create_email_identity(EmailIdentity=SENDER)


def _repair(stack: Stack) -> None:
    stack.engine.client("sesv2").create_email_identity(EmailIdentity=SENDER)


def _unsent() -> list[MailReference]:
    return outbox.unsent_since(clock.now() + timedelta(minutes=1), limit=100)


def _items(stack: Stack) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = stack.engine.client("dynamodb").scan(TableName=stack.table)["Items"]
    return items


def _mail_of(stack: Stack, email: str) -> MailReference:
    (item,) = [item for item in _items(stack) if "#MAIL" in item["pk"]["S"] and email in json.dumps(item["data"])]
    reference = outbox.reference_of(item["pk"]["S"], item["sk"]["S"])
    assert reference is not None
    return reference


def _accept(api: Api, email: str, code: str) -> int:
    return api.call("acceptInvitation", body={"email": email, "code": code, "password": PASSWORD}).status


# -- the normal case -------------------------------------------------------------------------------------------------


def test_a_mail_is_sent_once_and_marked(organization: Organization, post: Post, local_stack: Stack) -> None:
    email = invite(organization)["email"]
    assert [reference.organization for reference in _unsent()] == [organization.id]
    assert post.count(email) == 1
    assert _unsent() == []
    assert outbox.is_sent(_mail_of(local_stack, email))
    assert post.mailbox.mails(email)[0]["recipient"] == email


def test_a_repeated_delivery_sends_no_second_mail(organization: Organization, post: Post, local_stack: Stack) -> None:
    email = invite(organization)["email"]
    post.carry()
    reference = _mail_of(local_stack, email)
    assert [mail.deliver(reference) for _ in range(3)] == [True, True, True]
    with clock.shifted(timedelta(minutes=3)):  # the lease has expired
        assert mail.deliver(reference) is True
    post.sweep()
    assert post.count(email) == 1


def test_a_refused_request_mails_nothing(organization: Organization, post: Post) -> None:
    body = {"email": organization.owner.user.email, "firstName": "I", "lastName": "H"}
    assert organization.owner.call("inviteUser", body=body).code == "DUPLICATE_ENTRY"
    assert post.count(organization.owner.user.email) == 0


def test_a_repeated_request_mails_once(organization: Organization, post: Post) -> None:
    body = {"email": "twice@example.com", "firstName": "I", "lastName": "H"}
    answers = [organization.owner.call("inviteUser", body=body, key="invite") for _ in range(2)]
    assert [answer.status for answer in answers] == [201, 201]
    assert post.count("twice@example.com") == 1


# -- when SES fails --------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("ses_refuses")
def test_mails_that_ses_refuses_are_sent_by_sweep_and_queue(
    api: Api, organization: Organization, post: Post, local_stack: Stack
) -> None:
    email = invite(organization)["email"]
    assert post.count(email) == 0
    assert [stream.dead for stream in post.pump.streams] == [[], []]  # the stream continues
    assert len(_unsent()) == 1

    _repair(local_stack)
    assert mail_queue.sweep() == 0  # not yet overdue: the queue may still send it
    with clock.shifted(timedelta(minutes=3)):
        assert mail_queue.sweep() == 1
        assert mail_queue.sweep() == 0
    assert post.count(email) == 1
    assert _accept(api, email, post.code(email)) == 200


@pytest.mark.usefixtures("ses_refuses")
def test_a_worker_that_fails_gets_the_message_again(organization: Organization, post: Post, local_stack: Stack) -> None:
    email = invite(organization)["email"]
    post.carry()
    reference = _mail_of(local_stack, email)
    message = _message(reference)
    assert failed(mail_queue.work, message) == ["1"]
    _repair(local_stack)
    assert failed(mail_queue.work, message) == []
    assert post.count(email) == 1
    assert failed(mail_queue.work, message) == []
    assert post.count(email) == 1


# -- two senders, and a sender that dies -----------------------------------------------------------------------------


def test_a_second_sender_waits_for_the_lease_of_the_first(
    organization: Organization, post: Post, local_stack: Stack
) -> None:
    email = invite(organization)["email"]
    reference = _mail_of(local_stack, email)
    assert outbox.claim(reference) is not None  # the first sender
    assert mail.deliver(reference) is False
    assert failed(mail_queue.work, _message(reference)) == ["1"]  # delivered again later
    assert post.count(email) == 0
    with clock.shifted(outbox.LEASE + timedelta(seconds=1)):  # the first sender is dead by now
        assert mail.deliver(reference) is True
    assert post.count(email) == 1


def test_after_a_death_between_sending_and_marking_the_later_code_is_valid(
    api: Api, organization: Organization, post: Post, local_stack: Stack
) -> None:
    email = invite(organization)["email"]
    reference = _mail_of(local_stack, email)
    sent: list[Any] = []

    def die(**_: Any) -> None:
        sent.append(True)
        raise ProcessDied

    SES.register("after-call.sesv2.SendEmail", die)
    try:
        with pytest.raises(ProcessDied):
            mail.deliver(reference)
    finally:
        SES.unregister("after-call.sesv2.SendEmail", die)
    first = post.mailbox.latest_code(email)
    assert sent
    assert first is not None
    assert mail.deliver(reference) is False  # the lease is still valid
    with clock.shifted(timedelta(minutes=3)):
        post.sweep()
    codes = [message["code"] for message in post.mailbox.mails(email)]
    assert len(codes) == 2
    assert codes[1] == first
    assert (_accept(api, email, first), _accept(api, email, codes[0])) == (400, 200)


def test_after_a_death_before_sending_the_mail_is_sent_later(
    organization: Organization, post: Post, local_stack: Stack
) -> None:
    email = invite(organization)["email"]
    reference = _mail_of(local_stack, email)

    def die(**_: Any) -> None:
        raise ProcessDied

    SES.register("before-call.sesv2.SendEmail", die)
    try:
        with pytest.raises(ProcessDied):
            mail.deliver(reference)
    finally:
        SES.unregister("before-call.sesv2.SendEmail", die)
    assert post.count(email) == 0
    with clock.shifted(timedelta(minutes=3)):
        post.sweep()
    assert post.count(email) == 1


def test_a_sweep_that_dies_loses_nothing_and_mails_once(
    organization: Organization, post: Post, local_stack: Stack
) -> None:
    email = invite(organization)["email"]
    reference = _mail_of(local_stack, email)
    assert outbox.claim(reference)  # so that the stream does not send it

    def die(model: Any, **_: Any) -> None:
        raise ProcessDied

    post.carry()
    client_hooks.CLIENT.meta.events.register("before-call.dynamodb.UpdateItem", die)
    try:
        with clock.shifted(timedelta(minutes=3)), pytest.raises(ProcessDied):
            mail_queue.sweep()
    finally:
        client_hooks.CLIENT.meta.events.unregister("before-call.dynamodb.UpdateItem", die)
    with clock.shifted(timedelta(minutes=3)):
        assert mail_queue.sweep() == 1
        assert post.count(email) == 1


def test_the_mail_of_a_user_who_is_gone_is_dropped(organization: Organization, post: Post) -> None:
    reference = MailReference(organization.id, ids.new_id())
    assert mail.deliver(reference) is True
    assert outbox.claim(reference) is None


# -- nothing secret in the table -------------------------------------------------------------------------------------


def test_no_code_token_or_password_is_stored(
    api: Api, organization: Organization, post: Post, local_stack: Stack
) -> None:
    email = invite(organization)["email"]
    code = post.code(email)
    body = {"email": email, "code": code, "password": PASSWORD}
    token = api.call("acceptInvitation", body=body, key="accept-key").data["token"]
    signed_in = api.call("signIn", body={"email": email, "password": PASSWORD}, key="sign-in-key").data["token"]
    api.call("resetPassword", body={"email": email})
    reset = post.code(email)
    text = json.dumps(_items(local_stack), default=str)
    assert email in text
    secret_of = token.removeprefix("wl_")[64:-1]
    for secret in (code, code.replace("-", ""), reset, reset.replace("-", ""), token, signed_in, secret_of, PASSWORD):
        assert secret not in text
    for key in ("accept-key", "sign-in-key"):
        assert key not in text


# -- batches ---------------------------------------------------------------------------------------------------------


def _message(reference: MailReference) -> dict[str, Any]:
    return {"organizationId": str(reference.organization), "mailId": str(reference.id)}


@pytest.mark.parametrize("poison", ["not json", "{}", '{"organizationId": "1", "mailId": "2"}', "[]", "null"])
def test_an_unreadable_message_fails_alone(
    organization: Organization, post: Post, local_stack: Stack, poison: str
) -> None:
    email = invite(organization)["email"]
    reference = _mail_of(local_stack, email)
    assert failed(mail_queue.work, poison, _message(reference), poison) == ["1", "3"]
    assert post.count(email) == 1


def test_a_batch_of_failures_is_reported_and_not_raised() -> None:
    assert failed(mail_queue.work, "x", "y") == ["1", "2"]


def test_unsent_mails_are_read_oldest_first_up_to_a_limit(organization: Organization, post: Post) -> None:
    post.carry()
    with table.counted() as traffic:
        assert outbox.unsent_since(clock.now(), limit=2) == []
    assert traffic.round_trips == 1
    for _ in range(3):
        invite(organization)
    oldest = outbox.unsent_since(clock.now() + timedelta(minutes=1), limit=2)
    assert [row.id for row in oldest] == sorted(row.id for row in oldest)
    assert len(oldest) == 2

"""Mailed codes: five wrong guesses end one, and neither an outage nor a repetition is a guess."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from typing import NamedTuple

import pytest

from chalicelib.auth import codes
from chalicelib.models.identity import credentials
from chalicelib.models.identity.credentials import CODE_ATTEMPTS, CodePurpose
from chalicelib.models.users import Role
from infra.local.stack import Stack
from tests.support import client_hooks, store
from tests.support.api import Answer, Api
from tests.support.client_hooks import Fault, ProcessDied, Refusal, broken, without_waiting
from tests.support.factories import PASSWORD, Organization, address
from tests.support.mail_delivery import invite, other_code
from tests.support.store import texts_in
from tests.support.threads import at_once

NEW = "calm-lighthouse-7"
KEY = "one and the same"


class Mailed(NamedTuple):
    """An address, and how to use the code that was mailed to it."""

    api: Api
    action: str
    purpose: CodePurpose
    field: str
    email: str

    def issue(self) -> str:
        """Return the code of the mail, without reading the mail."""
        credential = credentials.get(self.email)
        assert credential is not None
        code = codes.issue(credential, self.purpose)
        assert code is not None
        return code

    def use(self, code: str, key: str | None = None, email: str | None = None) -> Answer:
        body = {"email": email or self.email, "code": code, self.field: NEW}
        return self.api.call(self.action, body=body, key=key)

    @property
    def guesses(self) -> tuple[str, ...]:
        credential = credentials.get(self.email)
        assert credential is not None
        code = credential.code(self.purpose)
        assert code is not None
        return code.guesses


@pytest.fixture(params=["acceptInvitation", "confirmResetPassword"])
def mailed(request: pytest.FixtureRequest, api: Api, organization: Organization) -> Mailed:
    if request.param == "acceptInvitation":
        return Mailed(api, request.param, CodePurpose.INVITATION, "password", invite(organization)["email"])
    email = organization.enrol(Role.MEMBER, PASSWORD).user.email
    return Mailed(api, request.param, CodePurpose.RESET, "newPassword", email)


def _is_wrong(answer: Answer) -> bool:
    wrong = {"code": ["is wrong or no longer valid"]}
    return answer.code == "VALIDATION_ERROR" and answer.error["details"]["fieldErrors"] == wrong


def _wrong_codes(code: str, count: int) -> list[str]:
    letters = [letter for letter in "0123456789ABCDEFGHJKMNPQRSTVWXYZ" if letter != code[-1]]
    return [code[:-1] + letter for letter in letters[:count]]


# -- repetitions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [KEY, None])
@pytest.mark.parametrize(
    ("reason", "status"),
    [("ThrottlingError", 503), ("ProvisionedThroughputExceeded", 503), ("TransactionConflict", 409)],
)
def test_an_outage_costs_no_attempt(mailed: Mailed, reason: str, status: int, key: str | None) -> None:
    code = mailed.issue()
    with without_waiting(), broken(Refusal("TransactWriteItems", "TransactionCanceledException", reason)):
        assert [mailed.use(code, key).status for _ in range(CODE_ATTEMPTS + 1)] == [status] * (CODE_ATTEMPTS + 1)
    # Nor one of the wrong guesses that are left
    assert mailed.guesses == ()
    for wrong in _wrong_codes(code, CODE_ATTEMPTS - 1):
        assert _is_wrong(mailed.use(wrong))
    answer = mailed.use(code, key)
    assert (answer.status, answer.is_replay) == (200, False), answer.text


@pytest.mark.parametrize("kind", ["process dies before", "request lost"])
def test_nor_does_a_process_that_dies_at_any_call(mailed: Mailed, kind: str) -> None:
    code = mailed.issue()
    for at_call in (1, 2, 3) * 3:
        with without_waiting(), broken(Fault(at_call, kind)), contextlib.suppress(ProcessDied):
            mailed.use(code)
    assert mailed.guesses == ()
    assert mailed.use(code).status == 200


def test_a_right_code_that_is_overtaken_again_and_again_costs_none(mailed: Mailed) -> None:
    """Six runs of one request, as its reads are stale each time."""
    code = mailed.issue()
    conflicts = Refusal("TransactWriteItems", "TransactionCanceledException", "ConditionalCheckFailed", calls=5)
    with without_waiting(), broken(conflicts):
        answer = mailed.use(code)
    assert answer.recording.operations.count("TransactWriteItems") == 6
    assert answer.status == 200, answer.text


def test_a_wrong_guess_that_is_repeated_with_its_key_is_one_guess(mailed: Mailed) -> None:
    code = mailed.issue()
    for _ in range(CODE_ATTEMPTS + 2):
        assert _is_wrong(mailed.use(other_code(code), KEY))
    assert len(mailed.guesses) == 1
    assert mailed.use(code, KEY).status == 200


def test_a_wrong_guess_whose_answer_was_lost_is_one_guess(mailed: Mailed) -> None:
    code = mailed.issue()
    for kind in client_hooks.KINDS:
        with without_waiting(), broken(Fault(2, kind)), contextlib.suppress(ProcessDied):
            mailed.use(other_code(code), KEY)
    assert _is_wrong(mailed.use(other_code(code), KEY))
    assert len(mailed.guesses) == 1


# -- guesses ---------------------------------------------------------------------------------------------------------


def test_without_a_key_the_same_wrong_guess_is_another_one(mailed: Mailed) -> None:
    code = mailed.issue()
    for _ in range(CODE_ATTEMPTS):
        assert _is_wrong(mailed.use(other_code(code)))
    assert _is_wrong(mailed.use(code))


@pytest.mark.parametrize("key_of", [lambda _: KEY, str, lambda _: None], ids=["one key", "a key each", "no key"])
def test_five_different_guesses_end_a_code(mailed: Mailed, key_of: Callable[[int], str | None]) -> None:
    code = mailed.issue()
    for number, wrong in enumerate(_wrong_codes(code, CODE_ATTEMPTS)):
        assert _is_wrong(mailed.use(wrong, key_of(number)))
    for key in (None, KEY, "yet another"):
        assert _is_wrong(mailed.use(code, key))


@pytest.mark.usefixtures("on_a_safe_engine")
@pytest.mark.parametrize("key", [KEY, None])
def test_guesses_at_once_end_a_code_too(mailed: Mailed, key: str | None) -> None:
    code = mailed.issue()
    answers = at_once([lambda wrong=wrong: mailed.use(wrong, key) for wrong in _wrong_codes(code, 20)])
    assert all(_is_wrong(answer) for answer in answers)
    assert len(mailed.guesses) == CODE_ATTEMPTS
    assert _is_wrong(mailed.use(code, key))


def test_a_right_code_is_refused_when_wrong_guesses_overtake_it(mailed: Mailed) -> None:
    """However many run at once: five are answered, and the right one only if it is among them."""
    code = mailed.issue()

    def guess() -> None:
        for wrong in _wrong_codes(code, CODE_ATTEMPTS):
            assert _is_wrong(mailed.use(wrong))

    with without_waiting(), client_hooks.overtaken(guess):
        assert _is_wrong(mailed.use(code))
    assert _is_wrong(mailed.use(code))


def test_a_newer_code_does_not_pay_for_guesses_at_the_older(mailed: Mailed) -> None:
    older = mailed.issue()
    for wrong in _wrong_codes(older, CODE_ATTEMPTS):
        mailed.use(wrong)
    newer = mailed.issue()
    assert mailed.guesses == ()
    assert mailed.use(newer).status == 200


# -- errors and stored data ------------------------------------------------------------------------------------------


def test_known_and_unknown_addresses_take_the_same_calls(mailed: Mailed) -> None:
    code = mailed.issue()
    for guess in (other_code(code), code):
        # Ended after the first round, so that the right code is refused as well
        for _ in range(CODE_ATTEMPTS):
            known, unknown = mailed.use(guess), mailed.use(guess, email=address("nobody"))
            assert known.error | {"requestId": ""} == unknown.error | {"requestId": ""}
            assert known.recording.operations == unknown.recording.operations == ["BatchGetItem", "UpdateItem"]


def test_nothing_that_is_stored_lets_a_guess_be_guessed_quickly(mailed: Mailed, local_stack: Stack) -> None:
    code = mailed.issue()
    typed = other_code(code)
    mailed.use(typed, KEY)
    stored = "\n".join(text for item in store.of(local_stack).items().values() for text in texts_in(item))
    (guess,) = mailed.guesses
    assert guess in stored
    for form in (typed, typed.replace("-", "")):
        assert form not in stored
        for fast in (hashlib.md5, hashlib.sha1, hashlib.sha256, hashlib.sha512):
            assert fast(form.encode()).hexdigest() not in stored

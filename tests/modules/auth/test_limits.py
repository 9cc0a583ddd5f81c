"""Rate limits as clients meet them: at once or one after the other, through a known key, by source; and in headers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest

from chalicelib.action.registry import REGISTRY
from chalicelib.auth import codes
from chalicelib.auth.rate_limits import (
    HASHES,
    PASSWORD_CHANGES,
    REPETITIONS,
    RESET_MAILS,
    RESET_MAILS_OF_SOURCE,
    SIGN_INS,
    SIGN_UPS,
    UNSUBSCRIBINGS_OF_SOURCE,
    of_source,
)
from chalicelib.dal import limits, table
from chalicelib.dal.item import Item
from chalicelib.dal.limits import Allowance, Limit
from chalicelib.models.identity import credentials
from chalicelib.models.identity.credentials import CodePurpose
from chalicelib.models.users import Role
from infra.local.stack import Stack
from tests.support import sources, store
from tests.support.api import Answer, Api
from tests.support.arrange import SECRETIVE, arrange
from tests.support.assignment_helpers import NOW
from tests.support.client_hooks import Fault, broken, without_waiting
from tests.support.factories import PASSWORD, Member, Organization, address, new_organization, unique
from tests.support.frozen_time import later, standing_still
from tests.support.mail_delivery import invite
from tests.support.threads import at_once

NEW = "calm-lighthouse-7"


@pytest.fixture
def anna(organization: Organization) -> Member:
    return organization.enrol(Role.MEMBER, PASSWORD)


@pytest.fixture
def from_one_source() -> Iterator[Api]:
    """A source of its own for each test, with limits by source."""
    with sources.limited():
        number = int(unique("x")[2:])
        yield Api(source=f"198.18.{number // 256}.{number % 256}")


def _sign_in(api: Api, email: str, password: str = PASSWORD, key: str | None = None) -> Answer:
    return api.call("signIn", body={"email": email, "password": password}, key=key)


def _sign_up(api: Api, email: str, password: str = PASSWORD, key: str | None = None) -> Answer:
    names = {"firstName": "Anna", "lastName": "Berg", "organizationName": "Berg Staffing"}
    return api.call("signUp", body={"email": email, "password": password, **names}, key=key)


def _use_up(allowance: Allowance, but: int = 0) -> None:
    """All uses but some, in one slot."""
    (use,) = limits.take(*limits.load(allowance))
    uses = allowance.limit.quota - but
    table.update(allowance.key, [Item.data["used"].set(uses), Item.data["slots"][str(use.slot)].set(uses)])


def _codes(answers: list[Answer]) -> Counter[str]:
    return Counter("OK" if answer.status < 300 else answer.code for answer in answers)


# -- at once ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("on_a_safe_engine")
def test_parallel_sign_ins_try_as_many_passwords_as_sequential_ones(api: Api, anna: Member) -> None:
    wrong = [lambda n=n: _sign_in(api, anna.user.email, f"wrong-{n}") for n in range(100)]
    with standing_still(NOW):
        answers = at_once(wrong)
        assert _codes(answers) == {"INVALID_CREDENTIALS": SIGN_INS.quota, "RATE_LIMITED": 100 - SIGN_INS.quota}
        assert _sign_in(api, anna.user.email).code == "RATE_LIMITED"


@pytest.mark.usefixtures("on_a_safe_engine")
def test_parallel_resets_send_as_many_mails_as_sequential_ones(
    api: Api, organization: Organization, anna: Member, local_stack: Stack
) -> None:
    with standing_still(NOW), without_waiting():
        answers = at_once([lambda: api.call("resetPassword", body={"email": anna.user.email})] * 60)
    assert _codes(answers) == {"OK": 60}
    mails = [pk for pk, _ in store.of(local_stack).items() if pk == f"ORG#{organization.id}#MAIL"]
    assert len(mails) == RESET_MAILS.quota


@pytest.mark.usefixtures("on_a_safe_engine")
def test_parallel_sign_ins_with_the_right_password_all_succeed(api: Api, anna: Member) -> None:
    answers = at_once([lambda: _sign_in(api, anna.user.email)] * SIGN_INS.quota)
    assert _codes(answers) == {"OK": SIGN_INS.quota}
    assert limits.load(SIGN_INS.of_address(anna.user.email))[0].used == 0


# -- in a row --------------------------------------------------------------------------------------------------------


def test_no_two_windows_let_twice_as_much_through(api: Api, anna: Member) -> None:
    with standing_still(NOW):
        with later(minutes=14, seconds=50):
            assert {_sign_in(api, anna.user.email, "wrong").code for _ in range(10)} == {"INVALID_CREDENTIALS"}
        for minutes in (15.1, 16, 29):
            with later(minutes=minutes):
                assert _sign_in(api, anna.user.email, "wrong").code == "RATE_LIMITED"
        with later(minutes=31):
            assert _sign_in(api, anna.user.email).status == 200


def test_successful_sign_ins_use_nothing_up(api: Api, anna: Member) -> None:
    assert _codes([_sign_in(api, anna.user.email) for _ in range(SIGN_INS.quota + 5)]) == {"OK": SIGN_INS.quota + 5}


def test_a_deactivated_user_with_the_right_password_is_no_failure(
    api: Api, organization: Organization, anna: Member
) -> None:
    organization.owner.call("deactivateUser", path={"userId": anna.user.id})
    answers = [_sign_in(api, anna.user.email) for _ in range(SIGN_INS.quota + 1)]
    assert _codes(answers) == {"FORBIDDEN": SIGN_INS.quota + 1}


def test_right_passwords_count_nothing_while_the_store_takes_no_commit(api: Api, anna: Member) -> None:
    for _ in range(SIGN_INS.quota + 1):
        # Its read, its attempt, the user, the commit
        with without_waiting(), broken(Fault(4, "request lost")):
            assert _sign_in(api, anna.user.email).code == "DATABASE_ERROR"
    assert _sign_in(api, anna.user.email).status == 200


# -- repetitions -----------------------------------------------------------------------------------------------------


def test_any_number_of_repeated_sign_ups_gets_a_token_that_works(api: Api) -> None:
    email = address("founder")
    answers = [_sign_up(api, email, key="again") for _ in range(41)]
    assert {answer.status for answer in answers} == {201}
    assert [answer.is_replay for answer in answers] == [False] + [True] * 40
    works = [api.call("getUserRole", answer.data["token"]).status == 200 for answer in answers]
    # The first, whose answer may have been the one that arrived, and the latest
    assert works == [True] + [False] * 21 + [True] * 19


@pytest.mark.usefixtures("on_a_safe_engine")
def test_repetitions_at_once_get_tokens_though_there_are_too_many(api: Api) -> None:
    email = address("founder")
    for _ in range(20):
        assert _sign_up(api, email, key="again").status == 201
    answers = at_once([lambda: _sign_up(api, email, key="again")] * 4)
    assert {answer.status for answer in answers} == {201}
    assert {api.call("getUserRole", answer.data["token"]).status for answer in answers} == {200}


def test_a_password_behind_a_known_key_cannot_be_guessed_at(api: Api) -> None:
    email = address("founder")
    assert _sign_up(api, email, key="known").status == 201
    guesses = [_sign_up(api, email, f"guess-number-{n}", key="known") for n in range(25)]
    assert _codes(guesses) == {"IDEMPOTENCY_MISMATCH": REPETITIONS.quota, "RATE_LIMITED": 25 - REPETITIONS.quota}
    assert _sign_up(api, email, key="known").code == "RATE_LIMITED"
    # Another door to the same address is not shut by it
    assert _sign_in(api, email).status == 200


def test_nor_through_an_accepted_invitation_or_a_changed_password(
    api: Api, organization: Organization, anna: Member
) -> None:
    email = invite(organization)["email"]
    code = _code(email, CodePurpose.INVITATION)
    accept = {"email": email, "code": code, "password": PASSWORD}
    assert api.call("acceptInvitation", body=accept, key="known").status == 200
    change = {"currentPassword": PASSWORD, "newPassword": NEW}
    assert anna.call("updatePassword", body=change, key="known").status == 200
    for call, field, body in (
        (api.call, "password", accept),
        (anna.call, "newPassword", change),
    ):
        action = "acceptInvitation" if body is accept else "updatePassword"
        guesses = [call(action, body={**body, field: f"guess-number-{n}"}, key="known") for n in range(12)]
        assert _codes(guesses) == {"IDEMPOTENCY_MISMATCH": REPETITIONS.quota, "RATE_LIMITED": 2}


def _code(email: str, purpose: CodePurpose) -> str:
    credential = credentials.get(email)
    assert credential is not None
    code = codes.issue(credential, purpose)
    assert code is not None
    return code


# -- by source -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", SECRETIVE)
def test_a_source_that_hashes_too_much_is_refused_wherever_it_hashes(
    api: Api, from_one_source: Api, action: str
) -> None:
    arranged = arrange(action, new_organization(from_one_source))
    _use_up(HASHES.of_source(from_one_source.source))
    answer = arranged.send("a key")
    assert (answer.status, answer.code) == (429, "RATE_LIMITED")
    assert f'"{HASHES.name}";r=0;t={answer.headers["Retry-After"]}' in answer.headers["RateLimit"]
    # Others are not
    assert api.call(action, arranged.sender and arranged.sender.token, body=arranged.call.body).status < 300


def test_everything_that_hashes_counts_whatever_its_outcome(from_one_source: Api, anna: Member) -> None:
    hashes = HASHES.of_source(from_one_source.source)
    for sent, password in enumerate((PASSWORD, "wrong", PASSWORD), start=1):
        _sign_in(from_one_source, anna.user.email, password)
        assert limits.load(hashes)[0].used == sent


def test_a_source_founds_only_so_many_organizations(api: Api, from_one_source: Api) -> None:
    with standing_still(NOW):
        founders = [address("founder") for _ in range(SIGN_UPS.quota)]
        answers = [_sign_up(from_one_source, email, key="once") for email in founders[:-1]]
        assert _codes(answers) == {"OK": SIGN_UPS.quota - 1}
        # Neither repetitions nor taken addresses count
        for key, code in (("once", "OK"), ("another", "DUPLICATE_ENTRY")):
            assert _codes([_sign_up(from_one_source, email, key=key) for email in founders[:3]]) == {code: 3}
        assert _sign_up(from_one_source, founders[-1]).status == 201
        refused = _sign_up(from_one_source, address("founder"))
        assert (refused.code, int(refused.headers["Retry-After"]) > 0) == ("RATE_LIMITED", True)
        assert _sign_up(api, address("founder")).status == 201
        with later(seconds=int(refused.headers["Retry-After"])):
            assert _sign_up(from_one_source, address("founder")).status == 201


def test_a_source_that_asks_for_many_mails_gets_none_and_the_same_answer(
    from_one_source: Api, organization: Organization, anna: Member, local_stack: Stack
) -> None:
    _use_up(RESET_MAILS_OF_SOURCE.of_source(from_one_source.source), but=1)
    others = [organization.enrol(Role.MEMBER, PASSWORD).user.email, address("nobody")]
    first, *rest = (
        from_one_source.call("resetPassword", body={"email": email}) for email in (anna.user.email, *others)
    )
    assert {first.text, *(answer.text for answer in rest)} == {first.text}
    assert len({answer.headers["RateLimit"] for answer in rest}) == 1
    mails = [pk for pk, _ in store.of(local_stack).items() if pk == f"ORG#{organization.id}#MAIL"]
    assert len(mails) == 1


@pytest.mark.parametrize(
    ("sources_of_one", "other"),
    [
        (("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"), "2001:db8:1:3::1"),
        (("203.0.113.9", "::ffff:203.0.113.9"), "203.0.113.10"),
        (("unknown", "unknown"), "203.0.113.11"),
    ],
)
def test_all_addresses_of_one_machine_are_one_source(sources_of_one: tuple[str, str], other: str) -> None:
    with sources.limited():
        keys = [of_source(source, HASHES) for source in (*sources_of_one, other)]
    assert keys[0] == keys[1] != keys[2]


def test_without_limits_by_source_there_are_none(api: Api) -> None:
    answer = _sign_up(api, address("founder"))
    assert answer.status == 201
    assert "RateLimit" not in answer.headers
    assert not any(pk.startswith("SOURCE#") for call in answer.recording.calls for pk in call.partitions())


@pytest.mark.parametrize(
    ("action", "trips"),
    [("acceptInvitation", 4), ("confirmResetPassword", 4), ("resetPassword", 2), ("signIn", 4), ("signUp", 3)],
)
def test_limits_by_source_cost_at_most_one_read_and_one_write(from_one_source: Api, action: str, trips: int) -> None:
    answer = arrange(action, new_organization(from_one_source)).send("a key")
    assert answer.status < 300, answer.text
    assert answer.round_trips == trips, answer.recording.operations


# -- headers ---------------------------------------------------------------------------------------------------------


def test_headers_say_what_is_left_and_when_more_comes_back(api: Api, anna: Member) -> None:
    email = anna.user.email
    with standing_still(NOW):
        answers = [_sign_in(api, email, "wrong") for _ in range(SIGN_INS.quota + 1)]
        with later(minutes=5):
            late = _sign_in(api, email, "wrong")
    assert [_left(answer, SIGN_INS) for answer in answers] == [*range(SIGN_INS.quota - 1, -1, -1), 0]
    assert {answer.headers["RateLimit-Policy"] for answer in answers} == {'"sign-in";q=10;w=900'}
    assert answers[-1].headers["RateLimit"] == f'"sign-in";r=0;t={answers[-1].headers["Retry-After"]}'
    assert int(late.headers["Retry-After"]) == int(answers[-1].headers["Retry-After"]) - 300


def test_success_leaves_everything(api: Api, anna: Member) -> None:
    _sign_in(api, anna.user.email, "wrong")
    assert _sign_in(api, anna.user.email).headers["RateLimit"] == '"sign-in";r=10;t=0'


def test_known_and_unknown_addresses_have_the_same_headers(api: Api, anna: Member) -> None:
    with standing_still(NOW):
        for send in (
            lambda email: _sign_in(api, email, "wrong"),
            lambda email: api.call("resetPassword", body={"email": email}),
        ):
            pairs = [[send(email).headers["RateLimit"] for email in (anna.user.email, "x" + anna.user.email)]]
            assert all(known == unknown for known, unknown in pairs)


def test_a_browser_may_read_the_headers(api: Api, anna: Member) -> None:
    exposed = _sign_in(api, anna.user.email).headers["Access-Control-Expose-Headers"].split(",")
    assert {"RateLimit", "RateLimit-Policy", "Retry-After"} <= {*exposed}


_TAKEN_BY_WRONG_LINKS = {UNSUBSCRIBINGS_OF_SOURCE.name}


@pytest.mark.parametrize("action", [name for name, action in REGISTRY.items() if action.is_write])
def test_an_action_takes_the_limits_that_it_declares(from_one_source: Api, action: str) -> None:
    arranged = arrange(action, new_organization(from_one_source))
    answers = [arranged.send("a key") for _ in range(2)]
    assert answers[0].status == arranged.action.status, answers[0].text
    taken = {name for answer in answers for name in re.findall(r'"([a-z-]+)";r', answer.headers.get("RateLimit", ""))}
    assert taken == {limit.name for limit in arranged.action.limits} - _TAKEN_BY_WRONG_LINKS


@pytest.mark.parametrize("action", SECRETIVE)
def test_every_action_that_hashes_declares_it(action: str) -> None:
    assert HASHES in REGISTRY[action].limits
    assert REPETITIONS in REGISTRY[action].limits


def test_limits_have_names_of_their_own() -> None:
    declared = {limit for action in REGISTRY.values() for limit in action.limits}
    assert len({limit.name for limit in declared}) == len(declared)
    assert {PASSWORD_CHANGES, SIGN_INS, SIGN_UPS} <= declared


def _left(answer: Answer, limit: Limit) -> int:
    match = re.search(rf'"{limit.name}";r=(\d+)', answer.headers["RateLimit"])
    assert match
    return int(match[1])

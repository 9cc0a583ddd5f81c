"""An `Idempotency-Key` makes every write safe to repeat, and belongs to one caller."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.core import clock
from chalicelib.core.ids import new_id
from chalicelib.dal.idempotency import KEPT_SECONDS
from chalicelib.models.users import Role
from tests.support.api import Answer
from tests.support.arrange import SECRETIVE, WRITES, arrange, secret_fields
from tests.support.audit_entries import entries_of
from tests.support.factories import PASSWORD, Organization
from tests.support.store import Change, Store, canonical, plain, texts_in, tokens_in
from tests.support.threads import at_once
from tests.support.variations import other_input

KEY = "k-1"


def body_of(answer: Answer) -> str:
    """Return the body byte for byte, without the token."""
    token = answer.data.get("token")
    return answer.text.replace(token, "") if token else answer.text


@pytest.mark.parametrize("action", WRITES)
def test_a_repeated_write_is_replayed(home: Organization, store: Store, action: str) -> None:
    # Given a write that ran with a key
    arranged = arrange(action, home)
    before = store.items()
    first = arranged.send(KEY)
    assert first.status == arranged.action.status, first.text
    assert not first.is_replay
    after_first = store.items()
    # When it is repeated, twice
    for repetition in (1, 2):
        again = arranged.send(KEY)
        # Then it has the same answer, with a new token, and no further effect
        assert again.is_replay, again.text
        assert (again.status, body_of(again)) == (first.status, body_of(first))
        assert again.headers.get("ETag") == first.headers.get("ETag")
        assert again.data.get("token", "none") != first.data.get("token")
        assert not store.changes(after_first)
        assert tokens_in(store.changes(before)) == ("token" in again.data) * (1 + repetition)


@pytest.mark.parametrize("action", WRITES)
def test_a_key_used_with_another_input_is_refused(home: Organization, store: Store, action: str) -> None:
    arranged = arrange(action, home)
    other = other_input(arranged)
    if other is None:
        pytest.skip("it has no input, or only the owner of the key")
    assert arranged.send(KEY).status == arranged.action.status
    before = store.items()

    answer = other.send(KEY)

    assert (answer.status, answer.code) == (422, "IDEMPOTENCY_MISMATCH"), answer.text
    # Another secret is a wrong guess, and counts as one.
    assert not store.changes(before, limits=False)


@pytest.mark.parametrize("action", WRITES)
def test_keys_of_other_callers_are_independent(home: Organization, abroad: Organization, action: str) -> None:
    # Given a key that was used
    arranged = arrange(action, home)
    assert arranged.send(KEY).status == arranged.action.status
    # When another user uses it, and a user of another organization
    for theirs in (arrange(action, home), arrange(action, abroad)):
        answer = theirs.send(KEY)
        # Then it is not a replay
        assert answer.status == theirs.action.status, answer.text
        assert not answer.is_replay


@pytest.mark.parametrize("action", WRITES)
def test_keys_of_other_actions_are_independent(home: Organization, action: str) -> None:
    # Given a sender who has used the key for another action
    sender = home.enrol(Role.OWNER, PASSWORD)
    arranged = arrange(action, home, sender)
    elsewhere = "updateProfile" if action != "updateProfile" else "updatePreferences"
    assert arrange(elsewhere, home, sender).send(KEY).status == 200

    answer = arranged.send(KEY)

    assert answer.status == arranged.action.status, answer.text
    assert not answer.is_replay


@pytest.mark.parametrize("action", WRITES)
def test_a_key_is_free_again_after_a_day(home: Organization, action: str) -> None:
    # Given a write that ran with a key
    arranged = arrange(action, home)
    assert arranged.send(KEY).status == arranged.action.status
    # When it is repeated just before and just after the record expires
    with clock.shifted(timedelta(seconds=KEPT_SECONDS - 30)):
        before = arranged.send(KEY)
    with clock.shifted(timedelta(seconds=KEPT_SECONDS + 30)):
        after = arranged.send(KEY)
    # Then it is replayed first, and handled as a new request later
    assert before.is_replay, before.text
    assert not after.is_replay
    assert after.status != 422, after.text


@pytest.mark.parametrize("action", WRITES)
def test_two_at_once_have_one_effect(on_a_safe_engine: None, home: Organization, store: Store, action: str) -> None:
    # Given a request and its effect when sent alone
    arranged = arrange(action, home)
    before = store.items()
    assert arranged.send(KEY).status == arranged.action.status
    expected = canonical(store.changes(before), before)
    store.restore(before)
    # When it is sent four times at once
    answers = at_once([lambda: arranged.send(KEY)] * 4)
    # Then it has one effect, one audit entry and one answer
    assert canonical(store.changes(before), before) == expected
    assert entries_of(arranged.action, store.changes(before))
    assert {answer.status for answer in answers} == {arranged.action.status}, [answer.text for answer in answers]
    assert len({body_of(answer) for answer in answers}) == 1
    assert sum(not answer.is_replay for answer in answers) == 1


# -- secrets ---------------------------------------------------------------------------------------------------------

FAST_HASHES = (hashlib.md5, hashlib.sha1, hashlib.sha224, hashlib.sha256, hashlib.sha384, hashlib.sha512)


@pytest.mark.parametrize("action", SECRETIVE)
def test_no_secret_is_stored(home: Organization, store: Store, action: str) -> None:
    arranged = arrange(action, home)
    answer = arranged.send(KEY)
    inputs = [arranged.call.body[field] for field in secret_fields(arranged.action)]
    secrets = {*inputs, answer.data.get("token", PASSWORD)}

    stored = "\n".join(text for item in store.items().values() for text in texts_in(item))

    for secret in secrets:
        assert secret not in stored
        for fast in FAST_HASHES:
            assert fast(secret.encode()).hexdigest() not in stored


@pytest.mark.parametrize("action", SECRETIVE)
def test_an_idempotency_record_reveals_no_secret(home: Organization, store: Store, action: str) -> None:
    """Secrets are compared by argon2 only: a digest of an input with its secrets could be guessed quickly."""
    arranged = arrange(action, home)
    before = store.items()
    records = []
    for field in secret_fields(arranged.action):
        for suffix in ("", "-another"):
            if suffix and field not in {"password", "newPassword"}:
                continue
            store.restore(before)
            call = replace(arranged.call, body={**arranged.call.body, field: arranged.call.body[field] + suffix})
            if replace(arranged, call=call).send(KEY).status == arranged.action.status:
                records += [_record(store.changes(before))]

    assert {record["secretsHash"].split("$")[1] for record in records} == {"argon2id"}
    assert len({record["payloadHash"] for record in records}) == 1


def _record(changes: dict[tuple[str, str], Change]) -> dict[str, str]:
    (record,) = (plain(change.after)["data"] for key, change in changes.items() if "IDEMPOTENCY" in repr(key))
    return record


@pytest.mark.parametrize("action", SECRETIVE)
def test_a_used_key_with_another_secret_is_not_replayed(home: Organization, store: Store, action: str) -> None:
    """Otherwise a known key would give a session without the password."""
    arranged = arrange(action, home)
    assert arranged.send(KEY).status == arranged.action.status
    before = store.items()
    for field in secret_fields(arranged.action):
        guess = {**arranged.call.body, field: "guess-" + str(new_id())[-8:]}

        answer = replace(arranged, call=replace(arranged.call, body=guess)).send(KEY)

        assert (answer.status, answer.code) == (422, "IDEMPOTENCY_MISMATCH"), f"{field}: {answer.text}"
        assert not store.changes(before, limits=False)


@pytest.mark.parametrize("key", ["", "k" * 256, "tab\there"])
def test_an_invalid_key_is_refused(home: Organization, store: Store, key: str) -> None:
    arranged = arrange("createClient", home)
    before = store.items()

    answer = arranged.send(key)

    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert store.items() == before


def test_the_longest_key_is_accepted(home: Organization) -> None:
    arranged = arrange("createClient", home)

    assert arranged.send("k" * 255).status == 201
    assert arranged.send("k" * 255).is_replay

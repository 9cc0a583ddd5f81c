"""Conflicts and throttling, which local engines never answer: injected into every action."""

from __future__ import annotations

import pytest

from tests.support.arrange import READS, WRITES, arrange
from tests.support.audit_entries import entries_of
from tests.support.client_hooks import Refusal, broken
from tests.support.factories import Organization
from tests.support.store import Store, canonical

pytestmark = pytest.mark.usefixtures("without_pauses")

KEY = "a key"
COMMIT = "TransactWriteItems"


def cancelled(reason: str, calls: int | None = None) -> Refusal:
    return Refusal(COMMIT, "TransactionCanceledException", reason, calls)


@pytest.mark.parametrize("action", WRITES)
def test_a_temporary_conflict_has_no_effect(home: Organization, store: Store, action: str) -> None:
    arranged = arrange(action, home)
    before = store.items()
    undisturbed = arranged.send(KEY)
    assert undisturbed.status == arranged.action.status
    transactions = undisturbed.recording.operations.count(COMMIT)
    expected = canonical(store.changes(before), before)
    for times in (1, 3):
        store.restore(before)

        with broken(cancelled("TransactionConflict", times)):
            answer = arranged.send(KEY)

        assert answer.status == arranged.action.status, answer.text
        assert answer.recording.operations.count(COMMIT) == times + transactions
        assert canonical(store.changes(before), before) == expected
        assert entries_of(arranged.action, store.changes(before))


@pytest.mark.parametrize("action", WRITES)
def test_a_permanent_conflict_is_answered(home: Organization, store: Store, action: str) -> None:
    arranged = arrange(action, home)
    before = store.items()

    with broken(cancelled("TransactionConflict")):
        answer = arranged.send(KEY)

    assert (answer.status, answer.code) == (409, "CONFLICT"), answer.text
    assert not store.changes(before)
    assert answer.round_trips < 15, "retries are bounded"


@pytest.mark.parametrize("action", WRITES)
def test_a_throttled_transaction_can_be_retried_later(
    home: Organization, store: Store, caplog: pytest.LogCaptureFixture, action: str
) -> None:
    arranged = arrange(action, home)
    before = store.items()
    for reason in ("ThrottlingError", "ProvisionedThroughputExceeded"):
        caplog.clear()
        with broken(cancelled(reason)):
            answer = arranged.send(KEY)

        (failure,) = [record for record in caplog.records if record.levelname == "ERROR"]
        assert reason in failure.aws_codes
        assert (answer.status, answer.code) == (503, "DATABASE_ERROR"), answer.text
        assert int(answer.headers["Retry-After"]) >= 1
        assert not store.changes(before)
    # And a later attempt succeeds
    assert arranged.send(KEY).status == arranged.action.status


@pytest.mark.parametrize("action", [*READS, *WRITES])
def test_throttling_of_any_call_is_answered_and_logged_with_its_cause(
    home: Organization, store: Store, caplog: pytest.LogCaptureFixture, action: str
) -> None:
    arranged = arrange(action, home)
    before = store.items()
    calls = arranged.send().recording.calls
    for operation in dict.fromkeys(call.operation for call in calls):
        store.restore(before)
        # A result that cannot be cached is answered all the same.
        is_cache = all("#CACHE#" in pk for call in calls if call.operation == operation for pk in call.partitions())
        for code in ("ProvisionedThroughputExceededException", "ThrottlingException", "InternalServerError"):
            caplog.clear()
            with broken(Refusal(operation, code)):
                answer = arranged.send()

            level = "WARNING" if is_cache else "ERROR"
            (failure,) = [record for record in caplog.records if record.levelname == level]
            assert code in failure.aws_codes
            if is_cache:
                assert answer.status == arranged.action.status, f"{operation} {code}: {answer.text}"
                continue
            assert (answer.status, answer.code) == (503, "DATABASE_ERROR"), f"{operation} {code}: {answer.text}"
            assert int(answer.headers["Retry-After"]) >= 1
        assert not store.changes(before)

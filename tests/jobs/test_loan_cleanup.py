"""A deleted loan is gone for both sides at once, and everything below it is erased, whatever dies on the way."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from chalicelib.core import ids
from chalicelib.core.ids import OrganizationId
from chalicelib.jobs import loan_cleanup, metrics_queue, stream
from chalicelib.models.loans import cleanup
from infra.local.lambda_events import invoke
from infra.local.stack import Stack
from tests.support import store as stores
from tests.support.api import Answer, Api
from tests.support.client_hooks import Fault, ProcessDied, broken, recorded, without_waiting
from tests.support.deliveries import Deliveries
from tests.support.factories import Organization
from tests.support.loan_helpers import Deal, offered, party
from tests.support.queue_events import failed
from tests.support.store import Snapshot, Store, partitions_of

KPIS, REPAYMENTS = 300, 200
KPI = {
    "name": "Eigenkapitalquote",
    "target": 20,
    "direction": "UP",
    "frequency": "YEARLY",
    "firstTestDate": "2026-12-31",
}
DEATHS = ("process dies before", "process dies after")


@pytest.fixture(scope="module")
def store(local_stack: Stack) -> Store:
    return stores.of(local_stack)


@pytest.fixture(autouse=True)
def _at_once() -> Iterator[None]:
    with without_waiting():
        yield


@pytest.fixture(scope="module")
def sides(api: Api, _fresh_table: None) -> tuple[Organization, Organization]:
    return party(api, "LENDER"), party(api, "BORROWER")


def full(sides: tuple[Organization, Organization], store: Store, kpis: int, repayments: int) -> Deal:
    """Return a cancelled loan with many KPIs and repayments: copies, as no action can give such a loan so many."""
    paid = offered(*sides).accept()
    paid.lend("recordRepayment", 201, amount=1)
    loan = offered(*sides)
    loan.lend("createKpi", 201, **KPI)
    loan.lend("cancelLoan")
    copies = []
    for (pk, _), item in store.items().items():
        parent = pk.rpartition("#")[2]
        for kind, source, count in (("KPI", loan.id, kpis - 1), ("REPAYMENT", paid.id, repayments)):
            if f"#{kind}#" in pk and parent == source:
                place = {"S": pk.replace(source, loan.id)}
                copies += [{**item, "pk": place, "sk": {"S": str(ids.new_id())}} for _ in range(count)]
    store.put(copies)
    return loan


def below(store: Store, loan: Deal) -> list[tuple[str, str]]:
    """Return the keys of the loan and of everything below it, on both sides."""
    return [
        (pk, sk)
        for pk, sk in store.items()
        if loan.id in (sk, pk.rpartition("#")[2]) and "#AUDIT" not in pk and "#IDEMPOTENCY" not in pk
    ]


def delete(loan: Deal, key: str | None = None) -> Answer:
    return loan.lender.api.call("deleteLoan", loan.lender.owner.token, path=loan.path, key=key)


def seen(loan: Deal) -> set[int]:
    """Return the statuses with which both sides read the loan and what is below it."""
    actions = ("getLoan", "listKpis", "listRepayments", "getRepaymentSchedule")
    answers = [side.owner.call(name, path=loan.path) for side in (loan.lender, loan.borrower) for name in actions]
    return {answer.status for answer in answers}


def work(deliveries: Deliveries) -> None:
    """Deliver all changes and messages, until there are no more."""
    while True:
        records, messages = deliveries.changes(), deliveries.messages()
        if not records and not messages:
            return
        if records:
            assert invoke(stream.consume, "consume_stream", {"Records": records}) == {"batchItemFailures": []}
        assert not messages or failed(metrics_queue.work, *messages) == []


def test_a_delete_that_dies_anywhere_is_all_or_nothing(
    sides: tuple[Organization, Organization], store: Store, deliveries: Deliveries
) -> None:
    # Given a loan with hundreds of KPIs and repayments
    loan = full(sides, store, KPIS, REPAYMENTS)
    before = store.items()
    undisturbed = delete(loan, "a key")
    assert undisturbed.status == 200, undisturbed.text
    for at_call in range(1, undisturbed.round_trips + 1):
        for kind in DEATHS:
            store.restore(before)
            deliveries.changes()
            # When the request dies at one of its calls
            with broken(Fault(at_call, kind)), contextlib.suppress(ProcessDied):
                delete(loan, "a key")
            # Then to the outside all of it is there, or nothing
            assert seen(loan) in ({200}, {404}), (at_call, kind)
            # And repeated, it is gone, finally in both partitions
            assert delete(loan, "a key").status == 200
            assert seen(loan) == {404}
    assert len(below(store, loan)) == 2 * (KPIS + REPAYMENTS)
    work(deliveries)
    assert below(store, loan) == []


def test_an_erasure_that_dies_at_one_call_after_the_other_is_completed(
    sides: tuple[Organization, Organization], store: Store, deliveries: Deliveries
) -> None:
    # Given a deleted loan with hundreds of KPIs and repayments, and the messages about it
    loan = full(sides, store, KPIS, REPAYMENTS)
    messages = _messages(loan, deliveries)
    others = _others(store, loan)
    # When the worker dies at its first call, then at its second one, and so on, and each time the messages come again
    at_call, is_done = 0, False
    while not is_done:
        at_call += 1
        with broken(Fault(at_call, DEATHS[at_call % 2])), contextlib.suppress(ProcessDied):
            _process(messages)
            is_done = True
    # Then all is gone in both partitions, and nothing else is
    assert at_call > 5
    assert below(store, loan) == []
    assert _others(store, loan) == others


def test_an_erasure_that_dies_anywhere_is_completed(
    sides: tuple[Organization, Organization], store: Store, deliveries: Deliveries
) -> None:
    loan = full(sides, store, 4, 3)
    messages = _messages(loan, deliveries)
    before = store.items()
    calls = _calls_of(messages)
    for at_call in range(1, calls + 1):
        for kind in DEATHS:
            store.restore(before)
            with broken(Fault(at_call, kind)), contextlib.suppress(ProcessDied):
                _process(messages)
            assert seen(loan) == {404}
            _process(messages)
            assert below(store, loan) == [], (at_call, kind)


def _messages(loan: Deal, deliveries: Deliveries) -> list[dict[str, Any]]:
    """Delete a loan; return the messages about it, one for each side."""
    deliveries.changes()
    assert delete(loan).status == 200
    invoke(stream.consume, "consume_stream", {"Records": deliveries.changes()})
    messages = [message for message in deliveries.messages() if message["kind"] == "eraseLoan"]
    assert {message["organizationId"] for message in messages} == {str(loan.lender.id), str(loan.borrower.id)}
    return messages


def test_a_large_loan_is_erased_piece_by_piece(
    sides: tuple[Organization, Organization],
    store: Store,
    deliveries: Deliveries,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cleanup, "MAX_ITEMS", 100)
    loan = full(sides, store, 150, 130)
    assert delete(loan).status == 200

    work(deliveries)

    assert below(store, loan) == []


def test_a_message_about_a_loan_that_is_there_erases_nothing(
    sides: tuple[Organization, Organization], store: Store
) -> None:
    loan = offered(*sides)
    loan.lend("createKpi", 201, **KPI)
    before = store.items()

    assert cleanup.erase(OrganizationId(sides[0].id), UUID(loan.id))

    assert not store.changes(before)


def test_the_tests_of_a_deleted_kpi_are_erased(
    sides: tuple[Organization, Organization], store: Store, deliveries: Deliveries
) -> None:
    # Given two KPIs with a value each
    loan = offered(*sides).accept()
    paths = []
    for _ in range(2):
        created = loan.lend("createKpi", 201, **{**KPI, "firstTestDate": "2026-06-30", "reportingDays": 366})
        paths.append({**loan.path, "kpiId": created["id"]})
        body = {"testDate": "2026-06-30", "value": 25}
        assert loan.borrower.owner.call("recordKpiValue", path=paths[-1], body=body).status == 201
    # When one of them is deleted
    assert loan.lender.owner.call("deleteKpi", path=paths[0]).status == 200
    work(deliveries)
    # Then its tests are gone on both sides, and the others stay
    left = [sk for pk, sk in below(store, loan) if "#KPITEST#" in pk]
    assert left == [f"{paths[1]['kpiId']}#2026-06-30"] * 2


def _others(store: Store, loan: Deal) -> Snapshot:
    """Return the items of both sides that are not below the loan, without logs and feeds."""
    gone = {*below(store, loan)}
    items = {**partitions_of(store.items(), loan.lender.id), **partitions_of(store.items(), loan.borrower.id)}
    return {
        key: item
        for key, item in items.items()
        if key not in gone and not any(kind in key[0] for kind in ("#AUDIT", "#ACTIVITY", "#SESSION", "#ROLLUP"))
    }


def _process(messages: list[dict[str, Any]]) -> None:
    for message in messages:
        loan_cleanup.work(message)


def _calls_of(messages: list[dict[str, Any]]) -> int:
    with recorded() as recording:
        _process(messages)
    return len(recording.calls)

"""Both sides are told, once, of a bucket that a loan enters and of a test that is missed; only those loans are read."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.core import clock, ids
from chalicelib.dal.due_index import SHARDS
from chalicelib.jobs import loan_watch
from infra.local.lambda_events import invoke
from infra.local.stack import Stack
from tests.support import store as stores
from tests.support.api import Api
from tests.support.client_hooks import Fault, ProcessDied, broken, overtaken, recorded, without_waiting
from tests.support.factories import Organization
from tests.support.frozen_time import standing_still
from tests.support.loan_helpers import Deal, assert_equal_on_both_sides, offered, party
from tests.support.store import Store, plain

NOW = datetime(2026, 2, 10, 12, tzinfo=UTC)
MONTHLY = {
    "name": "Liquidität",
    "target": 0,
    "direction": "UP",
    "frequency": "MONTHLY",
    "firstTestDate": "2026-02-15",
    "reportingDays": 5,
}


@pytest.fixture(scope="module")
def store(local_stack: Stack) -> Store:
    return stores.of(local_stack)


@pytest.fixture(autouse=True)
def _restored(store: Store) -> Iterator[None]:
    before = store.items()
    with standing_still(NOW), without_waiting():
        yield
    store.restore(before)


@pytest.fixture
def sides(api: Api) -> tuple[Organization, Organization]:
    with standing_still(NOW):
        return party(api, "LENDER", name="Nordhafen", timezone="Europe/Berlin"), party(api, "BORROWER", name="Berg")


@pytest.fixture
def loan(sides: tuple[Organization, Organization]) -> Deal:
    """Return a loan whose first installment is due on 1 March, of 556384."""
    return offered(*sides).accept()


def tick(day: str) -> int:
    """Run the job at noon of a day."""
    with on(day):
        count: int = invoke(lambda _, context: loan_watch.tick(context), "watch_loans", {})
        return count


def on(day: str) -> contextlib.AbstractContextManager[None]:
    return standing_still(datetime.fromisoformat(f"{day}T12:00:00+00:00"))


def activities(store: Store, organization: Organization, action: str = "LOAN_BUCKET_ENTERED") -> list[dict[str, Any]]:
    """Return the activities of the job in an organization's feed, oldest first."""
    rows = (plain(item) for (pk, _), item in sorted(store.items().items()) if pk == f"ORG#{organization.id}#ACTIVITY")
    return [row["data"] for row in rows if row["data"]["action"] == action]


def buckets(store: Store, organization: Organization) -> list[str]:
    return [json.loads(row["metadata"])["bucket"] for row in activities(store, organization)]


def lend_on(loan: Deal, day: str, action: str, **body: Any) -> None:
    with on(day):
        token = loan.lender.session(loan.lender.owner.user)
        answer = loan.lender.api.call(action, token, path=loan.path, body=body)
        assert answer.status in {200, 201}, answer.text


def test_each_bucket_is_told_once_to_both_sides(loan: Deal, store: Store) -> None:
    days = ["2026-03-01", "2026-03-02", "2026-03-02", "2026-03-20", "2026-04-01", "2026-05-01", "2026-05-31"]
    counts = [tick(day) for day in days]

    assert counts == [0, 1, 0, 0, 1, 1, 1]
    for side in (loan.lender, loan.borrower):
        assert buckets(store, side) == ["D1_30", "D31_60", "D61_90", "D90_PLUS"]
    assert activities(store, loan.lender)[0]["title"] == "A payment of the loan to Berg is past due by 1 day or more"
    assert activities(store, loan.borrower)[0]["actorName"] == "Workledger"
    assert tick("2027-05-31") == 0
    assert_equal_on_both_sides(store, loan)


def test_a_run_that_was_left_out_is_made_up_for_by_the_present_bucket(loan: Deal, store: Store) -> None:
    assert tick("2026-04-15") == 1
    assert buckets(store, loan.borrower) == ["D31_60"]


def test_a_loan_that_is_paid_in_time_is_not_read(loan: Deal) -> None:
    lend_on(loan, "2026-03-01", "recordRepayment", amount=560_000)

    with recorded() as recording:
        assert tick("2026-03-02") == 0

    assert recording.operations == ["Query"] * SHARDS


def test_a_bucket_that_is_entered_again_is_told_again(loan: Deal, store: Store) -> None:
    assert tick("2026-03-02") == 1
    lend_on(loan, "2026-03-10", "recordRepayment", amount=560_000)
    assert tick("2026-03-31") == 0
    assert tick("2026-04-02") == 1
    assert buckets(store, loan.lender) == ["D1_30", "D1_30"]


def test_a_repayment_that_leaves_the_bucket_tells_nothing(loan: Deal, store: Store) -> None:
    tick("2026-03-02")
    lend_on(loan, "2026-03-10", "recordRepayment", amount=1_000)
    assert tick("2026-03-11") == 0


@pytest.mark.parametrize("end", ["writeOffLoan", "settleLoan"])
def test_a_loan_that_has_ended_is_left_alone(loan: Deal, end: str) -> None:
    lend_on(loan, "2026-02-20", end, **({"reason": "x"} if end == "writeOffLoan" else {}))

    assert [tick(day) for day in ("2026-03-02", "2026-06-02")] == [0, 0]


def test_offers_are_left_alone(sides: tuple[Organization, Organization]) -> None:
    offered(*sides)

    assert tick("2026-03-02") == 0


# -- covenants -------------------------------------------------------------------------------------------------------


def test_a_missed_test_is_told_once_to_both_sides(loan: Deal, store: Store) -> None:
    loan.lend("createKpi", 201, **MONTHLY)
    lend_on(loan, "2026-03-01", "recordRepayment", amount=12_000_000)

    assert [tick(day) for day in ("2026-02-20", "2026-02-21", "2026-02-21", "2026-03-20", "2026-03-21")] == [
        0,
        1,
        0,
        0,
        1,
    ]
    for side in (loan.lender, loan.borrower):
        titles = [row["title"] for row in activities(store, side, "KPI_TEST_MISSED")]
        assert [title.partition(" was")[0] for title in titles] == ["Liquidität of 15 Feb", "Liquidität of 15 Mar"]
    assert_equal_on_both_sides(store, loan)


def test_a_test_with_a_value_is_not_missed(loan: Deal, store: Store) -> None:
    kpi = {**loan.path, "kpiId": loan.lend("createKpi", 201, **MONTHLY)["id"]}
    with on("2026-02-16"):
        token = loan.borrower.session(loan.borrower.owner.user)
        body = {"testDate": "2026-02-15", "value": 1}
        assert loan.borrower.api.call("recordKpiValue", token, path=kpi, body=body).status == 201

    with recorded() as recording:
        assert tick("2026-02-21") == 0

    assert recording.operations == ["Query"] * SHARDS
    lend_on(loan, "2026-03-01", "recordRepayment", amount=600_000)
    assert tick("2026-03-21") == 1


def test_a_value_that_comes_too_late_leaves_the_test_to_be_told(loan: Deal, store: Store) -> None:
    kpi = {**loan.path, "kpiId": loan.lend("createKpi", 201, **MONTHLY)["id"]}
    with on("2026-02-21"):
        token = loan.borrower.session(loan.borrower.owner.user)
        body = {"testDate": "2026-02-15", "value": 1}
        answer = loan.borrower.api.call("recordKpiValue", token, path=kpi, body=body)
        assert answer.data["state"] == "MISSED"

    assert [tick("2026-02-21"), tick("2026-02-21")] == [1, 0]


def test_many_missed_tests_are_told_over_several_runs(loan: Deal, store: Store) -> None:
    for _ in range(2):
        loan.lend("createKpi", 201, **MONTHLY)
    lend_on(loan, "2026-02-11", "recordRepayment", amount=12_000_000)

    counts = [tick("2027-12-30") for _ in range(4)]

    # 23 months of each of two KPIs
    assert counts[-1] == 0
    assert sum(counts) == 46
    assert len(activities(store, loan.borrower, "KPI_TEST_MISSED")) == 46


# -- faults ----------------------------------------------------------------------------------------------------------


def test_a_run_that_dies_anywhere_tells_once(loan: Deal, store: Store) -> None:
    loan.lend("createKpi", 201, **MONTHLY)
    before = store.items()
    with recorded() as recording:
        assert tick("2026-03-02") == 2
    for at_call in range(1, len(recording.calls) + 1):
        for kind in ("process dies before", "process dies after", "response lost once"):
            store.restore(before)
            with broken(Fault(at_call, kind)), contextlib.suppress(ProcessDied):
                tick("2026-03-02")
            tick("2026-03-02")
            for side in (loan.lender, loan.borrower):
                assert buckets(store, side) == ["D1_30"], (at_call, kind)
                assert len(activities(store, side, "KPI_TEST_MISSED")) == 1


def test_of_two_runs_at_once_one_tells(loan: Deal, store: Store) -> None:
    with overtaken(lambda: tick("2026-03-02")) as answers:
        assert tick("2026-03-02") == 0

    assert answers == [1]
    assert buckets(store, loan.borrower) == ["D1_30"]


# -- cost ------------------------------------------------------------------------------------------------------------


def test_a_run_costs_what_the_overdue_loans_cost(loan: Deal, store: Store) -> None:
    # Given one loan that is past due among many that are not
    before = _cost_of(lambda: tick("2026-03-02"), store)
    item = next(item for (pk, _), item in store.items().items() if pk == f"ORG#{loan.lender.id}#LOAN")
    copies = []
    for number in range(500):
        identifier = str(ids.new_id())
        at = f"{clock.to_text(NOW + timedelta(days=60 + number))}#{loan.lender.id}#{identifier}"
        copies.append({**item, "sk": {"S": identifier}, "at": {"S": at}})
    store.put(copies)

    assert _cost_of(lambda: tick("2026-03-02"), store) == before


def _cost_of(run: Callable[[], int], store: Store) -> list[str]:
    """Return the operations of a run, which is undone."""
    before = store.items()
    with recorded() as recording:
        assert run() == 1
    store.restore(before)
    return recording.operations

"""System metrics of a lender, with figures that can be checked by hand."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from chalicelib.metrics.system_metrics import SYSTEM
from infra.local.stack import Stack
from tests.support.api import Api
from tests.support.deliveries import Deliveries
from tests.support.factories import Organization
from tests.support.frozen_time import later, standing_still
from tests.support.loan_helpers import offered, party

IDS = {metric.key: str(metric.id) for metric in SYSTEM.values()}
KEYS = ("loan_principal_outstanding", "overdue_loans", "loan_offers", "offer_conversion_rate")
TERMS = {"principal": 1_200_000, "installments": 6, "startDate": "2026-01-31", "maturityDate": "2026-07-15"}


@pytest.fixture(autouse=True)
def _march() -> Iterator[None]:
    with standing_still(datetime(2026, 3, 15, 12, tzinfo=UTC)):
        yield


def values(organization: Organization) -> list[float | None]:
    body = {"metricIds": [IDS[key] for key in KEYS]}
    answer = organization.owner.call("calculateMetrics", body=body)
    assert answer.status == 200, answer.text
    by_id = {metric["id"]: metric["value"] for metric in answer.data["metrics"]}
    return [by_id[IDS[key]] for key in KEYS]


def test_lender_sees_what_is_outstanding_overdue_offered_and_accepted(api: Api, local_stack: Stack) -> None:
    """Given one loan of which the first installment is paid, one past due, one written off and one offer.

    Then 10,000.00 and 12,000.00 are outstanding, and three of four offers were accepted. When a repayment of the second
    one is recorded for a day before, it is current. In April both are past due, though nobody has written anything.
    """
    deliveries = Deliveries(local_stack)
    lender, borrower = party(api, "LENDER", timezone="Europe/Berlin"), party(api, "BORROWER")
    paid, overdue, lost = (
        offered(lender, borrower, interestRateBps=0, **TERMS).accept(),
        offered(lender, borrower, interestRateBps=0, **TERMS).accept(),
        offered(lender, borrower, interestRateBps=0, **TERMS).accept(),
    )
    offered(lender, borrower, interestRateBps=0, **TERMS)
    paid.lend("recordRepayment", 201, amount=200_000, valueDate="2026-02-28")
    lost.lend("writeOffLoan", reason="Insolvenzverfahren eröffnet.")
    deliveries.deliver(random.Random(7))

    with later(minutes=2):
        assert values(lender) == [22_000, 1, 4, 75]
        assert values(borrower) == [0, 0, 0, None]

        overdue.lend("recordRepayment", 201, amount=200_000, valueDate="2026-02-10")
        deliveries.deliver(random.Random(8))

    with later(minutes=4):
        assert values(lender) == [20_000, 0, 4, 75]
    with later(days=20):
        assert values(lender)[:2] == [20_000, 2]

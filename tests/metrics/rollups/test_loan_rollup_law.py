"""Rollups of loans equal a row scan on both sides, for any order of acts, value dates and stream deliveries."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, rule, run_state_machine_as_test

from infra.local.stack import Stack
from tests.support.api import Api
from tests.support.assignment_helpers import NOW
from tests.support.frozen_time import standing_still
from tests.support.hypothesis_profile import law
from tests.support.loan_helpers import Deal, become, offered, party
from tests.support.loan_queries import QUERIES
from tests.support.rollup_machine import RollupMachine

CLOSING = ("declineLoan", "cancelLoan", "writeOffLoan", "settleLoan", "deleteLoan")


class LendingMachine(RollupMachine):
    made = Bundle("made")

    def __init__(self) -> None:
        super().__init__()
        become(self.organization, "BOTH")
        self.other = party(Api())

    def queries(self) -> list[dict[str, Any]]:
        return QUERIES

    @rule(
        target=made,
        lends=st.booleans(),
        start=st.sampled_from(("2026-01-31", "2026-05-20")),
        accepted=st.sampled_from((True, True, False)),
    )
    def offer(self, *, lends: bool, start: str, accepted: bool) -> Deal:
        sides = (self.organization, self.other) if lends else (self.other, self.organization)
        terms = {"principal": 1_200_000, "installments": 3, "startDate": start, "maturityDate": "2026-08-31"}
        deal = offered(*sides, **terms)
        return deal.accept() if accepted else deal

    @rule(deal=made)
    def accept(self, deal: Deal) -> None:
        deal.borrower.owner.call("acceptLoan", path=deal.path, body={"termsVersion": 1})

    @rule(
        deal=made,
        amount=st.sampled_from((1, 5_000, 405_000, 1_200_000)),
        day=st.sampled_from(("2026-02-01", "2026-05-31", "2026-06-10", None)),
    )
    def repay(self, deal: Deal, amount: int, day: str | None) -> None:
        deal.lender.owner.call("recordRepayment", path=deal.path, body={"amount": amount, "valueDate": day})

    @rule(deal=made)
    def take_back(self, deal: Deal) -> None:
        answer = deal.lender.owner.call("listRepayments", path=deal.path)
        for repayment in answer.data["items"][:1] if answer.status == 200 else []:
            path = {**deal.path, "repaymentId": repayment["id"]}
            deal.lender.owner.call("reverseRepayment", path=path, body={"reason": "Lastschrift geplatzt."})

    @rule(deal=made, action=st.sampled_from(CLOSING))
    def close(self, deal: Deal, action: str) -> None:
        member = deal.borrower.owner if action == "declineLoan" else deal.lender.owner
        body = {"writeOffLoan": {"reason": "Insolvenz."}, "settleLoan": {}}.get(action)
        member.call(action, path=deal.path, body=body)

    @rule(currency=st.sampled_from(("EUR", "JPY")))
    def account_in(self, currency: str) -> None:
        answer = self.organization.owner.call("updateOrganization", body={"currency": currency})
        assert answer.status == 200, answer.text


@pytest.fixture(autouse=True)
def _noon() -> object:
    with standing_still(NOW):
        yield


def test_rollup_equals_scan(local_stack: Stack) -> None:
    LendingMachine.stack = local_stack
    run_state_machine_as_test(
        LendingMachine, settings=settings(law(8), stateful_step_count=16, phases=[Phase.generate])
    )

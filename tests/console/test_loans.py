"""Loans between two organizations."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from chalicelib.core.days import months_after
from infra.local.demo.loans import LENDER, ZONE
from tests.support.browser import NEEDS_BROWSER, OWNER, Console

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = NEEDS_BROWSER


def test_a_loan_is_offered_accepted_and_repaid_by_two_organizations(console: Console) -> None:
    borrower = console.serving.owner().get("/organization")["id"]
    today = datetime.now(ZoneInfo(ZONE)).date()
    with console.tab(LENDER.email) as tab:
        tab.go("/loans/new")
        tab.fill(borrowerOrganizationId=borrower, principal="50,000", interestRateBps="6.125", installments="12")
        tab.fill(startDate=str(months_after(today, -1)), maturityDate=str(months_after(today, 11)))
        preview = tab.page.get_by_role("table", name="Schedule")
        sync_api.expect(preview.get_by_role("row", name="Total")).to_contain_text("€50,000.00")
        tab.press("Offer")
        tab.toast("Offered to Demo Staffing GmbH")
        tab.heading("Loan to Demo Staffing GmbH")
        loan = tab.page.evaluate("location.hash.slice(1)")
        with console.tab(OWNER) as other:
            other.go(loan)
            other.press("Accept")
            other.press("Accept it")
            other.toast("Accepted")
            assert other.page.get_by_role("button", name="Record a repayment").count() == 0
            assert other.findings() == []
        tab.page.reload()
        tab.press("Record a repayment")
        tab.fill(amount="90,000")
        tab.press("Record")
        sync_api.expect(tab.page.locator(".field-error")).to_contain_text("Must be at most €5")
        tab.problems.clear()
        tab.fill(amount="1,000.50")
        tab.press("Record")
        tab.toast("€1,000.50 recorded")
        tab.press("Repayments")
        tab.page.get_by_role("row", name="€1,000.50").wait_for()
        tab.settle()
        assert tab.findings() == []

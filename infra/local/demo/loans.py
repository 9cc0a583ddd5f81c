"""A second demo organization, which lends to the first one: three loans and two covenants."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.core.days import months_after
from infra.local.demo.api import Api, Refused
from infra.local.demo.team import PASSWORD, Person
from infra.local.demo.widgets import Widget, body_of

LENDER_ORGANIZATION = "Nordhafen Kredit AG"
LENDER = Person("Hanna", "Petersen", "OWNER", "lender")
ZONE = "Europe/Berlin"
WIDGETS = (
    Widget("Loan principal outstanding", "METRIC", (0, 0, 4, 2), "Loan principal outstanding"),
    Widget("Overdue loans", "METRIC", (4, 0, 4, 2), "Overdue loans"),
    Widget("Offer conversion rate", "METRIC", (8, 0, 4, 2), "Offer conversion rate"),
    Widget("Latest activities", "ACTIVITY_FEED", (0, 2, 12, 5), config={"limit": 20}),
)
"""The dashboard of the lender."""


def seed_loans(borrower: Api) -> None:
    """Create the lender, and its loans unless there are some: one current, one 40 days past due, one offered."""
    lender = borrower.with_token(lender_token(borrower))
    _set_loan_role(lender, "LENDER")
    organization = _set_loan_role(borrower, "BORROWER")
    if lender.get("/loans?limit=1")["items"]:
        return
    metrics = {row["name"]: row["id"] for row in lender.get("/metrics?pageSize=100")["data"]}
    for widget in WIDGETS:
        lender.post("/widgets", **body_of(widget, metrics))
    today = datetime.now(ZoneInfo(ZONE)).date()
    current = _lend(
        lender,
        borrower,
        organization,
        principal=12_000_000,
        interestRateBps=585,
        startDate=str(months_after(today, -6)),
        maturityDate=str(months_after(today, 18)),
        installments=24,
        note="Maschinen und Umzug, Bürgschaft liegt vor.",
    )
    _repay(lender, current, until=today)
    _seed_covenants(lender, borrower, current, today - timedelta(days=20))
    # Its last installment is the one that is not paid: the last due date is the maturity, whatever the month has.
    due = today - timedelta(days=40)
    overdue = _lend(
        lender,
        borrower,
        organization,
        principal=1_500_000,
        interestRateBps=790,
        startDate=str(months_after(due, -3)),
        maturityDate=str(due),
        installments=3,
        note="Zwischenfinanzierung Messe.",
    )
    _repay(lender, overdue, until=due - timedelta(days=1))
    terms = {"principal": 4_000_000, "interestRateBps": 612.5, "installments": 36, "amortization": "ANNUITY"}
    dates = {"startDate": str(months_after(today, 1)), "maturityDate": str(months_after(today, 37))}
    lender.post("/loans", borrowerOrganizationId=organization, **terms, **dates)


def lender_token(api: Api) -> str:
    """Sign the lender in, or up; return the token."""
    try:
        token: str = api.post("/auth/sign-in", email=LENDER.email, password=PASSWORD)["token"]
    except Refused as refusal:
        if refusal.code != "INVALID_CREDENTIALS":
            raise
        names = {"firstName": LENDER.first_name, "lastName": LENDER.last_name}
        token = api.post(
            "/auth/sign-up", email=LENDER.email, password=PASSWORD, organizationName=LENDER_ORGANIZATION, **names
        )["token"]
        api.with_token(token).patch("/organization", timezone=ZONE, currency="EUR", region="DE")
    return token


def _set_loan_role(owner: Api, role: str) -> str:
    """Set the role of a new organization; an existing one keeps its own. Return the organization's id."""
    organization = owner.get("/organization")
    if organization["loanRole"] == "NONE":
        owner.patch("/organization", loanRole=role)
    identifier: str = organization["id"]
    return identifier


def _lend(lender: Api, borrower: Api, organization: str, **terms: Any) -> str:
    loan = lender.post("/loans", borrowerOrganizationId=organization, **terms)
    borrower.post(f"/loans/{loan['id']}/accept", termsVersion=loan["termsVersion"])
    identifier: str = loan["id"]
    return identifier


def _repay(lender: Api, loan: str, until: date) -> None:
    """Record a repayment of each installment on its due date, up to a day."""
    for row in lender.get(f"/loans/{loan}/schedule")["rows"]:
        if row["dueDate"] <= str(until):
            lender.post(f"/loans/{loan}/repayments", amount=row["payment"], valueDate=row["dueDate"])


def _seed_covenants(lender: Api, borrower: Api, loan: str, tested: date) -> None:
    """Define two covenants with a value each, of which one misses its target."""
    every = {"frequency": "QUARTERLY", "firstTestDate": str(tested), "reportingDays": 45, "cureDays": 30}
    for name, unit, target, direction, value in (
        ("Schuldendienstdeckungsgrad", "x", 1.2, "UP", 1.05),
        ("Eigenkapitalquote", "%", 20, "UP", 26.4),
    ):
        kpi = lender.post(f"/loans/{loan}/kpis", name=name, unit=unit, target=target, direction=direction, **every)
        borrower.post(
            f"/loans/{loan}/kpis/{kpi['id']}/values",
            testDate=str(tested),
            value=value,
            evidence="Betriebswirtschaftliche Auswertung",
        )

"""Schedules, day counts and allocations against published figures, row by row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from chalicelib.models.loans.allocation import Portion, allocate
from chalicelib.models.loans.arrears import arrears
from chalicelib.models.loans.day_counts import DayCount
from chalicelib.models.loans.schedule import schedule
from chalicelib.models.loans.terms import terms_errors
from tests.support.loan_terms import VECTORS, payment, rows, terms_of_vector

pytestmark = pytest.mark.storeless

SCHEDULES: Mapping[str, Mapping[str, Any]] = {vector["id"]: vector for vector in VECTORS["schedules"]}

WHOLE_UNITS = "its installments are rounded to whole currency units; ours to the minor unit"
SKIPPED = {
    "P03-annuity-act-365f-whole-units": WHOLE_UNITS,
    "P05-annuity-principal-grace-6": WHOLE_UNITS,
    "P09-zero-rate-6": WHOLE_UNITS,
}
"""Schedules of conventions that loans here do not have."""


@pytest.mark.parametrize("name", sorted(set(SCHEDULES) - set(SKIPPED)))
def test_schedule_is_the_published_one(name: str) -> None:
    vector = SCHEDULES[name]
    terms = terms_of_vector(vector)

    computed = schedule(terms)

    assert terms_errors(terms) == {}
    assert rows(computed) == vector["rows"]
    assert vector["totals"] == {
        "principal": terms.principal,
        "interest": computed.interest,
        "payment": terms.principal + computed.interest,
    }


def test_skipped_schedules_are_those_of_other_conventions() -> None:
    """Whole units are the one convention not offered; 30/360 is ours as long as no period touches a 31st."""
    others = {name for name, vector in SCHEDULES.items() if vector["convention"].get("emi_multiple") == "1"}
    bond_basis = [vector for vector in SCHEDULES.values() if vector["convention"]["dayCount"] == "30/360"]

    assert others == set(SKIPPED)
    assert len(SCHEDULES) - len(SKIPPED) == 9
    assert all(row["dueDate"].endswith("-01") for vector in bond_basis for row in vector["rows"])


@pytest.mark.parametrize(
    "period", VECTORS["dayCount"]["30E/360"], ids=lambda period: f"{period['from']}-{period['to']}"
)
def test_30e_360_is_that_of_isda(period: Mapping[str, Any]) -> None:
    start, end = date.fromisoformat(period["from"]), date.fromisoformat(period["to"])

    assert DayCount.THIRTY_E_360.fraction(start, end) == Fraction(period["days"], 360)


@pytest.mark.parametrize(
    "period", VECTORS["dayCount"]["ACT/ACT-ISDA"], ids=lambda period: f"{period['from']}-{period['to']}"
)
def test_act_act_is_that_of_isda(period: Mapping[str, Any]) -> None:
    start, end = date.fromisoformat(period["from"]), date.fromisoformat(period["to"])

    fraction = DayCount.ACT_ACT.fraction(start, end)

    # Printed to ten digits, some of them.
    assert abs(fraction - Fraction(Decimal(period["yearFraction"]))) < Fraction(1, 10**11)


@pytest.mark.parametrize("case", VECTORS["allocation"], ids=lambda case: str(case["id"]))
def test_allocation_is_the_computed_one(case: Mapping[str, Any]) -> None:
    computed = schedule(terms_of_vector(SCHEDULES[case["scheduleOf"]]))
    repayments = [
        payment(repayment["id"], date.fromisoformat(repayment["valueDate"]), repayment["amount"])
        for repayment in case["repaymentsInOrderOfRecording"]
    ]

    allocation = allocate(computed, repayments)

    assert list(allocation.portions.values()) == [
        tuple(Portion(part["installment"], part["interest"], part["principal"]) for part in split["parts"])
        for split in case["splits"]
    ]
    for expected in case["installments"]:
        installment = allocation.installments[expected["number"] - 1]
        paid_off = expected["paidOffOn"]
        assert installment.unpaid_interest == expected["interestUnpaid"]
        assert installment.unpaid_principal == expected["principalUnpaid"]
        assert installment.paid_off_on == (paid_off and date.fromisoformat(paid_off))
    for expected in case["asOf"]:
        day = date.fromisoformat(expected["asOf"])
        on_that_day = allocate(computed, repayments, until=day)
        state = arrears(on_that_day, day)
        assert {
            "asOf": expected["asOf"],
            "daysPastDue": state.days_past_due,
            "overdueAmount": state.overdue_amount,
            "overdueInstallments": state.overdue_installments,
            "outstandingPrincipal": on_that_day.outstanding,
            "outstandingInterest": on_that_day.unpaid_interest,
        } == expected

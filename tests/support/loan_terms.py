"""Terms of loans and repayments for tests of loan arithmetic: strategies, and the vectors with published figures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from chalicelib.core.days import months_after
from chalicelib.models.loans.allocation import Payment
from chalicelib.models.loans.day_counts import DayCount
from chalicelib.models.loans.schedule import Schedule
from chalicelib.models.loans.terms import Amortization, Terms

VECTORS: Mapping[str, Any] = json.loads(
    (Path(__file__).parents[1] / "vectors/loan_schedules/loan_schedules.json").read_text()
)
DAY_COUNTS = {
    "ACT/365F": DayCount.ACT_365F,
    "ACT/ACT-ISDA": DayCount.ACT_ACT,
    "30/360": DayCount.THIRTY_E_360,
}
"""The convention of a vector as a day count. 30/360 (bond basis) differs from 30E/360 only on a 31st."""

RECORDED = datetime(2026, 1, 1, tzinfo=UTC)

DATES = st.one_of(
    st.dates(date(1990, 1, 1), date(2060, 12, 31)),
    # Ends of months, and of leap years, are where due dates and day counts differ.
    st.builds(
        lambda year, month, day: months_after(date(year, 1, day), month),
        st.integers(2019, 2032),
        st.integers(0, 11),
        st.integers(28, 31),
    ),
)


@st.composite
def terms(draw: st.DrawFn, max_installments: int = 40, max_principal: int = 10**9) -> Terms:
    """Draw valid terms: any amortization, day count, grace and currency, the last period short, long or even."""
    start = draw(DATES)
    installments = draw(st.one_of(st.integers(1, 4), st.integers(1, max_installments)))
    last_but_one = months_after(start, installments - 1)
    return Terms(
        principal=draw(st.one_of(st.integers(1, 50), st.integers(1, max_principal))),
        currency=draw(st.sampled_from(["EUR", "JPY", "BHD"])),
        interest_rate_bps=Decimal(draw(st.one_of(st.just(0), st.integers(0, 250_000), st.integers(0, 10_000_000))))
        / 100,
        start_date=start,
        maturity_date=draw(
            st.one_of(
                st.just(months_after(start, installments)),
                st.integers(1, 100).map(lambda days: last_but_one + timedelta(days=days)),
            )
        ),
        installments=installments,
        amortization=draw(st.sampled_from(Amortization)),
        day_count=draw(st.sampled_from(DayCount)),
        grace_installments=draw(st.one_of(st.just(0), st.integers(0, installments - 1))),
    )


@st.composite
def payments(draw: st.DrawFn, schedule: Schedule, max_payments: int = 8) -> list[Payment]:
    """Draw repayments, in their order of recording, whose sum is at most what is to be paid."""
    room = schedule.terms.principal + schedule.interest
    span = (schedule.terms.maturity_date - schedule.terms.start_date).days
    drawn: list[Payment] = []
    for number in range(draw(st.integers(0, max_payments))):
        if not room:
            break
        amount = draw(st.one_of(st.just(room), st.integers(1, room), st.just(min(room, schedule[0].payment or 1))))
        room -= amount
        day = schedule.terms.start_date + timedelta(days=draw(st.integers(0, span + 40)))
        drawn.append(payment(number, day, amount))
    return drawn


def payment(number: int, value_date: date, amount: int, *, settles: bool = False) -> Payment:
    """Return the repayment that was recorded as the `number`-th one."""
    return Payment(f"{number:04}", value_date, RECORDED + timedelta(minutes=number), amount, settles)


def terms_of_vector(vector: Mapping[str, Any]) -> Terms:
    given = vector["input"]
    return Terms(
        principal=given["principal"],
        currency=given["currency"],
        interest_rate_bps=Decimal(str(given["interestRateBps"])),
        start_date=date.fromisoformat(given["startDate"]),
        maturity_date=date.fromisoformat(given["maturityDate"]),
        installments=given["installments"],
        amortization=Amortization(given["amortization"]),
        day_count=DAY_COUNTS[vector["convention"]["dayCount"]],
        grace_installments=int(vector["convention"].get("grace_principal", 0)),
    )


def rows(schedule: Schedule) -> Sequence[Mapping[str, Any]]:
    """Return the rows of a schedule in the form of the vectors, which is that of the API."""
    return [
        {
            "number": row.number,
            "dueDate": row.due_date.isoformat(),
            "days": row.days,
            "principal": row.principal,
            "interest": row.interest,
            "payment": row.payment,
            "balance": row.balance,
        }
        for row in schedule
    ]

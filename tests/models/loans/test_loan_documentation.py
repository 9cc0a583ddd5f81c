"""The figures in docs/loans.md are those that the code gives."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from chalicelib.models.loans.allocation import Allocation, allocate
from chalicelib.models.loans.arrears import BUCKETS_FROM, Bucket, arrears
from chalicelib.models.loans.schedule import schedule
from chalicelib.models.loans.terms import MAX_INSTALLMENTS, MAX_INTEREST_RATE_BPS, MAX_PRINCIPAL, Terms
from tests.support.loan_terms import payment, rows

pytestmark = pytest.mark.storeless

PAGE = (Path(__file__).parents[3] / "docs/loans.md").read_text()
PARAGRAPHS = " ".join(PAGE.split())

SCHEDULE = schedule(
    Terms(
        principal=1_200_000,
        currency="EUR",
        interest_rate_bps=Decimal("612.5"),
        start_date=date(2026, 1, 31),
        maturity_date=date(2026, 7, 15),
        installments=6,
    )
)
A = payment(1, date(2026, 3, 2), 150_000)
B = payment(2, date(2026, 2, 28), 55_638)
SECOND = payment(3, date(2026, 3, 31), SCHEDULE[1].payment)
NAMES = {A.id: ("A", A.value_date), B.id: ("B", B.value_date)}


def table(lines: Iterable[Iterable[object]]) -> str:
    header, *body = [f"| {' | '.join(str(cell) for cell in line)} |" for line in lines]
    return "\n".join([header, "|" + " --- |" * (header.count("|") - 1), *body]) + "\n"


def portions(allocation: Allocation) -> str:
    return table(
        [
            ("repayment", "valueDate", "installment", "interest", "principal"),
            *(
                (*NAMES[repayment], portion.number, portion.interest, portion.principal)
                for repayment, parts in allocation.portions.items()
                for portion in parts
            ),
        ]
    )


def test_schedule() -> None:
    lines = rows(SCHEDULE)

    assert table([lines[0].keys(), *(line.values() for line in lines)]) in PAGE
    assert f"All interest: {SCHEDULE.interest}." in PAGE


def test_back_dated_repayment() -> None:
    before, after = allocate(SCHEDULE, [A]), allocate(SCHEDULE, [A, B])

    assert portions(before) in PAGE
    assert portions(after) in PAGE
    assert after.reallocated_since(before) == [A.id]


def test_past_due() -> None:
    day = date(2026, 3, 15)
    before, after = arrears(allocate(SCHEDULE, [A]), day), arrears(allocate(SCHEDULE, [A, B]), day)

    days, amount = before.days_past_due, before.overdue_amount
    assert f"the loan is {days} days past due with an `overdueAmount` of {amount}" in PARAGRAPHS
    assert after.bucket is Bucket.CURRENT
    ends = [*(first - 1 for first in list(BUCKETS_FROM)[1:]), None]
    ranges = [
        (f"`{bucket}`", f"{first} and more" if last is None else f"{first} to {last}")
        for (first, bucket), last in zip(BUCKETS_FROM.items(), ends, strict=True)
    ]
    assert table([("`bucket`", "days past due"), (f"`{Bucket.CURRENT}`", 0), *ranges]) in PAGE


def test_payoff_and_settlement() -> None:
    day = date(2026, 4, 15)
    allocation = allocate(SCHEDULE, [A, B, SECOND])
    payoff = allocation.payoff(day)
    figures = (payoff.principal, payoff.due_interest, payoff.accrued_interest, payoff.amount, allocation.maximum)

    settled = allocate(SCHEDULE, [A, B, SECOND, payment(4, day, payoff.amount, settles=True)])

    assert table([("principal", "due interest", "accrued interest", "payoff", "everything unpaid"), figures]) in PAGE
    assert f"cancels the rest of the interest, here {settled.cancelled_interest}." in PARAGRAPHS


def test_limits() -> None:
    assert f"1 to {MAX_PRINCIPAL:,} minor units" in PAGE
    assert f"0 to {MAX_INTEREST_RATE_BPS:,}," in PAGE
    assert f"1 to {MAX_INSTALLMENTS}, a month apart" in PAGE

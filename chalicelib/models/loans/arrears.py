"""Arrears: the amounts of a loan that are due or overdue on a day, and how long. Derived, never stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from chalicelib.models.loans.allocation import AllocatedInstallment, Allocation


class Bucket(StrEnum):
    """Days past due, in the ranges that lenders report."""

    CURRENT = "CURRENT"
    D1_30 = "D1_30"
    D31_60 = "D31_60"
    D61_90 = "D61_90"
    D90_PLUS = "D90_PLUS"


class InstallmentStatus(StrEnum):
    UPCOMING = "UPCOMING"
    DUE = "DUE"
    """On its due date, and only then."""
    OVERDUE = "OVERDUE"
    PAID = "PAID"
    """Nothing of it is unpaid."""


BUCKETS_FROM = {1: Bucket.D1_30, 31: Bucket.D31_60, 61: Bucket.D61_90, 91: Bucket.D90_PLUS}
"""Days past due from which a loan is in a bucket."""


@dataclass(frozen=True)
class Arrears:
    """A loan's arrears at the end of a day."""

    due_amount: int
    """Unpaid of installments due up to that day."""
    overdue_amount: int
    """Unpaid of installments due before that day."""
    overdue_installments: int
    days_past_due: int
    bucket: Bucket
    next_due_date: date | None
    """That of the first installment due on that day or later with anything unpaid."""
    next_payment: int
    """Unpaid of that installment."""
    bucket_changes_on: date | None
    """The next day on which the bucket changes if nothing is paid; None if it never does."""


NO_ARREARS = Arrears(0, 0, 0, 0, Bucket.CURRENT, None, 0, None)


def arrears(allocation: Allocation, today: date) -> Arrears:
    """Return the arrears of a day. A loan that was written off has none: it is a loss, not a claim that grows older."""
    unpaid = [installment for installment in allocation.installments if installment.unpaid]
    if allocation.written_off is not None or not unpaid:
        return NO_ARREARS
    overdue = [installment.unpaid for installment in unpaid if installment.scheduled.due_date < today]
    upcoming = [installment for installment in unpaid if installment.scheduled.due_date >= today]
    due = sum(installment.unpaid for installment in upcoming if installment.scheduled.due_date == today)
    oldest = unpaid[0].scheduled.due_date
    days = max((today - oldest).days, 0)
    changes = (oldest + timedelta(days=first) for first in BUCKETS_FROM)
    return Arrears(
        due_amount=sum(overdue) + due,
        overdue_amount=sum(overdue),
        overdue_installments=len(overdue),
        days_past_due=days,
        bucket=bucket_of(days),
        next_due_date=upcoming[0].scheduled.due_date if upcoming else None,
        next_payment=upcoming[0].unpaid if upcoming else 0,
        bucket_changes_on=next((day for day in changes if day > today), None),
    )


def bucket_of(days_past_due: int) -> Bucket:
    return next(
        (bucket for first, bucket in reversed(BUCKETS_FROM.items()) if days_past_due >= first),
        Bucket.CURRENT,
    )


def installment_status(installment: AllocatedInstallment, today: date) -> InstallmentStatus:
    due_date = installment.scheduled.due_date
    if not installment.unpaid:
        return InstallmentStatus.PAID
    if due_date > today:
        return InstallmentStatus.UPCOMING
    return InstallmentStatus.DUE if due_date == today else InstallmentStatus.OVERDUE
